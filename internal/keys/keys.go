// Package keys holds the secrets of an installation in a folder, one file each. It promises that every process which opens
// the same folder has the same keys, also when several open it for the first time at once, so that a token or a cursor
// outlives a restart and is good on every node; that a key, once made, is never replaced; and that keys which others on
// the machine could have read or replaced are refused. It does not rotate keys.
package keys

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// The files of the folder. Each holds one secret of 32 bytes.
const (
	tokenFile   = "token.pem"
	cursorFile  = "cursor.pem"
	answerFile  = "answer.pem"
	historyFile = "history.pem"
)

// Keys are the secrets of an installation. Its fields are hidden, so that it can be neither printed nor encoded.
type Keys struct {
	token   ed25519.PrivateKey
	cursor  []byte
	answers cipher.AEAD
	history ed25519.PrivateKey
}

// Open reads the keys in dir, and makes dir and those keys that are not there yet. It fails if a key is not readable as one,
// if its file has wider permissions than 0600, or if others may write to dir.
func Open(dir string) (*Keys, error) {
	if err := openFolder(dir); err != nil {
		return nil, err
	}
	secrets := make(map[string][]byte)
	for _, name := range []string{tokenFile, cursorFile, answerFile, historyFile} {
		secret, err := readOrMake(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		secrets[name] = secret
	}
	block, err := aes.NewCipher(secrets[answerFile])
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", answerFile, err)
	}
	answers, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", answerFile, err)
	}
	return &Keys{
		token:   ed25519.NewKeyFromSeed(secrets[tokenFile]),
		cursor:  secrets[cursorFile],
		answers: answers,
		history: ed25519.NewKeyFromSeed(secrets[historyFile]),
	}, nil
}

// Files returns the names of the key files that are in dir; none if dir is not there.
func Files(dir string) ([]string, error) {
	var names []string
	for _, name := range []string{tokenFile, cursorFile, answerFile, historyFile} {
		_, err := os.Lstat(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("key: %w", err)
		}
		names = append(names, name)
	}
	return names, nil
}

// Token signs access tokens.
func (k *Keys) Token() ed25519.PrivateKey { return k.token }

// History signs the checkpoints of session logs.
func (k *Keys) History() ed25519.PrivateKey { return k.history }

// Cursor is the HMAC-SHA256 key, of 32 bytes, under which list cursors are signed.
func (k *Keys) Cursor() []byte { return k.cursor }

// Answers encrypts the answers of token refreshes at rest. It puts a random nonce before each ciphertext and takes none.
func (k *Keys) Answers() cipher.AEAD { return k.answers }

// Format writes a placeholder for every verb: keys do not belong in a log.
func (k *Keys) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "keys.Keys(hidden)") }

func openFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("keys folder: %w", err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("keys folder: %w", err)
	}
	if p := info.Mode().Perm(); p&0o022 != 0 {
		return fmt.Errorf("keys folder %s has permissions %04o, so others could replace the keys in it; run: chmod 700 %s", dir, p, dir)
	}
	return nil
}

func readOrMake(path string) ([]byte, error) {
	secret, err := read(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return secret, err
	}
	if err := makeKey(path); err != nil {
		return nil, fmt.Errorf("make key %s: %w", path, err)
	}
	return read(path) // it may be the one of another process that was faster
}

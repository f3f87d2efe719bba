// Package keys stores the secrets of an installation in a folder, one file each. All processes that
// open the same folder get the same keys, even if several create it at the same time; so tokens and
// cursors survive a restart and are valid on every node. A key is never replaced. Keys that other
// users of the machine could have read or replaced are refused. The package does not rotate keys.
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

// Keys are the secrets of an installation. The fields are unexported, so that they are neither
// printed nor encoded.
type Keys struct {
	token   ed25519.PrivateKey
	cursor  []byte
	answers cipher.AEAD
	history ed25519.PrivateKey
}

// Open reads the keys in dir. It creates dir and missing keys. It fails if a file is not a valid
// key, if its permissions are wider than 0600, or if other users may write to dir.
func Open(dir string) (*Keys, error) {
	if err := openFolder(dir); err != nil {
		return nil, err
	}
	secrets := make(map[string][]byte)
	for _, name := range []string{tokenFile, cursorFile, answerFile, historyFile} {
		secret, err := readOrCreate(filepath.Join(dir, name))
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

// Files returns the names of the key files in dir, none if dir does not exist.
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

// Token returns the key that signs access tokens.
func (k *Keys) Token() ed25519.PrivateKey { return k.token }

// History returns the key that signs the checkpoints of session logs.
func (k *Keys) History() ed25519.PrivateKey { return k.history }

// Cursor returns the HMAC-SHA256 key of 32 bytes that signs list cursors.
func (k *Keys) Cursor() []byte { return k.cursor }

// Responses returns the cipher that encrypts stored responses of token refreshes. It prepends a
// random nonce to each ciphertext; callers pass none.
func (k *Keys) Responses() cipher.AEAD { return k.answers }

// Format writes a placeholder for every verb, so that keys never reach a log.
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
		return fmt.Errorf(
			"keys folder %s has permissions %04o: other users could replace the keys in it; run: chmod 700 %s",
			dir, p, dir,
		)
	}
	return nil
}

// readOrCreate returns the secret at path, and creates it if it does not exist.
func readOrCreate(path string) ([]byte, error) {
	secret, err := read(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return secret, err
	}
	if err := createKey(path); err != nil {
		return nil, fmt.Errorf("create key %s: %w", path, err)
	}
	return read(path) // another process may have created it first
}

package keys

import (
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

const (
	secretSize = 32
	pemType    = "FIREMODE SECRET KEY"
	maxFile    = 4096 // bytes; a key file is far smaller
)

// read returns the secret in the file at path. The error wraps fs.ErrNotExist if the file does not
// exist.
func read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	if p := info.Mode().Perm(); p&0o077 != 0 {
		return nil, fmt.Errorf(
			"key %s has permissions %04o: other users could have read it; if nobody has, run: chmod 600 %s",
			path, p, path,
		)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != pemType || len(block.Bytes) != secretSize {
		return nil, fmt.Errorf(
			"key %s is not a %s of %d bytes in PEM; restore it from a backup", path, pemType, secretSize,
		)
	}
	return block.Bytes, nil
}

// createKey writes a new secret to path, unless another process has created it meanwhile. The file
// appears complete and durable or not at all: it is a link to a temporary file, and a link never
// replaces a file.
func createKey(path string) error {
	dir := filepath.Dir(path)
	tmp, err := writeTemporary(dir)
	if tmp != "" {
		defer os.Remove(tmp)
	}
	if err != nil {
		return err
	}
	if err := os.Link(tmp, path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncFolder(dir)
}

// writeTemporary writes a new secret to a temporary file in dir, with mode 0600. It returns the
// name even with an error, if there is a file to remove.
func writeTemporary(dir string) (name string, err error) {
	secret := make([]byte, secretSize)
	_, _ = rand.Read(secret) // never fails, see crypto/rand
	f, err := os.CreateTemp(dir, ".new-key-*")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := pem.Encode(f, &pem.Block{Type: pemType, Bytes: secret}); err != nil {
		return f.Name(), err
	}
	return f.Name(), f.Sync()
}

// syncFolder flushes the names in a folder to the disk.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

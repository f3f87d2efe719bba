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

// read returns the secret in the file at path. The error wraps fs.ErrNotExist if there is none.
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
		return nil, fmt.Errorf("key %s has permissions %04o, so others could have read it; if nobody did, run: chmod 600 %s", path, p, path)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != pemType || len(block.Bytes) != secretSize {
		return nil, fmt.Errorf("key %s is not a %s of %d bytes in PEM; restore it from a backup", path, pemType, secretSize)
	}
	return block.Bytes, nil
}

// makeKey puts a new secret at path, unless another process has put one there meanwhile. The file appears there complete and
// durable or not at all: it is linked from a temporary one, and a link never replaces a file.
func makeKey(path string) error {
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

// writeTemporary writes a new secret to a file of its own in dir, mode 0600. The name is returned also with an error if there
// is a file to remove.
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

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Package backup writes files to an archive and extracts them. What is extracted is byte for byte
// what was archived, or an error: the first file of the archive is a manifest with the length and
// the SHA-256 of each file that follows, and files that the manifest does not name are refused. The
// archive is a plain tar, so that it can be read without FireMode. The caller chooses the files.
package backup

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// Format is the version of the archive's layout.
const Format = 1

const (
	manifestName = "manifest.json"
	maxManifest  = 1 << 20 // bytes
)

// Manifest lists the files of an archive.
type Manifest struct {
	Format  int       `json:"format"`
	MadeAt  time.Time `json:"made_at"`
	Version string    `json:"version"` // of the program that made it
	Schema  int64     `json:"schema"`  // of the database
	Files   []File    `json:"files"`
}

// File is one file of an archive.
type File struct {
	Name   string `json:"name"` // path with slashes, relative to the folder of Extract
	Size   int64  `json:"size"` // bytes
	SHA256 string `json:"sha256"`
}

// Source is a file to be archived.
type Source struct {
	Name string // in the archive
	Path string // on the disk; the file must not change during Write
}

// Size returns the length of all files in bytes.
func (m Manifest) Size() (size int64) {
	for _, f := range m.Files {
		size += f.Size
	}
	return size
}

// Write writes an archive of sources to w and returns its manifest, which is m with Format and
// Files set.
func Write(w io.Writer, m Manifest, sources []Source) (Manifest, error) {
	m.Format = Format
	for _, s := range sources {
		f, err := measure(s)
		if err != nil {
			return m, err
		}
		m.Files = append(m.Files, f)
	}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return m, err
	}
	out := tar.NewWriter(w)
	if err := add(out, m.MadeAt, File{Name: manifestName, Size: int64(len(text))}, bytes.NewReader(text)); err != nil {
		return m, err
	}
	for i, s := range sources {
		if err := addFile(out, m.MadeAt, m.Files[i], s.Path); err != nil {
			return m, err
		}
	}
	return m, out.Close()
}

func measure(s Source) (f File, err error) {
	file, err := os.Open(s.Path)
	if err != nil {
		return f, err
	}
	defer file.Close()
	hash := sha256.New()
	size, err := io.Copy(hash, file)
	return File{Name: s.Name, Size: size, SHA256: hex.EncodeToString(hash.Sum(nil))}, err
}

func addFile(out *tar.Writer, at time.Time, f File, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	return add(out, at, f, file)
}

func add(out *tar.Writer, at time.Time, f File, from io.Reader) error {
	header := &tar.Header{Name: f.Name, Mode: 0o600, Size: f.Size, ModTime: at, Typeflag: tar.TypeReg}
	if err := out.WriteHeader(header); err != nil {
		return err
	}
	if _, err := io.Copy(out, from); err != nil {
		return fmt.Errorf("%s: %w", f.Name, err)
	}
	return nil
}

// Extract extracts an archive into dir, which must exist and be empty. Each file has mode 0600 and
// is flushed to the disk. After an error the extracted files must not be used.
func Extract(r io.Reader, dir string) (m Manifest, err error) {
	in := tar.NewReader(r)
	if m, err = readManifest(in); err != nil {
		return m, err
	}
	for _, f := range m.Files {
		header, err := in.Next()
		if err != nil {
			return m, fmt.Errorf("incomplete backup: %s: %w", f.Name, err)
		}
		if header.Name != f.Name || header.Typeflag != tar.TypeReg || header.Size != f.Size {
			return m, fmt.Errorf("the backup does not match its manifest: found %q, expected %q", header.Name, f.Name)
		}
		if err := extract(in, f, dir); err != nil {
			return m, err
		}
	}
	if _, err := in.Next(); err != io.EOF {
		return m, fmt.Errorf("the backup does not match its manifest: data after the last file (%w)", err)
	}
	return m, nil
}

func readManifest(in *tar.Reader) (m Manifest, err error) {
	header, err := in.Next()
	if err != nil || header.Name != manifestName || header.Size > maxManifest {
		return m, fmt.Errorf("not a backup of FireMode: %s is not the first file (%w)", manifestName, err)
	}
	decoder := json.NewDecoder(in)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&m); err != nil {
		return m, fmt.Errorf("%s: %w", manifestName, err)
	}
	if m.Format != Format {
		return m, fmt.Errorf("the backup has format %d and this binary knows only %d", m.Format, Format)
	}
	for _, f := range m.Files {
		if !filepath.IsLocal(filepath.FromSlash(f.Name)) {
			return m, fmt.Errorf("%s: %q is not a relative path", manifestName, f.Name)
		}
	}
	return m, nil
}

func extract(in io.Reader, f File, dir string) (err error) {
	path := filepath.Join(dir, filepath.FromSlash(f.Name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if closing := file.Close(); err == nil {
			err = closing
		}
	}()
	hash := sha256.New()
	if _, err := io.Copy(io.MultiWriter(file, hash), in); err != nil {
		return fmt.Errorf("%s: %w", f.Name, err)
	}
	if hex.EncodeToString(hash.Sum(nil)) != f.SHA256 {
		return fmt.Errorf("%s: damaged: its SHA-256 does not match the manifest", f.Name)
	}
	return file.Sync()
}

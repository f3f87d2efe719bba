package disk

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/hanwen/go-fuse/v2/fuse"
	"pgregory.net/rapid"
)

func mounted(t *testing.T) (*Disk, string) {
	t.Helper()
	if _, err := os.Stat("/dev/fuse"); err != nil || os.Geteuid() != 0 {
		t.Skip("needs /dev/fuse and root")
	}
	dir := t.TempDir()
	d, err := Mount(dir, fuse.Owner{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Unmount(); err != nil {
			t.Error(err)
		}
	})
	return d, dir
}

func none() bool { return false }

func nothing() error { return nil }

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// put writes a file, and syncs it and its folder as told.
func put(t *testing.T, path, text string, file, folder bool) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	check(t, err)
	_, err = f.WriteString(text)
	check(t, err)
	if file {
		check(t, f.Sync())
	}
	check(t, f.Close())
	if folder {
		syncFolder(t, filepath.Dir(path))
	}
}

func syncFolder(t *testing.T, dir string) {
	t.Helper()
	f, err := os.Open(dir)
	check(t, err)
	defer f.Close()
	check(t, f.Sync())
}

func text(t *testing.T, path string) string {
	t.Helper()
	got, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return "(none)"
	}
	check(t, err)
	return string(got)
}

func TestCut(t *testing.T) {
	for name, test := range map[string]struct {
		do   func(t *testing.T, d *Disk, path string)
		want string
	}{
		"synced file and folder": {func(t *testing.T, _ *Disk, path string) { put(t, path, "new", true, true) }, "new"},
		"file only": {
			func(t *testing.T, _ *Disk, path string) { put(t, path, "new", true, false) },
			"(none)",
		},
		"folder only": {func(t *testing.T, _ *Disk, path string) { put(t, path, "new", false, true) }, ""},
		"overwritten": {func(t *testing.T, _ *Disk, path string) {
			put(t, path, "old!", true, true)
			put(t, path, "new", false, false)
		}, "old!"},
		"truncated": {func(t *testing.T, _ *Disk, path string) {
			put(t, path, "old", true, true)
			check(t, os.Truncate(path, 1))
		}, "old"},
		"removed": {func(t *testing.T, _ *Disk, path string) {
			put(t, path, "old", true, true)
			check(t, os.Remove(path))
		}, "old"},
		"replaced without syncing the folder": {func(t *testing.T, _ *Disk, path string) {
			put(t, path, "old", true, true)
			put(t, path+"+", "new", true, false)
			check(t, os.Rename(path+"+", path))
		}, "old"},
		"replaced": {func(t *testing.T, _ *Disk, path string) {
			put(t, path, "old", true, true)
			put(t, path+"+", "new", true, false)
			check(t, os.Rename(path+"+", path))
			syncFolder(t, filepath.Dir(path))
		}, "new"},
		"linked": {func(t *testing.T, _ *Disk, path string) {
			put(t, path+"+", "new", true, false)
			check(t, os.Link(path+"+", path))
			syncFolder(t, filepath.Dir(path))
		}, "new"},
		"deceived": {func(t *testing.T, d *Disk, path string) {
			put(t, path, "old", true, true)
			d.Set(Faults{Deceive: true})
			put(t, path, "new", true, true)
		}, "old"},
		"failed sync, then one that works": {func(t *testing.T, d *Disk, path string) {
			put(t, path, "old", true, true)
			f, err := os.OpenFile(path, os.O_RDWR, 0)
			check(t, err)
			defer f.Close()
			_, err = f.WriteAt([]byte("new"), 0)
			check(t, err)
			d.Set(Faults{Sync: true})
			if err := f.Sync(); !errors.Is(err, syscall.EIO) {
				t.Fatalf("sync: %v", err)
			}
			d.Set(Faults{})
			check(t, f.Sync())
			if got := text(t, path); got != "new" {
				t.Fatalf("reads %q", got)
			}
		}, "old"},
		"failed sync, then written again": {func(t *testing.T, d *Disk, path string) {
			put(t, path, "old", true, true)
			d.Set(Faults{Sync: true})
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			check(t, err)
			defer f.Close()
			for range 2 {
				_, err = f.WriteAt([]byte("new"), 0)
				check(t, err)
				f.Sync() // fails the first time
				d.Set(Faults{})
			}
			check(t, f.Sync())
		}, "new"},
	} {
		t.Run(name, func(t *testing.T) {
			d, dir := mounted(t)
			test.do(t, d, filepath.Join(dir, "f"))
			check(t, d.Cut(none, nothing))
			if got := text(t, filepath.Join(dir, "f")); got != test.want {
				t.Fatalf("after the cut: %q, want %q", got, test.want)
			}
		})
	}
}

func TestFaults(t *testing.T) {
	d, dir := mounted(t)
	put(t, filepath.Join(dir, "there"), "x", true, true)
	for name, test := range map[string]struct {
		f    Faults
		want error
	}{
		"full":  {Faults{Full: true}, syscall.ENOSPC},
		"write": {Faults{Write: true}, syscall.EIO},
	} {
		d.Set(test.f)
		if err := os.WriteFile(filepath.Join(dir, "new"), nil, 0o600); !errors.Is(err, test.want) {
			t.Errorf("%s: create: %v", name, err)
		}
		f, err := os.OpenFile(filepath.Join(dir, "there"), os.O_WRONLY, 0)
		check(t, err)
		if _, err := f.WriteAt(make([]byte, 3*pageSize), 0); !errors.Is(err, test.want) {
			t.Errorf("%s: write: %v", name, err)
		}
		f.Close()
	}
}

func TestListWhileRemoving(t *testing.T) {
	d, dir := mounted(t)
	for i := range 3000 {
		put(t, filepath.Join(dir, "sub")+string(rune('a'+i%26))+string(rune(0x4e00+i)), "", false, false)
	}
	check(t, os.Mkdir(filepath.Join(dir, "sub"), 0o700))
	list, err := os.ReadDir(dir)
	check(t, err)
	if len(list) != 3001 {
		t.Fatalf("%d names", len(list))
	}
	for _, e := range list {
		check(t, os.Remove(filepath.Join(dir, e.Name())))
	}
	out := t.TempDir()
	put(t, filepath.Join(dir, "last"), "text", false, false)
	check(t, d.Export(out))
	if got := text(t, filepath.Join(out, "last")); got != "text" {
		t.Fatalf("exported %q", got)
	}
}

// A file is compared with two plain slices: what is seen, and what is durable.
func TestContent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var c content
		var seen, durable []byte
		t.Repeat(map[string]func(*rapid.T){
			"": func(t *rapid.T) {
				got := make([]byte, len(seen)+10)
				if n := c.read(got, 0); !bytes.Equal(got[:n], seen) {
					t.Fatalf("reads %d bytes, want %d, or other ones", n, len(seen))
				}
			},
			"write": func(t *rapid.T) {
				off := rapid.IntRange(0, 4*pageSize).Draw(t, "off")
				data := bytes.Repeat([]byte{rapid.Byte().Draw(t, "byte")}, rapid.IntRange(1, 2*pageSize).Draw(t, "n"))
				c.write(data, int64(off))
				if grow := off + len(data) - len(seen); grow > 0 {
					seen = append(seen, make([]byte, grow)...)
				}
				copy(seen[off:], data)
			},
			"truncate": func(t *rapid.T) {
				size := rapid.IntRange(0, 6*pageSize).Draw(t, "size")
				c.truncate(int64(size))
				seen = append(seen, make([]byte, max(0, size-len(seen)))...)[:size]
			},
			"sync": func(*rapid.T) {
				c.sync()
				durable = slices.Clone(seen)
			},
			"cut": func(*rapid.T) {
				c.cut(none)
				seen = slices.Clone(durable)
			},
		})
	})
}

func TestChance(t *testing.T) {
	survives := Chance(rand.New(rand.NewPCG(1, 2)), 0.25)
	n := 0
	for range 10000 {
		if survives() {
			n++
		}
	}
	if n < 2300 || n > 2700 {
		t.Fatalf("%d of 10000", n)
	}
}

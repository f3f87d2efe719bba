package disk

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// Disk is a file system with its power. All methods may be called while programs use it.
type Disk struct {
	dir    string // where it is mounted
	server *fuse.Server

	mu     sync.Mutex
	root   *inode
	inodes map[uint64]*inode
	last   uint64              // number given to an inode or handle
	open   map[uint64][]string // what a folder that is being listed held, by handle
	faults Faults
	off    bool // there is no power
	syncs  int
}

// Faults are what goes wrong on a disk; the zero value is a disk in good order.
type Faults struct {
	Full    bool // what needs more space fails with ENOSPC
	Write   bool // writing fails with EIO
	Sync    bool // syncing fails with EIO, see the package
	Deceive bool // syncing says that it is done, and does nothing
	// Some says which of the calls that fail by Write and Sync do; nil for all. It is called by one
	// goroutine at a time.
	Some func() bool
}

// strikes reports whether a call that is subject to a fault fails.
func (f Faults) strikes(fault bool) bool { return fault && (f.Some == nil || f.Some()) }

// Mount makes an empty disk, whose root belongs to owner and group, and mounts it at dir. It needs
// /dev/fuse and root.
func Mount(dir string, owner fuse.Owner) (*Disk, error) {
	d := &Disk{dir: dir, inodes: map[uint64]*inode{}, open: map[uint64][]string{}}
	d.root = d.add(syscall.S_IFDIR|0o700, owner)
	d.root.sync()
	return d, d.mount()
}

func (d *Disk) mount() (err error) {
	d.server, err = fuse.NewServer(&files{RawFileSystem: fuse.NewDefaultRawFileSystem(), disk: d}, d.dir,
		&fuse.MountOptions{
			DirectMountStrict: true, AllowOther: true, FsName: "chaos", Name: "chaos",
			MaxWrite: 1 << 20, MaxBackground: 64,
			Options: []string{"default_permissions"}, DisableXAttrs: true, DisableReadDirPlus: true,
		})
	if err != nil {
		return fmt.Errorf("disk: mount: %w", err)
	}
	go d.server.Serve()
	return d.server.WaitMount()
}

// Unmount takes the disk away from programs that still use it, too. What is on it stays, see
// Export.
func (d *Disk) Unmount() error {
	if err := syscall.Unmount(d.dir, syscall.MNT_DETACH); err != nil {
		return fmt.Errorf("disk: unmount: %w", err)
	}
	return nil
}

// Set changes what goes wrong from now on.
func (d *Disk) Set(f Faults) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.faults = f
}

// Sync makes everything durable.
func (d *Disk) Sync() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, n := range d.inodes {
		n.sync()
	}
}

// Syncs returns how many times a program has synced something.
func (d *Disk) Syncs() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.syncs
}

// Cut takes the power away at this moment: from now on everything fails, and of what is not durable
// only that is kept of which survives says so. stop must end every program that uses the disk. Then
// the power is back: the disk is mounted again, in good order.
func (d *Disk) Cut(survives func() bool, stop func() error) error {
	d.lose(survives)
	if err := errors.Join(stop(), d.Unmount()); err != nil {
		return err
	}
	d.mu.Lock()
	d.off, d.faults = false, Faults{}
	d.mu.Unlock()
	return d.mount()
}

// lose leaves of all inodes what is durable, and forgets those that no folder names.
func (d *Disk) lose(survives func() bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.off = true
	d.root.walk(map[*inode]bool{}, func(n *inode) { n.cut(survives) })
	d.inodes, d.open = map[uint64]*inode{}, map[uint64][]string{}
	links := map[*inode]uint32{}
	d.root.walk(map[*inode]bool{}, func(n *inode) {
		d.inodes[n.attr.Ino] = n
		for _, below := range n.names {
			links[below]++
		}
	})
	for n, count := range links {
		n.attr.Nlink = count
	}
}

// add makes an inode; d.mu is held, or nobody knows d yet.
func (d *Disk) add(mode uint32, owner fuse.Owner) *inode {
	d.last++
	now := time.Now()
	n := &inode{attr: fuse.Attr{Ino: d.last, Mode: mode, Nlink: 1, Owner: owner}}
	n.attr.SetTimes(&now, &now, &now)
	if mode&syscall.S_IFMT == syscall.S_IFDIR {
		n.names = map[string]*inode{}
	}
	d.inodes[n.attr.Ino] = n
	return n
}

// Export writes what is on the disk, durable or not, into a folder, owned by whoever calls.
func (d *Disk) Export(dir string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return export(d.root, dir)
}

func export(n *inode, path string) error {
	if !n.folder() {
		all := make([]byte, n.content.size)
		n.content.read(all, 0)
		return os.WriteFile(path, all, 0o600)
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return err
	}
	for name, below := range n.names {
		if err := export(below, filepath.Join(path, name)); err != nil {
			return err
		}
	}
	return nil
}

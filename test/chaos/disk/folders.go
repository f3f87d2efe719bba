package disk

import (
	"maps"
	"slices"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// Names in folders. The kernel keeps what it has been told for as long as cached says; nobody else
// changes a disk.
const cached = time.Hour

func show(n *inode, out *fuse.EntryOut) {
	out.NodeId, out.Generation, out.Attr = n.attr.Ino, 1, n.stat()
	out.SetEntryTimeout(cached)
}

func (f *files) Lookup(_ <-chan struct{}, in *fuse.InHeader, name string, out *fuse.EntryOut) fuse.Status {
	return f.with(in.NodeId, func(folder *inode) fuse.Status {
		n := folder.names[name]
		if n == nil {
			return fuse.ENOENT
		}
		show(n, out)
		return fuse.OK
	})
}

// make adds a file or folder under a name that is free.
func (f *files) make(in *fuse.InHeader, name string, mode uint32, out *fuse.EntryOut) fuse.Status {
	return f.with(in.NodeId, func(folder *inode) fuse.Status {
		switch {
		case folder.names[name] != nil:
			return fuse.Status(syscall.EEXIST)
		case f.disk.faults.Full:
			return fuse.Status(syscall.ENOSPC)
		case f.disk.faults.strikes(f.disk.faults.Write):
			return fuse.EIO
		}
		n := f.disk.add(mode, in.Owner)
		folder.names[name] = n
		folder.touch(time.Now())
		show(n, out)
		return fuse.OK
	})
}

func (f *files) Mkdir(_ <-chan struct{}, in *fuse.MkdirIn, name string, out *fuse.EntryOut) fuse.Status {
	return f.make(&in.InHeader, name, syscall.S_IFDIR|in.Mode&0o7777&^in.Umask, out)
}

func (f *files) Create(_ <-chan struct{}, in *fuse.CreateIn, name string, out *fuse.CreateOut) fuse.Status {
	return f.make(&in.InHeader, name, syscall.S_IFREG|in.Mode&0o7777&^in.Umask, &out.EntryOut)
}

func (f *files) Link(_ <-chan struct{}, in *fuse.LinkIn, name string, out *fuse.EntryOut) fuse.Status {
	return f.with(in.NodeId, func(folder *inode) fuse.Status {
		n := f.disk.inodes[in.Oldnodeid]
		switch {
		case n == nil:
			return fuse.ENOENT
		case folder.names[name] != nil:
			return fuse.Status(syscall.EEXIST)
		}
		folder.names[name] = n
		n.attr.Nlink++
		show(n, out)
		return fuse.OK
	})
}

func (f *files) Unlink(_ <-chan struct{}, in *fuse.InHeader, name string) fuse.Status {
	return f.with(in.NodeId, func(folder *inode) fuse.Status { return unlink(folder, name) })
}

func (f *files) Rmdir(_ <-chan struct{}, in *fuse.InHeader, name string) fuse.Status {
	return f.with(in.NodeId, func(folder *inode) fuse.Status {
		if n := folder.names[name]; n != nil && len(n.names) > 0 {
			return fuse.Status(syscall.ENOTEMPTY)
		}
		return unlink(folder, name)
	})
}

// unlink takes a name away. The inode stays: a program may have it open, and the durable folder may
// name it still.
func unlink(folder *inode, name string) fuse.Status {
	n := folder.names[name]
	if n == nil {
		return fuse.ENOENT
	}
	delete(folder.names, name)
	n.attr.Nlink--
	folder.touch(time.Now())
	return fuse.OK
}

func (f *files) Rename(_ <-chan struct{}, in *fuse.RenameIn, from, to string) fuse.Status {
	return f.with(in.NodeId, func(folder *inode) fuse.Status {
		target, moved := f.disk.inodes[in.Newdir], folder.names[from]
		switch {
		case in.Flags != 0:
			return fuse.EINVAL
		case target == nil, moved == nil:
			return fuse.ENOENT
		case target.names[to] == moved:
			return fuse.OK
		case target.names[to] != nil && len(target.names[to].names) > 0:
			return fuse.Status(syscall.ENOTEMPTY)
		}
		if replaced := target.names[to]; replaced != nil {
			replaced.attr.Nlink--
		}
		delete(folder.names, from)
		target.names[to] = moved
		return fuse.OK
	})
}

// OpenDir notes what the folder holds, so that a program may remove files while it lists them.
func (f *files) OpenDir(_ <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	return f.with(in.NodeId, func(folder *inode) fuse.Status {
		f.disk.last++
		out.Fh = f.disk.last
		f.disk.open[out.Fh] = slices.Sorted(maps.Keys(folder.names))
		return fuse.OK
	})
}

func (f *files) ReadDir(_ <-chan struct{}, in *fuse.ReadIn, out *fuse.DirEntryList) fuse.Status {
	return f.with(in.NodeId, func(folder *inode) fuse.Status {
		names := f.disk.open[in.Fh]
		for i := int(in.Offset); i < len(names); i++ {
			n := folder.names[names[i]]
			if n != nil &&
				!out.AddDirEntry(fuse.DirEntry{
					Name: names[i], Ino: n.attr.Ino, Mode: n.attr.Mode,
					Off: uint64(i + 1),
				}) {
				break
			}
		}
		return fuse.OK
	})
}

func (f *files) ReleaseDir(in *fuse.ReleaseIn) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	delete(f.disk.open, in.Fh)
}

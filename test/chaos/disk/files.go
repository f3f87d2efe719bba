package disk

import (
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// files answers the kernel: what concerns the content of files.
type files struct {
	fuse.RawFileSystem // refuses what it does not know
	disk               *Disk
}

func (f *files) String() string { return "chaos" }

// with calls fn with an inode while nobody else touches the disk, unless there is no power.
func (f *files) with(id uint64, fn func(*inode) fuse.Status) fuse.Status {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if f.disk.off {
		return fuse.EIO
	}
	n := f.disk.inodes[id]
	if n == nil {
		return fuse.Status(syscall.ESTALE)
	}
	return fn(n)
}

func (f *files) GetAttr(_ <-chan struct{}, in *fuse.GetAttrIn, out *fuse.AttrOut) fuse.Status {
	return f.with(in.NodeId, func(n *inode) fuse.Status {
		out.Attr = n.stat()
		return fuse.OK
	})
}

func (f *files) SetAttr(_ <-chan struct{}, in *fuse.SetAttrIn, out *fuse.AttrOut) fuse.Status {
	return f.with(in.NodeId, func(n *inode) fuse.Status {
		if mode, ok := in.GetMode(); ok {
			n.attr.Mode = n.attr.Mode&syscall.S_IFMT | mode&^syscall.S_IFMT
		}
		if uid, ok := in.GetUID(); ok {
			n.attr.Uid = uid
		}
		if gid, ok := in.GetGID(); ok {
			n.attr.Gid = gid
		}
		if size, ok := in.GetSize(); ok {
			if f.disk.faults.strikes(f.disk.faults.Write) {
				return fuse.EIO
			}
			n.content.truncate(int64(size))
			n.touch(time.Now())
		}
		if t, ok := in.GetMTime(); ok {
			n.attr.SetTimes(nil, &t, nil)
		}
		out.Attr = n.stat()
		return fuse.OK
	})
}

func (f *files) Open(_ <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	return f.with(in.NodeId, func(*inode) fuse.Status {
		out.OpenFlags = fuse.FOPEN_KEEP_CACHE
		return fuse.OK
	})
}

func (f *files) Read(_ <-chan struct{}, in *fuse.ReadIn, buf []byte) (result fuse.ReadResult, status fuse.Status) {
	status = f.with(in.NodeId, func(n *inode) fuse.Status {
		result = fuse.ReadResultData(buf[:n.content.read(buf, int64(in.Offset))])
		return fuse.OK
	})
	return result, status
}

func (f *files) Write(_ <-chan struct{}, in *fuse.WriteIn, data []byte) (written uint32, status fuse.Status) {
	status = f.with(in.NodeId, func(n *inode) fuse.Status {
		off := int64(in.Offset)
		switch {
		case f.disk.faults.strikes(f.disk.faults.Write):
			return fuse.EIO
		case f.disk.faults.Full && !n.content.fits(len(data), off):
			return fuse.Status(syscall.ENOSPC)
		}
		n.content.write(data, off)
		n.touch(time.Now())
		return fuse.OK
	})
	return uint32(len(data)), status
}

const keepSize = 1 // FALLOC_FL_KEEP_SIZE

func (f *files) Fallocate(_ <-chan struct{}, in *fuse.FallocateIn) fuse.Status {
	return f.with(in.NodeId, func(n *inode) fuse.Status {
		end := int64(in.Offset + in.Length)
		switch {
		case in.Mode&^keepSize != 0:
			return fuse.Status(syscall.EOPNOTSUPP)
		case f.disk.faults.Full && end > n.content.size:
			return fuse.Status(syscall.ENOSPC)
		case in.Mode == 0 && end > n.content.size:
			n.content.truncate(end)
		}
		return fuse.OK
	})
}

func (f *files) Fsync(_ <-chan struct{}, in *fuse.FsyncIn) fuse.Status {
	return f.with(in.NodeId, func(n *inode) fuse.Status {
		f.disk.syncs++
		switch {
		case f.disk.faults.strikes(f.disk.faults.Sync):
			n.content.fail()
			return fuse.EIO
		case !f.disk.faults.Deceive:
			n.sync()
		}
		return fuse.OK
	})
}

func (f *files) FsyncDir(cancel <-chan struct{}, in *fuse.FsyncIn) fuse.Status {
	return f.Fsync(cancel, in)
}

// Flush has nothing to do: closing a file makes nothing durable.
func (f *files) Flush(<-chan struct{}, *fuse.FlushIn) fuse.Status { return fuse.OK }

const room = 1 << 20 // pages

func (f *files) StatFs(_ <-chan struct{}, in *fuse.InHeader, out *fuse.StatfsOut) fuse.Status {
	return f.with(in.NodeId, func(*inode) fuse.Status {
		*out = fuse.StatfsOut{Blocks: room, Bsize: pageSize, Frsize: pageSize, NameLen: 255}
		if !f.disk.faults.Full {
			out.Bfree, out.Bavail = room, room
		}
		return fuse.OK
	})
}

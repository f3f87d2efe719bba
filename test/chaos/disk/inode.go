package disk

import (
	"maps"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// inode is a file or a folder.
type inode struct {
	attr    fuse.Attr
	content content           // of a file
	names   map[string]*inode // of a folder, as they are seen; nil for a file
	durable map[string]*inode // of a folder, as of its last sync
}

func (n *inode) folder() bool { return n.names != nil }

// stat returns the attributes as stat(2) tells them.
func (n *inode) stat() fuse.Attr {
	a := n.attr
	a.Size = uint64(n.content.size)
	a.Blocks = uint64(len(n.content.pages)) * pageSize / 512
	a.Blksize = pageSize
	return a
}

// touch notes that the content was changed.
func (n *inode) touch(now time.Time) { n.attr.SetTimes(nil, &now, &now) }

// sync makes a file durable, or the names in a folder.
func (n *inode) sync() {
	n.content.sync()
	n.durable = maps.Clone(n.names)
}

// cut is the power going. Of a folder whose names are not durable either all are lost or none: file
// systems keep the order of such changes.
func (n *inode) cut(survives func() bool) {
	if !n.folder() {
		n.content.cut(survives)
		return
	}
	if !survives() {
		n.names = maps.Clone(n.durable)
		if n.names == nil {
			n.names = map[string]*inode{}
		}
	}
	n.durable = maps.Clone(n.names)
}

// walk calls fn for n and everything below it that fn has not seen yet.
func (n *inode) walk(seen map[*inode]bool, fn func(*inode)) {
	if seen[n] {
		return
	}
	seen[n] = true
	for _, below := range n.names {
		below.walk(seen, fn)
	}
	for _, below := range n.durable {
		below.walk(seen, fn)
	}
	fn(n)
}

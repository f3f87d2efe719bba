// Package ledger makes the log of a session tamper-evident. The hash of an entry is over its own
// fields, the root of a Merkle tree (RFC 6962) over its leaves, and the hash of the entry before
// it. A changed bit changes every later hash, and one leaf can be shown without the others. A
// second tree over the hashes of the entries has a root that a signed checkpoint states: its holder
// can check at any later time whether an entry was in the log by then, and whether a later log
// extends that one.
//
// The package is pure.
package ledger

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"
)

// HashSize is the length of a hash in bytes.
const HashSize = sha256.Size

// Hash returns the SHA-256 of fields, each with its length before it, under a domain: no two lists
// of fields, and no two domains, have the same input.
func Hash(domain string, fields ...[]byte) []byte {
	h := sha256.New()
	write := func(field []byte) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(field)))
		h.Write(n[:])
		h.Write(field)
	}
	write([]byte(domain))
	for _, field := range fields {
		write(field)
	}
	return h.Sum(nil)
}

// Number returns n as a field.
func Number(n int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }

// Frontier is a tree that only grows: the roots of its complete subtrees, the largest first, one
// for each bit of its size. It is all that is needed to add a leaf and to know the root.
type Frontier []byte

// Append returns the frontier of the tree with leaf behind the size leaves of f.
func (f Frontier) Append(size int64, leaf []byte) Frontier {
	node := tlog.RecordHash(leaf)
	rest := f
	for n := size; n&1 == 1; n >>= 1 {
		var left tlog.Hash
		copy(left[:], rest[len(rest)-HashSize:])
		rest = rest[:len(rest)-HashSize]
		node = tlog.NodeHash(left, node)
	}
	return append(append(Frontier{}, rest...), node[:]...)
}

// Root returns the root of the tree; that of no leaves is the hash of nothing.
func (f Frontier) Root() []byte {
	if len(f) == 0 {
		empty := sha256.Sum256(nil)
		return empty[:]
	}
	var root tlog.Hash
	copy(root[:], f[len(f)-HashSize:])
	for at := len(f) - 2*HashSize; at >= 0; at -= HashSize {
		var left tlog.Hash
		copy(left[:], f[at:])
		root = tlog.NodeHash(left, root)
	}
	return root[:]
}

// Fits reports whether f can be the frontier of a tree of size leaves.
func (f Frontier) Fits(size int64) bool { return len(f) == HashSize*bits.OnesCount64(uint64(size)) }

// Root returns the root of the tree over leaves.
func Root(leaves [][]byte) []byte {
	var f Frontier
	for i, leaf := range leaves {
		f = f.Append(int64(i), leaf)
	}
	return f.Root()
}

// Tree is a whole tree in memory, from which proofs are made.
type Tree struct {
	size   int64
	hashes []tlog.Hash
}

// Add puts leaf behind the others.
func (t *Tree) Add(leaf []byte) error {
	stored, err := tlog.StoredHashes(t.size, leaf, t)
	if err != nil {
		return err
	}
	t.hashes = append(t.hashes, stored...)
	t.size++
	return nil
}

// ReadHashes implements tlog.HashReader.
func (t *Tree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, at := range indexes {
		if at >= int64(len(t.hashes)) {
			return nil, fmt.Errorf("the tree has %d hashes", len(t.hashes))
		}
		out[i] = t.hashes[at]
	}
	return out, nil
}

// Inclusion proves that leaf index is in the tree of all leaves.
func (t *Tree) Inclusion(index int64) ([][]byte, error) {
	proof, err := tlog.ProveRecord(t.size, index, t)
	return plain(proof), err
}

// Consistency proves that the tree of all leaves begins with that of the first size leaves.
func (t *Tree) Consistency(size int64) ([][]byte, error) {
	proof, err := tlog.ProveTree(t.size, size, t)
	return plain(proof), err
}

// CheckInclusion returns nil if proof shows that leaf is at index in the tree of size leaves with
// root.
func CheckInclusion(proof [][]byte, size int64, root []byte, index int64, leaf []byte) error {
	top, err := hash(root)
	if err != nil {
		return err
	}
	steps, err := hashes(proof)
	if err != nil {
		return err
	}
	return tlog.CheckRecord(steps, size, top, index, tlog.RecordHash(leaf))
}

// CheckConsistency returns nil if proof shows that the tree of newSize leaves with newRoot begins
// with that of oldSize with oldRoot.
func CheckConsistency(proof [][]byte, newSize int64, newRoot []byte, oldSize int64, oldRoot []byte) error {
	after, err := hash(newRoot)
	if err != nil {
		return err
	}
	before, err := hash(oldRoot)
	if err != nil {
		return err
	}
	steps, err := hashes(proof)
	if err != nil {
		return err
	}
	return tlog.CheckTree(steps, newSize, after, oldSize, before)
}

func plain[P ~[]tlog.Hash](proof P) [][]byte {
	out := make([][]byte, len(proof))
	for i := range proof {
		out[i] = proof[i][:]
	}
	return out
}

func hashes(proof [][]byte) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(proof))
	for i, step := range proof {
		h, err := hash(step)
		if err != nil {
			return nil, err
		}
		out[i] = h
	}
	return out, nil
}

func hash(b []byte) (h tlog.Hash, err error) {
	if len(b) != HashSize {
		return h, fmt.Errorf("a hash has %d bytes, not %d", HashSize, len(b))
	}
	return tlog.Hash(b), nil
}

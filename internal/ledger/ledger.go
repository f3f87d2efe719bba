// Package ledger makes history provable. An entry of a session's log is hashed over its own fields, the root of a Merkle tree
// (RFC 6962) over its leaves, and the hash of the entry before it: a bit that changes anywhere changes every hash after it,
// and one leaf can be shown without the others. It is pure; what the fields are is the caller's to say.
package ledger

import (
	"crypto/sha256"
	"encoding/binary"

	"golang.org/x/mod/sumdb/tlog"
)

// HashSize is the length of a hash in bytes.
const HashSize = sha256.Size

// Hash returns the SHA-256 of fields, each with its length before it, under a domain: no two lists of fields, and no two
// domains, have the same input.
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

// Root returns the root of the RFC 6962 tree over leaves; of none it is the hash of nothing.
func Root(leaves [][]byte) []byte {
	if len(leaves) == 0 {
		empty := sha256.Sum256(nil)
		return empty[:]
	}
	root := root(leaves)
	return root[:]
}

func root(leaves [][]byte) tlog.Hash {
	if len(leaves) == 1 {
		return tlog.RecordHash(leaves[0])
	}
	// The left half is the largest power of two below the number of leaves.
	split := 1
	for split*2 < len(leaves) {
		split *= 2
	}
	return tlog.NodeHash(root(leaves[:split]), root(leaves[split:]))
}

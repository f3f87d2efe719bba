package crdt

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of a path.
const (
	MaxPathBytes    = 512
	MaxPathSegments = 16
)

// Pointer is a canonical RFC 6901 JSON Pointer, never the root.
type Pointer string

// ParsePointer checks s against the limits. A path that breaks them is refused, never repaired.
func ParsePointer(s string) (Pointer, error) {
	switch {
	case s == "" || s == "/":
		return "", fmt.Errorf("the path must name something below the root, such as /items/FE-001/outcome")
	case s[0] != '/':
		return "", fmt.Errorf("the path must begin with /")
	case len(s) > MaxPathBytes:
		return "", fmt.Errorf("the path is longer than %d bytes", MaxPathBytes)
	case !utf8.ValidString(s):
		return "", fmt.Errorf("the path is not valid UTF-8")
	}
	segments := strings.Split(s[1:], "/")
	if len(segments) > MaxPathSegments {
		return "", fmt.Errorf("the path has more than %d segments", MaxPathSegments)
	}
	for _, segment := range segments {
		if err := checkSegment(segment); err != nil {
			return "", err
		}
	}
	return Pointer(s), nil
}

func checkSegment(segment string) error {
	if segment == "" {
		return fmt.Errorf("the path has an empty segment")
	}
	for i, r := range segment {
		if unicode.IsControl(r) {
			return fmt.Errorf("the path has a control character")
		}
		if r == '~' && (i+1 >= len(segment) || segment[i+1] != '0' && segment[i+1] != '1') {
			return fmt.Errorf("in a path ~ is written ~0 and / is written ~1")
		}
	}
	return nil
}

var (
	escaper   = strings.NewReplacer("~", "~0", "/", "~1")
	unescaper = strings.NewReplacer("~1", "/", "~0", "~")
)

// Child returns the path of the member name below p.
func (p Pointer) Child(name string) Pointer { return p + "/" + Pointer(escaper.Replace(name)) }

// Segments returns the escaped segments of p from the root down.
func (p Pointer) Segments() []string { return strings.Split(string(p[1:]), "/") }

// Unescape returns the member name that an escaped segment stands for.
func Unescape(segment string) string { return unescaper.Replace(segment) }

// Parent returns the path above p; ok is false for a path directly below the root.
func (p Pointer) Parent() (parent Pointer, ok bool) {
	i := strings.LastIndexByte(string(p), '/')
	if i <= 0 {
		return "", false
	}
	return p[:i], true
}

// Ancestors returns the paths above p, nearest first.
func (p Pointer) Ancestors() []Pointer {
	var above []Pointer
	for q, ok := p.Parent(); ok; q, ok = q.Parent() {
		above = append(above, q)
	}
	return above
}

// Holds reports whether q is p or below it.
func (p Pointer) Holds(q Pointer) bool {
	return strings.HasPrefix(string(q), string(p)) && (len(q) == len(p) || q[len(p)] == '/')
}

// Key returns p in the form in which stores keep it: with \x01 for /, so that the byte order of
// keys is the order of a walk down the tree (control characters are not allowed in paths, so
// nothing sorts between a node and its children).
func (p Pointer) Key() string { return strings.ReplaceAll(string(p), "/", "\x01") }

// PointerOfKey is the inverse of Key.
func PointerOfKey(key string) Pointer { return Pointer(strings.ReplaceAll(key, "\x01", "/")) }

func WithAncestors(paths []Pointer) []Pointer {
	seen := map[Pointer]bool{}
	var all []Pointer
	for _, p := range paths {
		for q, ok := p, true; ok && !seen[q]; q, ok = q.Parent() {
			seen[q] = true
			all = append(all, q)
		}
	}
	return all
}

package crdt

import (
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// Composer writes a document, as State.Document does, from its leaves.
type Composer struct {
	out  io.Writer
	open []string // segments of the objects that are open, below the outermost one
	more bool     // something has been written
	text []byte   // buffer, reused
}

// NewComposer returns a Composer of a document on out. Nothing is written before the first leaf.
func NewComposer(out io.Writer) *Composer { return &Composer{out: out} }

// Leaf writes the next leaf, in order of path.
func (c *Composer) Leaf(r Reading) error {
	segments := r.Path.Segments()
	parents, last := segments[:len(segments)-1], segments[len(segments)-1]
	shared := 0
	for shared < min(len(parents), len(c.open)) && parents[shared] == c.open[shared] {
		shared++
	}
	text := c.begin()
	for range c.open[shared:] {
		text = append(text, '}')
	}
	if c.more {
		text = append(text, ',')
	}
	for _, segment := range parents[shared:] {
		text = append(appendName(text, segment), '{')
	}
	text = append(appendName(text, last), r.Value...)
	c.open, c.more = append(c.open[:shared], parents[shared:]...), true
	return c.write(text)
}

// End closes the document.
func (c *Composer) End() error {
	text := c.begin()
	for range c.open {
		text = append(text, '}')
	}
	c.open, c.more = nil, false
	return c.write(append(text, '}'))
}

func (c *Composer) begin() []byte {
	text := c.text[:0]
	if !c.more {
		text = append(text, '{')
	}
	return text
}

func (c *Composer) write(text []byte) error {
	c.text = text
	_, err := c.out.Write(text)
	return err
}

func appendName(text []byte, segment string) []byte {
	text, _ = jsontext.AppendQuote(text, Unescape(segment)) // valid UTF-8, see ParsePointer
	return append(text, ':')
}

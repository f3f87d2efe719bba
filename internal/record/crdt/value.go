package crdt

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"firemode/internal/decimal"
)

// Limits of a value.
const (
	MaxValueBytes = 64 << 10
	MaxValueDepth = 32
)

// Value is a JSON value as canonical text: members sorted, strings in one spelling, numbers as they
// were written. "" is no value.
type Value string

// Null is the JSON null, which is a value.
const Null Value = "null"

// canonicalText rewrites JSON with sorted members and one spelling of strings; number tokens stay.
// It refuses duplicate members and invalid UTF-8.
func canonicalText(raw []byte) (string, error) {
	v := jsontext.Value(bytes.Clone(raw))
	err := v.Format(jsontext.ReorderRawObjects(true), jsontext.CanonicalizeRawInts(false),
		jsontext.CanonicalizeRawFloats(false))
	if err != nil {
		return "", err
	}
	return string(v), nil
}

// ParseValue checks raw against the limits of a value.
func ParseValue(raw []byte) (Value, error) {
	if len(raw) > MaxValueBytes {
		return "", fmt.Errorf("the value is longer than %d KiB", MaxValueBytes>>10)
	}
	text, err := canonicalText(raw)
	if err != nil {
		return "", fmt.Errorf("the value is not JSON")
	}
	v := Value(text)
	if v.IsNumber() {
		_, err = decimal.Parse(text)
		return v, err
	}
	if text[0] != '{' && text[0] != '[' {
		return v, nil
	}
	return v, eachToken(text, func(d *jsontext.Decoder, t jsontext.Token) error {
		if d.StackDepth() > MaxValueDepth {
			return fmt.Errorf("the value is nested deeper than %d", MaxValueDepth)
		}
		if t.Kind() == '0' {
			_, err := decimal.Parse(t.String())
			return err
		}
		return nil
	})
}

func eachToken(text string, fn func(*jsontext.Decoder, jsontext.Token) error) error {
	d := jsontext.NewDecoder(strings.NewReader(text))
	for {
		t, err := d.ReadToken()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := fn(d, t); err != nil {
			return err
		}
	}
}

// normal returns the canonical text in which equal values are the same: numbers as exact decimals.
// It is looked at byte by byte, since every reading is hashed in this form and compared with its
// siblings: what canonicalText has written is JSON, and without white space.
func normal(text string) string {
	if text == "" || text[0] == '"' || text[0] == 't' || text[0] == 'f' || text[0] == 'n' {
		return text // strings and literals are canonical already
	}
	out := make([]byte, 0, len(text)+16)
	for i := 0; i < len(text); {
		end := i + 1
		switch c := text[i]; {
		case c == '"':
			end = endOfString(text, i)
			out = append(out, text[i:end]...)
		case c == '-' || isDigit(c):
			end = endOfNumber(text, i)
			out = append(out, normalNumber(text[i:end])...)
		default:
			out = append(out, c)
		}
		i = end
	}
	return string(out)
}

func normalNumber(token string) string {
	d, err := decimal.Parse(token)
	if err != nil {
		return token // outside a value (e.g. an index): compared as it is written
	}
	return d.String()
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// endOfString returns where the string that begins at text[i] ends.
func endOfString(text string, i int) int {
	for i++; i < len(text) && text[i] != '"'; i++ {
		if text[i] == '\\' {
			i++
		}
	}
	return min(i+1, len(text))
}

// endOfNumber returns where the number that begins at text[i] ends.
func endOfNumber(text string, i int) int {
	for i < len(text) && (isDigit(text[i]) || strings.IndexByte("+-.eE", text[i]) >= 0) {
		i++
	}
	return i
}

// Equal reports whether v and w are the same value; numbers are compared as exact decimals.
func (v Value) Equal(w Value) bool { return v == w || normal(string(v)) == normal(string(w)) }

// IsNumber reports whether v is a JSON number.
func (v Value) IsNumber() bool { return v != "" && (v[0] == '-' || isDigit(v[0])) }

func (v Value) isObject() bool { return v != "" && v[0] == '{' }

// leaf is one register that an object value writes.
type leaf struct {
	path  Pointer
	value Value
}

// flatten returns the registers that writing v at p writes: one, unless v is an object. An empty
// object is an error, as it would write nothing.
func flatten(p Pointer, v Value) ([]leaf, error) {
	if !v.isObject() {
		return []leaf{{p, v}}, nil
	}
	d := jsontext.NewDecoder(strings.NewReader(string(v)))
	if _, err := d.ReadToken(); err != nil {
		return nil, err
	}
	var leaves []leaf
	for d.PeekKind() != '}' {
		name, err := d.ReadToken()
		if err != nil {
			return nil, err
		}
		child, err := ParsePointer(string(p.Child(name.String())))
		if err != nil {
			return nil, fmt.Errorf("member %.40q: %w", name.String(), err)
		}
		member, err := d.ReadValue()
		if err != nil {
			return nil, err
		}
		below, err := flatten(child, Value(member))
		if err != nil {
			return nil, err
		}
		leaves = append(leaves, below...)
	}
	if len(leaves) == 0 {
		return nil, fmt.Errorf("an empty object writes nothing")
	}
	return leaves, nil
}

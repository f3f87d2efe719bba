package store

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// Damage is the error of a row that cannot be read, or that is not as an engine writes it.
type Damage struct {
	Table string
	Err   error
}

func (d *Damage) Error() string { return "table " + d.Table + ": " + d.Err.Error() }

func (d *Damage) Unwrap() error { return d.Err }

type exactKey struct{}

// Exactly returns a context in which what is read must be as an engine writes it, to the byte: JSON that was altered and still says
// the same is Damage too, and so is a column that does not follow from those that it is made of. It is for verification, and costs an encoding of every nested value.
func Exactly(ctx context.Context) context.Context { return context.WithValue(ctx, exactKey{}, true) }

// Exact reports whether ctx is one of Exactly.
func Exact(ctx context.Context) bool { return ctx.Value(exactKey{}) != nil }

// ExactColumn is a JSONColumn that takes only what JSON writes, or has written when a type had fewer fields.
type ExactColumn struct{ JSONColumn }

// Scan takes what a driver read.
func (c ExactColumn) Scan(src any) error {
	if err := c.JSONColumn.Scan(src); err != nil {
		return err
	}
	again, err := JSON(reflect.ValueOf(c.Into).Elem().Interface())
	if err != nil {
		return err
	}
	var stored []byte
	switch text := src.(type) {
	case string:
		stored = []byte(text)
	case []byte:
		stored = text
	}
	if !written(stored, []byte(again)) {
		return fmt.Errorf("it says the same as %.200s, but was written another way", again)
	}
	return nil
}

// written reports whether stored is what again says, byte for byte but for members that are new: those say nothing.
func written(stored, again []byte) bool {
	if bytes.Equal(stored, again) {
		return true
	}
	if len(stored) == 0 || len(again) == 0 || stored[0] != again[0] {
		return false
	}
	switch stored[0] {
	case '{':
		return membersWritten(stored, again)
	case '[':
		return elementsWritten(stored, again)
	}
	return false
}

func membersWritten(stored, again []byte) bool {
	was, now := members(stored), members(again)
	// Put together again the members must be all that there was: no space, no name twice.
	size := len("{}") + max(0, len(was)-1)
	for name, value := range was {
		size += len(name) + len(":") + len(value)
		if other, known := now[name]; !known || !written(value, other) {
			return false
		}
	}
	for name, value := range now {
		if _, known := was[name]; !known && !slices.Contains([]string{"null", "0", `""`, "false", "[]", "{}"}, string(value)) {
			return false
		}
	}
	return size == len(stored)
}

// members returns the members of an object by their names as they are written, with quotes; nil for what is none.
func members(object []byte) map[string]jsontext.Value {
	d := jsontext.NewDecoder(bytes.NewReader(object))
	if _, err := d.ReadToken(); err != nil {
		return nil
	}
	all := map[string]jsontext.Value{}
	for d.PeekKind() == '"' {
		name, err := d.ReadValue()
		if err != nil {
			return nil
		}
		key := string(name)
		value, err := d.ReadValue()
		if err != nil {
			return nil
		}
		all[key] = value.Clone()
	}
	return all
}

func elementsWritten(stored, again []byte) bool {
	var was, now []json.RawMessage
	if json.Unmarshal(stored, &was) != nil || json.Unmarshal(again, &now) != nil || len(was) != len(now) {
		return false
	}
	size := len("[]") + max(0, len(was)-1)
	for i := range was {
		size += len(was[i])
		if !written(was[i], now[i]) {
			return false
		}
	}
	return size == len(stored)
}

package store

import (
	"bytes"
	"context"
	"fmt"
	"reflect"
)

// Damage is the error of a row that cannot be read, or that is not as an engine writes it.
type Damage struct {
	Table string
	Err   error
}

func (d *Damage) Error() string { return "table " + d.Table + ": " + d.Err.Error() }

func (d *Damage) Unwrap() error { return d.Err }

type exactKey struct{}

// Exactly returns a context in which what is read must be, byte for byte, as an engine writes it: JSON that was altered and still
// says the same is Damage too. It is for verification, and costs an encoding of every nested value.
func Exactly(ctx context.Context) context.Context { return context.WithValue(ctx, exactKey{}, true) }

// Exact reports whether ctx is one of Exactly.
func Exact(ctx context.Context) bool { return ctx.Value(exactKey{}) != nil }

// ExactColumn is a JSONColumn that takes only what JSON writes.
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
	if !bytes.Equal(stored, []byte(again)) {
		return fmt.Errorf("it says the same as %.200s, but was written another way", again)
	}
	return nil
}

package row

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"firemode/internal/store"
)

// Read calls fn with a row, which it reads exactly if exact is set: see store.ExactReader. Once ctx
// is over the error is that of ctx, whatever the row says.
func Read(ctx context.Context, exact bool, r Scanner, fn func(Scanner) error) error {
	if exact {
		r = exactRow{r}
	}
	err := fn(r)
	if err != nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	return err
}

// scan reads a row of table into dest. A row that cannot be read is store.Damage.
func scan(r Scanner, table string, dest ...any) error {
	if err := r.Scan(dest...); err != nil {
		return &store.Damage{Table: table, Err: err}
	}
	return nil
}

// exactRow is a row whose JSON columns must be as they were written.
type exactRow struct{ Scanner }

func (r exactRow) Scan(dest ...any) error {
	for i, d := range dest {
		if column, ok := d.(store.JSONColumn); ok {
			dest[i] = exactColumn{column}
		}
	}
	return r.Scanner.Scan(dest...)
}

// exactColumn is a JSONColumn that accepts only what store.JSON writes, or wrote when a type had
// fewer fields.
type exactColumn struct{ store.JSONColumn }

// Scan takes what a driver read.
func (c exactColumn) Scan(src any) error {
	if err := c.JSONColumn.Scan(src); err != nil {
		return err
	}
	encoded, err := store.JSON(reflect.ValueOf(c.Into).Elem().Interface())
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
	if !sameEncoding(stored, []byte(encoded)) {
		return fmt.Errorf("it has the value %.200s, but another encoding", encoded)
	}
	return nil
}

// sameEncoding reports whether stored is encoded, byte for byte but for new members that are empty.
func sameEncoding(stored, encoded []byte) bool {
	if bytes.Equal(stored, encoded) {
		return true
	}
	if len(stored) == 0 || len(encoded) == 0 || stored[0] != encoded[0] {
		return false
	}
	switch stored[0] {
	case '{':
		return sameMembers(stored, encoded)
	case '[':
		return sameElements(stored, encoded)
	}
	return false
}

func sameMembers(stored, encoded []byte) bool {
	was, now := members(stored), members(encoded)
	// The members must add up to all the bytes: no space, no name twice.
	size := len("{}") + max(0, len(was)-1)
	for name, value := range was {
		size += len(name) + len(":") + len(value)
		if other, known := now[name]; !known || !sameEncoding(value, other) {
			return false
		}
	}
	for name, value := range now {
		if _, known := was[name]; !known && !slices.Contains([]string{"null", "0", `""`, "false", "[]", "{}"},
			string(value)) {
			return false
		}
	}
	return size == len(stored)
}

// members returns the members of an object by their encoded names, with quotes; nil for what is no
// object.
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

func sameElements(stored, encoded []byte) bool {
	var was, now []json.RawMessage
	if json.Unmarshal(stored, &was) != nil || json.Unmarshal(encoded, &now) != nil || len(was) != len(now) {
		return false
	}
	size := len("[]") + max(0, len(was)-1)
	for i := range was {
		size += len(was[i])
		if !sameEncoding(was[i], now[i]) {
			return false
		}
	}
	return size == len(stored)
}

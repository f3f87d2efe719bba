package store

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"firemode"
)

// The functions of this file encode values that a column cannot hold directly, the same on every
// engine. A time is stored as microseconds since the epoch, 0 for the zero time; a nested value as
// JSON text under Go's field names.

// Micros returns t as an engine stores it: microseconds since the epoch, 0 for the zero time.
func Micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// FromMicros is the inverse of Micros, in UTC.
func FromMicros(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// JSON returns v as the text of a column.
func JSON(v any) (string, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("encode as JSON: %w", err)
	}
	return string(text), nil
}

// Fold returns s in the form in which text is compared without case.
func Fold(s string) string { return strings.ToLower(strings.ToUpper(s)) }

// Search returns the text of parts in which the Text filter of a list looks for the Fold of its
// text.
func Search(parts ...string) string { return Fold(strings.Join(parts, "\n")) }

// Key returns the key of a row in a list that is ordered by (n, id), where n is the Micros of a
// time or another number.
func Key(n int64, id string) string { return strconv.FormatInt(n, 10) + "|" + id }

// ParseKey is the inverse of Key; CodeMalformed for any other text.
func ParseKey(key string) (n int64, id string, err error) {
	number, id, found := strings.Cut(key, "|")
	n, err = strconv.ParseInt(number, 10, 64)
	if err != nil || !found || Key(n, id) != key {
		return 0, "", firemode.Malformed("the cursor is not valid for this list")
	}
	return n, id, nil
}

// ParseSeq reads the key of a row in a list that is ordered by a number; CodeMalformed for any
// other text.
func ParseSeq(key string) (int64, error) {
	n, err := strconv.ParseInt(key, 10, 64)
	if err != nil || strconv.FormatInt(n, 10) != key {
		return 0, firemode.Malformed("the cursor is not valid for this list")
	}
	return n, nil
}

// TimeColumn scans a column of microseconds into a time.
type TimeColumn struct{ Into *time.Time }

// Scan implements sql.Scanner.
func (c TimeColumn) Scan(src any) error {
	us, ok := src.(int64)
	if !ok {
		return fmt.Errorf("a time column holds %T", src)
	}
	*c.Into = FromMicros(us)
	return nil
}

// JSONColumn scans a column of JSON text into the value that Into points to.
type JSONColumn struct{ Into any }

// Scan implements sql.Scanner.
func (c JSONColumn) Scan(src any) error {
	switch text := src.(type) {
	case string:
		return json.Unmarshal([]byte(text), c.Into)
	case []byte:
		return json.Unmarshal(text, c.Into)
	}
	return fmt.Errorf("a JSON column holds %T", src)
}

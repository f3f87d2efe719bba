package crdt

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// MaxChanges is the greatest number of changes in a batch.
const MaxChanges = 5000

// Kind is an operation.
type Kind string

// The operations.
const (
	Set       Kind = "set"
	Remove    Kind = "remove"
	Append    Kind = "append"
	Increment Kind = "increment"
	Resolve   Kind = "resolve"
	Correct   Kind = "correct"
)

// Change is one change of a batch as its writer posted it.
type Change struct {
	Kind       Kind
	Path       Pointer
	Value      Value // the delta of an increment; "" for remove and a resolve to absent
	ConflictID string
	Names      []Dot // the dots that resolve or correct names
	Reason     string
	CapturedAt time.Time // zero when the change has none of its own
	Instrument Value     // as posted, "" for none
	Source     string
	Text       string // the whole change as canonical JSON: what is kept, hashed and compared
	Rejected   string // why it cannot be applied, "" when it can
}

// wireChange is a change as it is posted. Members that are not listed here are kept in Text and
// otherwise ignored.
type wireChange struct {
	Op         string         `json:"op"`
	Path       *string        `json:"path"`
	Value      jsontext.Value `json:"value"`
	Delta      jsontext.Value `json:"delta"`
	ConflictID string         `json:"conflict_id"`
	Dots       []string       `json:"dots"`
	Dot        string         `json:"dot"`
	Reason     string         `json:"reason"`
	CapturedAt string         `json:"captured_at"`
	Instrument jsontext.Value `json:"instrument"`
	Source     string         `json:"source"`
}

var wireNames = [...]string{
	"op", "path", "value", "delta", "conflict_id", "dots", "dot",
	"reason", "captured_at", "instrument", "source",
}

// Bounds of the words beside a change, in bytes.
const (
	maxReason     = 2000
	maxInstrument = 2000
	maxSource     = 64
	maxDots       = 1000
)

// ParseChanges reads the changes of a batch. One that is not valid comes back with its reason in
// Rejected, and does not hinder the others. An error is returned only when the list as a whole
// cannot be read as one document: a member of a change that differs from a known one in case alone.
func ParseChanges(raw []jsontext.Value) ([]Change, error) {
	changes := make([]Change, len(raw))
	for i, r := range raw {
		text, err := canonicalText(r)
		if err != nil {
			return nil, fmt.Errorf("changes[%d]: %w", i, err)
		}
		if err := checkNames(r); err != nil {
			return nil, fmt.Errorf("changes[%d]: %w", i, err)
		}
		changes[i] = parseChange(r)
		changes[i].Text = text
	}
	return changes, nil
}

// checkNames refuses members such as "Path": one reader would take it for "path" and another would
// not, and the hash, the fingerprint and the merge must see one document.
func checkNames(raw jsontext.Value) error {
	if raw.Kind() != '{' {
		return nil // rejected below, as a change
	}
	d := jsontext.NewDecoder(bytes.NewReader(raw))
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	for d.PeekKind() == '"' {
		t, err := d.ReadToken()
		if err != nil {
			return err
		}
		name := t.String()
		if lower := strings.ToLower(name); lower != name && slices.Contains(wireNames[:], lower) {
			return fmt.Errorf("member %q must be written %q", name, lower)
		}
		if err := d.SkipValue(); err != nil {
			return err
		}
	}
	return nil
}

func parseChange(raw jsontext.Value) Change {
	var w wireChange
	if err := json.Unmarshal(raw, &w); err != nil {
		return Change{Rejected: "the change does not have the shape of one: " + shapeProblem(err)}
	}
	c := Change{Kind: Kind(w.Op), ConflictID: w.ConflictID, Reason: w.Reason, Source: w.Source}
	if err := c.fill(w); err != nil {
		c.Rejected = err.Error()
	}
	return c
}

func shapeProblem(err error) string {
	if i := strings.Index(err.Error(), "within "); i >= 0 {
		return "check " + err.Error()[i:]
	}
	return "it is not an object with op and path"
}

func (c *Change) fill(w wireChange) error {
	if w.Path == nil {
		return fmt.Errorf("path: missing")
	}
	path, err := ParsePointer(*w.Path)
	if err != nil {
		return err
	}
	c.Path = path
	if err := c.fillProvenance(w); err != nil {
		return err
	}
	if err := c.fillValue(w); err != nil {
		return err
	}
	return c.fillNames(w)
}

func (c *Change) fillProvenance(w wireChange) (err error) {
	for _, text := range []struct {
		name      string
		size, max int
	}{
		{"reason", len(w.Reason), maxReason},
		{"source", len(w.Source), maxSource},
		{"instrument", len(w.Instrument), maxInstrument},
	} {
		if text.size > text.max {
			return fmt.Errorf("%s: longer than %d bytes", text.name, text.max)
		}
	}
	if w.CapturedAt != "" {
		if c.CapturedAt, err = time.Parse(time.RFC3339, w.CapturedAt); err != nil {
			return fmt.Errorf("captured_at: not an RFC 3339 time")
		}
	}
	if len(w.Instrument) > 0 && w.Instrument.Kind() != 'n' {
		c.Instrument, err = ParseValue(w.Instrument)
	}
	return err
}

func (c *Change) fillValue(w wireChange) (err error) {
	switch c.Kind {
	case Set, Append, Correct:
		if len(w.Value) == 0 {
			return fmt.Errorf("value: missing")
		}
		c.Value, err = ParseValue(w.Value)
	case Resolve:
		if len(w.Value) > 0 {
			c.Value, err = ParseValue(w.Value)
		}
	case Increment:
		if c.Value, err = ParseValue(w.Delta); err == nil && !c.Value.IsNumber() {
			err = fmt.Errorf("delta: not a number")
		}
	case Remove:
	default:
		return fmt.Errorf("op: unknown operation %.40q; known are set, remove, append, increment, resolve, correct",
			c.Kind)
	}
	if err != nil {
		return err
	}
	return c.checkRoom()
}

// checkRoom makes sure that every register the change will write has a valid path.
func (c *Change) checkRoom() error {
	at := c.Path
	if c.Kind == Append {
		// The child is named by the dot, whose batch number is not known yet for a client that does
		// not count.
		longest := Dot{Actor: ActorID(strings.Repeat("~", 66)), Batch: 1 << 62, Index: MaxChanges}
		at = at.Child(longest.String())
		if _, err := ParsePointer(string(at)); err != nil {
			return fmt.Errorf("the path leaves no room for the name of what is appended: %w", err)
		}
	}
	if c.Value == "" {
		return nil
	}
	_, err := flatten(at, c.Value)
	return err
}

func (c *Change) fillNames(w wireChange) error {
	dots := w.Dots
	switch c.Kind {
	case Correct:
		dots = []string{w.Dot}
	case Resolve:
		if len(dots) == 0 || w.ConflictID == "" {
			return fmt.Errorf("dots, conflict_id: a resolve names the conflict and every dot that it settles")
		}
	default:
		return nil
	}
	if strings.TrimSpace(c.Reason) == "" {
		return fmt.Errorf("reason: missing")
	}
	if len(dots) > maxDots {
		return fmt.Errorf("dots: more than %d", maxDots)
	}
	for _, s := range dots {
		d, err := ParseDot(s)
		if err != nil {
			return fmt.Errorf("dot %.80q: %w", s, err)
		}
		if !slices.Contains(c.Names, d) {
			c.Names = append(c.Names, d)
		}
	}
	return nil
}

// Content is the fingerprint of the decoded changes in order. Two spellings of one document have
// the same: white space, member order, escapes and the way a number is written do not matter.
func Content(changes []Change) [sha256.Size]byte {
	h := sha256.New()
	for _, c := range changes {
		text := normal(c.Text)
		fmt.Fprintf(h, "%d:", len(text))
		h.Write([]byte(text))
	}
	return [sha256.Size]byte(h.Sum(nil))
}

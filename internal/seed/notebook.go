package seed

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"firemode"
	"firemode/internal/rules"
)

// remark is what is said of an item that did not simply pass.
type remark struct {
	item    firemode.ItemID
	outcome string
	says    []statement // with paths below the item; a measurement is in place of the usual one
}

// statement is one value at a path of the contract.
type statement struct {
	path  string
	value any
}

// The outcomes that the demo has.
const (
	pass      = "pass"
	fail      = "fail"
	notTested = "not_tested"
)

// perItem is the time that a technician takes for an item, walking included.
const perItem = 2 * time.Minute

// notebook collects what a technician records, as the changes that a tablet would send.
type notebook struct {
	book    *rules.Set
	at      time.Time
	changes []jsontext.Value
}

// change is a change of the contract's results.
type change struct {
	Op         string      `json:"op"`
	Path       string      `json:"path"`
	Value      any         `json:"value"`
	CapturedAt time.Time   `json:"captured_at"`
	Instrument *instrument `json:"instrument,omitempty"`
	Source     string      `json:"source"`
}

type instrument struct {
	ID              string `json:"id"`
	CalibratedUntil string `json:"calibrated_until"`
}

// round records every item of a share of the walk.
func (n *notebook) round(r round, share []firemode.Item) error {
	for _, item := range share {
		said := remark{outcome: pass}
		if i := slices.IndexFunc(r.remarks, func(m remark) bool { return m.item == item.ID }); i >= 0 {
			said = r.remarks[i]
		}
		if err := n.item(item, said); err != nil {
			return err
		}
	}
	for _, s := range r.also {
		if err := n.write(s); err != nil {
			return err
		}
	}
	return nil
}

func (n *notebook) item(item firemode.Item, said remark) error {
	statements := []statement{{"outcome", said.outcome}}
	if said.outcome != notTested {
		statements = append(statements, n.readings(item)...)
	}
	for _, s := range said.says {
		statements = slices.DeleteFunc(statements, func(usual statement) bool { return usual.path == s.path })
		statements = append(statements, s)
	}
	for _, s := range statements {
		if err := n.write(statement{string(item.ID) + "/" + s.path, s.value}); err != nil {
			return err
		}
	}
	n.at = n.at.Add(perItem)
	return nil
}

// write adds a change that sets a path below /items/.
func (n *notebook) write(s statement) error {
	c := change{Op: "set", Path: "/items/" + s.path, Value: s.value, CapturedAt: n.at, Source: "typed"}
	if _, measured := s.value.(reading); measured {
		c.Instrument = &instrument{ID: "TM-07", CalibratedUntil: n.at.AddDate(0, 9, 0).Format(time.DateOnly)}
	}
	text, err := json.Marshal(c)
	n.changes = append(n.changes, text)
	return err
}

// reading is a measured number.
type reading float64

// span is where a reading may lie.
type span struct{ low, high float64 }

// readings returns a reading for every limit of the item's checks, well inside it, and for every baseline, near it.
func (n *notebook) readings(item firemode.Item) []statement {
	spans := map[string]span{}
	for _, b := range item.Baselines {
		was := bound(b.Value, 0)
		spans[b.Measurement] = span{was * 0.95, was}
	}
	for _, c := range item.Checks {
		rule, _ := n.book.At(c.Rule, c.Version) // the session took it from the same book
		for _, l := range rule.Schema.Limits {
			s, ok := spans[l.Measurement]
			if !ok {
				s = span{math.Inf(-1), math.Inf(1)}
			}
			spans[l.Measurement] = span{max(s.low, bound(l.Min, math.Inf(-1))), min(s.high, bound(l.Max, math.Inf(1)))}
		}
	}
	statements := make([]statement, 0, len(spans))
	for _, name := range slices.Sorted(maps.Keys(spans)) {
		statements = append(statements, statement{"measurements/" + name, spans[name].reading(item.Position)})
	}
	return statements
}

// bound reads a decimal that a service has checked; absent stands for "".
func bound(decimal string, absent float64) float64 {
	if decimal == "" {
		return absent
	}
	v, _ := strconv.ParseFloat(decimal, 64)
	return v
}

// reading returns a number inside s with three significant digits at least. It differs from item to item as readings do, and
// keeps clear of the ends.
func (s span) reading(position int) reading {
	if math.IsInf(s.low, -1) {
		s.low = s.high * 0.6
	}
	if math.IsInf(s.high, 1) {
		s.high = s.low * 1.5
	}
	share := 0.2 + 0.06*float64(position*7%11)
	v := s.low + (s.high-s.low)*share
	unit := math.Pow(10, min(0, math.Floor(math.Log10(v))-2))
	return reading(math.Round(v/unit) * unit)
}

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

// finding is what a technician records about an item that did not simply pass.
type finding struct {
	item    firemode.ItemID
	outcome string
	values  []value // paths are relative to the item; a measurement replaces the default one
}

// value is one value at a path of the document.
type value struct {
	path  string
	value any
}

// The outcomes that the demo uses.
const (
	pass      = "pass"
	fail      = "fail"
	notTested = "not_tested"
)

// timePerItem is the time that a technician needs for an item, walking included.
const timePerItem = 2 * time.Minute

// recorder collects what a technician records, as the changes that a tablet would send.
type recorder struct {
	rules   *rules.Set
	at      time.Time
	changes []jsontext.Value
}

// change is a change in the form of the API.
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

// round records the items of one round.
func (r *recorder) round(of round, items []firemode.Item) error {
	for _, item := range items {
		found := finding{outcome: pass}
		if i := slices.IndexFunc(of.findings, func(f finding) bool { return f.item == item.ID }); i >= 0 {
			found = of.findings[i]
		}
		if err := r.item(item, found); err != nil {
			return err
		}
	}
	for _, v := range of.extra {
		if err := r.write(v); err != nil {
			return err
		}
	}
	return nil
}

func (r *recorder) item(item firemode.Item, found finding) error {
	values := []value{{"outcome", found.outcome}}
	if found.outcome != notTested {
		values = append(values, r.readings(item)...)
	}
	for _, v := range found.values {
		values = slices.DeleteFunc(values, func(other value) bool { return other.path == v.path })
		values = append(values, v)
	}
	for _, v := range values {
		if err := r.write(value{string(item.ID) + "/" + v.path, v.value}); err != nil {
			return err
		}
	}
	r.at = r.at.Add(timePerItem)
	return nil
}

// write adds a change that sets a path below /items/.
func (r *recorder) write(v value) error {
	c := change{Op: "set", Path: "/items/" + v.path, Value: v.value, CapturedAt: r.at, Source: "typed"}
	if _, measured := v.value.(reading); measured {
		c.Instrument = &instrument{ID: "TM-07", CalibratedUntil: r.at.AddDate(0, 9, 0).Format(time.DateOnly)}
	}
	text, err := json.Marshal(c)
	r.changes = append(r.changes, text)
	return err
}

// reading is a measured number.
type reading float64

// span is the range of a reading.
type span struct{ low, high float64 }

// readings returns a reading well inside every limit of the item's checks, and one near every
// baseline.
func (r *recorder) readings(item firemode.Item) []value {
	spans := map[string]span{}
	for _, b := range item.Baselines {
		was := bound(b.Value, 0)
		spans[b.Measurement] = span{was * 0.95, was}
	}
	for _, c := range item.Checks {
		rule, _ := r.rules.At(c.Rule, c.Version) // the session uses the same rule set
		for _, l := range rule.Schema.Limits {
			s, ok := spans[l.Measurement]
			if !ok {
				s = span{math.Inf(-1), math.Inf(1)}
			}
			spans[l.Measurement] = span{max(s.low, bound(l.Min, math.Inf(-1))), min(s.high, bound(l.Max, math.Inf(1)))}
		}
	}
	values := make([]value, 0, len(spans))
	for _, name := range slices.Sorted(maps.Keys(spans)) {
		values = append(values, value{"measurements/" + name, spans[name].reading(item.Position)})
	}
	return values
}

// bound parses a decimal that a service has validated, and returns absent for "".
func bound(decimal string, absent float64) float64 {
	if decimal == "" {
		return absent
	}
	v, _ := strconv.ParseFloat(decimal, 64)
	return v
}

// reading returns a number inside s, away from its ends, with at least three significant digits. It
// varies with the position of the item, as real readings do.
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

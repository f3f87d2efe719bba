package sessions

import (
	"encoding/json"
	"slices"
	"strings"

	"firemode"
	"firemode/internal/crdt"
)

// The words of an outcome.
const (
	outcomePass          = "pass"
	outcomeFail          = "fail"
	outcomeNotTested     = "not_tested"
	outcomeNotApplicable = "not_applicable"
)

var outcomes = []string{outcomePass, outcomeFail, outcomeNotTested, outcomeNotApplicable}

// itemsRoot is the path below which results of items live, /items/{item_id}/….
const itemsRoot = crdt.Pointer("/items")

func itemPath(id firemode.ItemID) crdt.Pointer { return itemsRoot.Child(string(id)) }

// Flags of an operation.
const (
	flagUnlisted       = "unlisted"        // the session does not list the item or check, or the path is not one of the contract's
	flagUnexpectedType = "unexpected_type" // the value is not of the type that the path wants
	flagClockCorrected = "clock_corrected"
	flagClockSuspect   = "clock_suspect"
	flagOnBehalf       = "submitted_on_behalf"
	flagClamped        = "clock_clamped" // an answer's: the posted clock claimed what had not been delivered
	flagTrimmed        = "clock_trimmed" // an answer's: the posted clock had too many entries
)

// place is what a path means.
type place struct {
	item  firemode.ItemID // "" outside /items
	field string          // the first segment below the item, "" for the item itself
	rest  []string        // the segments below that, unescaped
}

// placeOf takes a path apart.
func placeOf(p crdt.Pointer) place {
	segments := p.Segments()
	for i, segment := range segments {
		segments[i] = crdt.Unescape(segment)
	}
	if segments[0] != "items" || len(segments) < 2 {
		return place{}
	}
	at := place{item: firemode.ItemID(segments[1])}
	if len(segments) > 2 {
		at.field, at.rest = segments[2], segments[3:]
	}
	return at
}

// fields says, for each field of an item, how many segments stand below it and what its value must be.
var fields = map[string]struct {
	depth int
	fits  func(place, crdt.Value) bool
}{
	"outcome":      {0, func(_ place, v crdt.Value) bool { return isOutcome(v) }},
	"checks":       {1, func(_ place, v crdt.Value) bool { return isOutcome(v) }},
	"conditions":   {2, func(_ place, v crdt.Value) bool { return v == "true" || v == "false" || v.IsNumber() }},
	"scope":        {2, func(_ place, v crdt.Value) bool { return v == "true" || v == "false" || v.IsNumber() }},
	"override":     {2, fitsOverride},
	"measurements": {1, func(_ place, v crdt.Value) bool { return v.IsNumber() }},
	"reason":       {0, func(_ place, v crdt.Value) bool { return isText(v) }},
	"note":         {0, func(_ place, v crdt.Value) bool { return isText(v) }},
	"evidence":     {1, func(_ place, v crdt.Value) bool { return v == "true" }},
}

func isText(v crdt.Value) bool { return strings.HasPrefix(string(v), `"`) }

// text returns the string that v is, "" when it is not one.
func text(v crdt.Value) (s string) {
	if !isText(v) || json.Unmarshal([]byte(v), &s) != nil {
		return ""
	}
	return s
}

func isOutcome(v crdt.Value) bool { return slices.Contains(outcomes, text(v)) }

func fitsOverride(at place, v crdt.Value) bool {
	if at.rest[1] == "classification" {
		return firemode.Class(text(v)).Valid()
	}
	return isText(v)
}

// flagsOf returns what is remarkable about writing v at p in a session that lists item, nil for one that it does not.
func flagsOf(op crdt.Op, item *firemode.Item) []string {
	at := placeOf(op.Path)
	rest := at.rest
	if op.Kind == crdt.Append && len(rest) > 0 {
		rest = rest[:len(rest)-1] // the child that the server named
	}
	field, known := fields[at.field]
	if item == nil || !known || len(rest) != field.depth || !listedRule(at, item) {
		return []string{flagUnlisted}
	}
	if op.Value != "" && op.Kind != crdt.Append && !field.fits(at, op.Value) {
		return []string{flagUnexpectedType}
	}
	return nil
}

// listedRule reports whether the rule that the place names, if it names one, is among the item's checks.
func listedRule(at place, item *firemode.Item) bool {
	switch at.field {
	case "checks", "conditions", "scope", "override":
	default:
		return true
	}
	return slices.ContainsFunc(item.Checks, func(c firemode.Check) bool { return string(c.Rule) == at.rest[0] }) &&
		(at.field != "override" || at.rest[1] == "classification" || at.rest[1] == "reason")
}

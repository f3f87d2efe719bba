package sessions

import (
	"encoding/json"
	"slices"
	"strings"

	"firemode"
	"firemode/internal/record/crdt"
)

// The words of an outcome.
const (
	outcomePass          = "pass"
	outcomeFail          = "fail"
	outcomeNotTested     = "not_tested"
	outcomeNotApplicable = "not_applicable"
)

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

// field says how many segments stand below a field of an item, and what its value must be.
type field struct {
	depth int
	fits  func(place, crdt.Value) bool
}

// fieldOf returns the field of that name; ok is false for one that the contract does not know.
func fieldOf(name string) (f field, ok bool) {
	switch name {
	case "outcome":
		return field{0, func(_ place, v crdt.Value) bool { return isOutcome(v) }}, true
	case "checks":
		return field{1, func(_ place, v crdt.Value) bool { return isOutcome(v) }}, true
	case "conditions", "scope":
		return field{2, func(_ place, v crdt.Value) bool { return v == "true" || v == "false" || v.IsNumber() }}, true
	case "override":
		return field{2, fitsOverride}, true
	case "measurements":
		return field{1, func(_ place, v crdt.Value) bool { return v.IsNumber() }}, true
	case "reason", "note":
		return field{0, func(_ place, v crdt.Value) bool { return isText(v) }}, true
	case "evidence":
		return field{1, func(_ place, v crdt.Value) bool { return v == "true" }}, true
	}
	return field{}, false
}

func isText(v crdt.Value) bool { return strings.HasPrefix(string(v), `"`) }

// text returns the string that v is, "" when it is not one.
func text(v crdt.Value) (s string) {
	if !isText(v) || json.Unmarshal([]byte(v), &s) != nil {
		return ""
	}
	return s
}

func isOutcome(v crdt.Value) bool {
	switch text(v) {
	case outcomePass, outcomeFail, outcomeNotTested, outcomeNotApplicable:
		return true
	}
	return false
}

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
	field, known := fieldOf(at.field)
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

package assess

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
const ItemsRoot = crdt.Pointer("/items")

func ItemPath(id firemode.ItemID) crdt.Pointer { return ItemsRoot.Child(string(id)) }

const flagUnlisted = "unlisted" // the session does not list the item or check, or the path is not one of the contract's

const flagUnexpectedType = "unexpected_type" // the value is not of the type that the path wants

// Place is what a path means.
type Place struct {
	Item  firemode.ItemID // "" outside /items
	Field string          // the first segment below the item, "" for the item itself
	Rest  []string        // the segments below that, unescaped
}

// PlaceOf takes a path apart.
func PlaceOf(p crdt.Pointer) Place {
	segments := p.Segments()
	for i, segment := range segments {
		segments[i] = crdt.Unescape(segment)
	}
	if segments[0] != "items" || len(segments) < 2 {
		return Place{}
	}
	at := Place{Item: firemode.ItemID(segments[1])}
	if len(segments) > 2 {
		at.Field, at.Rest = segments[2], segments[3:]
	}
	return at
}

// field says how many segments stand below a field of an item, and what its value must be.
type field struct {
	depth int
	fits  func(Place, crdt.Value) bool
}

// fieldOf returns the field of that name; ok is false for one that the contract does not know.
func fieldOf(name string) (f field, ok bool) {
	switch name {
	case "outcome":
		return field{0, func(_ Place, v crdt.Value) bool { return isOutcome(v) }}, true
	case "checks":
		return field{1, func(_ Place, v crdt.Value) bool { return isOutcome(v) }}, true
	case "conditions", "scope":
		return field{2, func(_ Place, v crdt.Value) bool { return v == "true" || v == "false" || v.IsNumber() }}, true
	case "override":
		return field{2, fitsOverride}, true
	case "measurements":
		return field{1, func(_ Place, v crdt.Value) bool { return v.IsNumber() }}, true
	case "reason", "note":
		return field{0, func(_ Place, v crdt.Value) bool { return isText(v) }}, true
	case "evidence":
		return field{1, func(_ Place, v crdt.Value) bool { return v == "true" }}, true
	}
	return field{}, false
}

func isText(v crdt.Value) bool { return strings.HasPrefix(string(v), `"`) }

// Text returns the string that v is, "" when it is not one.
func Text(v crdt.Value) (s string) {
	if !isText(v) || json.Unmarshal([]byte(v), &s) != nil {
		return ""
	}
	return s
}

func isOutcome(v crdt.Value) bool {
	switch Text(v) {
	case outcomePass, outcomeFail, outcomeNotTested, outcomeNotApplicable:
		return true
	}
	return false
}

func fitsOverride(at Place, v crdt.Value) bool {
	if at.Rest[1] == "classification" {
		return firemode.Class(Text(v)).Valid()
	}
	return isText(v)
}

// FlagsOf returns what is remarkable about writing v at p in a session that lists item, nil for one that it does not.
func FlagsOf(op crdt.Op, item *firemode.Item) []string {
	at := PlaceOf(op.Path)
	rest := at.Rest
	if op.Kind == crdt.Append && len(rest) > 0 {
		rest = rest[:len(rest)-1] // the child that the server named
	}
	field, known := fieldOf(at.Field)
	if item == nil || !known || len(rest) != field.depth || !listedRule(at, item) {
		return []string{flagUnlisted}
	}
	if op.Value != "" && op.Kind != crdt.Append && !field.fits(at, op.Value) {
		return []string{flagUnexpectedType}
	}
	return nil
}

// listedRule reports whether the rule that the place names, if it names one, is among the item's checks.
func listedRule(at Place, item *firemode.Item) bool {
	switch at.Field {
	case "checks", "conditions", "scope", "override":
	default:
		return true
	}
	return slices.ContainsFunc(item.Checks, func(c firemode.Check) bool { return string(c.Rule) == at.Rest[0] }) &&
		(at.Field != "override" || at.Rest[1] == "classification" || at.Rest[1] == "reason")
}

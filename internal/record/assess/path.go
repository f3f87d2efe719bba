package assess

import (
	"encoding/json"
	"slices"
	"strings"

	"firemode"
	"firemode/internal/record/crdt"
)

// Outcomes of an item or a check.
const (
	outcomePass          = "pass"
	outcomeFail          = "fail"
	outcomeNotTested     = "not_tested"
	outcomeNotApplicable = "not_applicable"
)

// Flags of an operation.
const (
	flagUnlisted       = "unlisted"        // the item, check or field is not part of the session
	flagUnexpectedType = "unexpected_type" // the field takes values of another type
)

// itemsPath is the path of all items: the results of one are at /items/{item_id} and below.
const itemsPath = crdt.Pointer("/items")

// ItemPath returns the path of an item.
func ItemPath(id firemode.ItemID) crdt.Pointer { return itemsPath.Child(string(id)) }

// Path is a parsed path. Outside /items it is the zero Path.
type Path struct {
	Item  firemode.ItemID
	Field string   // the first segment below the item, "" for the item itself
	Rest  []string // the segments below that, unescaped
}

// ParsePath returns the parts of a path.
func ParsePath(p crdt.Pointer) Path {
	segments := p.Segments()
	for i, segment := range segments {
		segments[i] = crdt.Unescape(segment)
	}
	if segments[0] != "items" || len(segments) < 2 {
		return Path{}
	}
	at := Path{Item: firemode.ItemID(segments[1])}
	if len(segments) > 2 {
		at.Field, at.Rest = segments[2], segments[3:]
	}
	return at
}

// field is what the paths of one field of an item look like.
type field struct {
	depth int // segments below the field
	fits  func(Path, crdt.Value) bool
}

// fieldOf returns the field of that name; known is false for an unknown one.
func fieldOf(name string) (f field, known bool) {
	switch name {
	case "outcome":
		return field{0, func(_ Path, v crdt.Value) bool { return isOutcome(v) }}, true
	case "checks":
		return field{1, func(_ Path, v crdt.Value) bool { return isOutcome(v) }}, true
	case "conditions", "scope":
		return field{2, func(_ Path, v crdt.Value) bool { return v == "true" || v == "false" || v.IsNumber() }}, true
	case "override":
		return field{2, fitsOverride}, true
	case "measurements":
		return field{1, func(_ Path, v crdt.Value) bool { return v.IsNumber() }}, true
	case "reason", "note":
		return field{0, func(_ Path, v crdt.Value) bool { return isString(v) }}, true
	case "evidence":
		return field{1, func(_ Path, v crdt.Value) bool { return v == "true" }}, true
	}
	return field{}, false
}

func isString(v crdt.Value) bool { return strings.HasPrefix(string(v), `"`) }

// stringOf returns the JSON string that v is, "" for any other value.
func stringOf(v crdt.Value) (s string) {
	if !isString(v) || json.Unmarshal([]byte(v), &s) != nil {
		return ""
	}
	return s
}

func isOutcome(v crdt.Value) bool {
	switch stringOf(v) {
	case outcomePass, outcomeFail, outcomeNotTested, outcomeNotApplicable:
		return true
	}
	return false
}

func fitsOverride(at Path, v crdt.Value) bool {
	if at.Rest[1] == "classification" {
		return firemode.Class(stringOf(v)).Valid()
	}
	return isString(v)
}

// flags returns flagUnlisted for a path that is no field of item, else flagUnexpectedType for a
// value that does not fit the field.
func flags(op crdt.Op, item *firemode.Item) []string {
	at := ParsePath(op.Path)
	rest := at.Rest
	if op.Kind == crdt.Append && len(rest) > 0 {
		rest = rest[:len(rest)-1] // the child that the server named
	}
	field, known := fieldOf(at.Field)
	if item == nil || !known || len(rest) != field.depth || !namesListedRule(at, item) {
		return []string{flagUnlisted}
	}
	if op.Value != "" && op.Kind != crdt.Append && !field.fits(at, op.Value) {
		return []string{flagUnexpectedType}
	}
	return nil
}

// namesListedRule reports whether the rule in a path, if the field has one, is among the item's
// checks, and what follows it is known.
func namesListedRule(at Path, item *firemode.Item) bool {
	switch at.Field {
	case "checks", "conditions", "scope", "override":
	default:
		return true
	}
	return slices.ContainsFunc(item.Checks, func(c firemode.Check) bool { return string(c.Rule) == at.Rest[0] }) &&
		(at.Field != "override" || at.Rest[1] == "classification" || at.Rest[1] == "reason")
}

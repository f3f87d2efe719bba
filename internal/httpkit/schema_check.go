package httpkit

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"firemode"
)

// schemaChecker checks JSON bodies against the schema of their route, which huma derives from the Go
// type of the input.
type schemaChecker struct {
	registry huma.Registry
}

// check decodes body without its Go type, so that one error names everything that is wrong. Unknown
// names are accepted, because newer clients may talk to older servers. A name that differs from a
// known one in case alone is refused, because it would be ignored silently. Invalid JSON is
// CodeMalformed, anything else CodeInvalid.
func (c schemaChecker) check(schema *huma.Schema, body []byte) error {
	var v any
	if err := DecodeJSON(body, &v); err != nil {
		return err
	}
	found := c.invalidText(schema, "", v)
	var res huma.ValidateResult
	huma.Validate(c.registry, schema, huma.NewPathBuffer(nil, 0), huma.ModeWriteToServer, v, &res)
	for _, err := range res.Errors {
		found = append(found, detailOf(err))
	}
	return invalid(found)
}

// invalidText finds names in the wrong case, and text with NUL, which PostgreSQL cannot store.
func (c schemaChecker) invalidText(s *huma.Schema, path string, v any) []firemode.Detail {
	for s != nil && s.Ref != "" {
		s = c.registry.SchemaFromRef(s.Ref)
	}
	switch v := v.(type) {
	case string:
		if strings.Contains(v, "\x00") {
			return []firemode.Detail{{Field: orBody(path), Reason: "must not contain the character U+0000"}}
		}
	case []any:
		var found []firemode.Detail
		for i, item := range v {
			found = append(found, c.invalidText(itemsOf(s), path+"["+strconv.Itoa(i)+"]", item)...)
		}
		return found
	case map[string]any:
		return c.invalidNames(s, path, v)
	}
	return nil
}

func (c schemaChecker) invalidNames(s *huma.Schema, path string, object map[string]any) []firemode.Detail {
	var found []firemode.Detail
	for _, key := range slices.Sorted(maps.Keys(object)) {
		field := JoinField(path, key)
		if strings.Contains(key, "\x00") {
			found = append(found, firemode.Detail{Field: orBody(path), Reason: "a key must not contain the character U+0000"})
			continue
		}
		known := propertyOf(s, key)
		if name := miscased(s, key); known == nil && name != "" {
			found = append(found, firemode.Detail{Field: field, Reason: "is written " + name})
		}
		found = append(found, c.invalidText(known, field, object[key])...)
	}
	return found
}

func propertyOf(s *huma.Schema, key string) *huma.Schema {
	if s == nil {
		return nil
	}
	if p, ok := s.Properties[key]; ok {
		return p
	}
	more, _ := s.AdditionalProperties.(*huma.Schema)
	return more
}

func itemsOf(s *huma.Schema) *huma.Schema {
	if s == nil {
		return nil
	}
	return s.Items
}

func miscased(s *huma.Schema, key string) string {
	if s == nil {
		return ""
	}
	for name := range s.Properties {
		if name != key && strings.EqualFold(name, key) {
			return name
		}
	}
	return ""
}

// invalid returns the error about what was found, nil if nothing was.
func invalid(found []firemode.Detail) error {
	if len(found) == 0 {
		return nil
	}
	return firemode.Invalid(found[0].Field+": "+found[0].Reason, found...)
}

// detailOf turns an error of huma into a detail. Locations of huma begin with the source of the
// value, such as "query.limit" or "body.baselines[0].unit", and name the parent of a missing
// property.
func detailOf(err error) firemode.Detail {
	found := (*huma.ErrorDetail)(nil)
	if !errors.As(err, &found) {
		return firemode.Detail{Field: "body", Reason: err.Error()}
	}
	field, reason := found.Location, found.Message
	for _, from := range []string{"body", "path", "query", "header"} {
		if rest, ok := strings.CutPrefix(field, from); ok && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			field = strings.TrimPrefix(rest, ".")
			break
		}
	}
	if name, ok := strings.CutPrefix(reason, "expected required property "); ok {
		field, reason = JoinField(field, strings.TrimSuffix(name, " to be present")), "is required"
	}
	return firemode.Detail{Field: orBody(field), Reason: reason}
}

// JoinField returns the name of a field inside path, as details write it.
func JoinField(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func orBody(path string) string {
	if path == "" {
		return "body"
	}
	return path
}

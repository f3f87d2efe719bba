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

// checker holds JSON bodies to the schema of their route, which huma derives from the Go type.
type checker struct {
	registry huma.Registry
}

// check reads body once, without its Go type, so that everything wrong is named at once. Unknown keys are let through, since
// newer clients may talk to older servers; a key that is a known one in other letters is refused: it would be
// silently ignored. CodeMalformed for what is no JSON, else CodeInvalid.
func (c checker) check(schema *huma.Schema, body []byte) error {
	var v any
	if err := DecodeJSON(body, &v); err != nil {
		return err
	}
	found := c.strays(schema, "", v)
	var res huma.ValidateResult
	huma.Validate(c.registry, schema, huma.NewPathBuffer(nil, 0), huma.ModeWriteToServer, v, &res)
	for _, err := range res.Errors {
		found = append(found, detailOf(err))
	}
	return invalid(found)
}

// strays finds keys in the wrong case, and text with NUL, which no database keeps.
func (c checker) strays(s *huma.Schema, path string, v any) []firemode.Detail {
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
			found = append(found, c.strays(itemsOf(s), path+"["+strconv.Itoa(i)+"]", item)...)
		}
		return found
	case map[string]any:
		return c.strayKeys(s, path, v)
	}
	return nil
}

func (c checker) strayKeys(s *huma.Schema, path string, object map[string]any) []firemode.Detail {
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
		found = append(found, c.strays(known, field, object[key])...)
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

// invalid is the error for what was found, nil when nothing was.
func invalid(found []firemode.Detail) error {
	if len(found) == 0 {
		return nil
	}
	return firemode.Invalid(found[0].Field+": "+found[0].Reason, found...)
}

// detailOf puts a finding of huma into our words. Its locations begin with where the value came from, e.g. "query.limit" or
// "body.baselines[0].unit", and a missing property is reported at its parent.
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

// JoinField is the name of a field inside path, as details write it.
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

package assets

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Limits of a building's metadata.
const (
	maxMetadataBytes = 16 << 10 // as JSON
	maxMetadataDepth = 8
)

// checkMetadata returns m as any store returns it, or why m is not valid. Numbers become float64,
// as encoding/json decodes them.
func checkMetadata(m map[string]any) (kept map[string]any, why string) {
	if len(m) == 0 {
		return map[string]any{}, ""
	}
	// Before encoding: a map that contains itself would never end.
	if why := metadataFault(m, 1); why != "" {
		return nil, why
	}
	encoded, err := json.Marshal(m)
	if err != nil {
		return nil, "holds something that JSON cannot express"
	}
	if len(encoded) > maxMetadataBytes {
		return nil, fmt.Sprintf("is %d bytes long as JSON; the limit is %d", len(encoded), maxMetadataBytes)
	}
	if err := json.Unmarshal(encoded, &kept); err != nil {
		return nil, "is not a JSON object"
	}
	return kept, ""
}

func metadataFault(v any, depth int) string {
	if depth > maxMetadataDepth {
		return fmt.Sprintf("is more than %d levels deep", maxMetadataDepth)
	}
	switch v := v.(type) {
	case string:
		return nulFault(v)
	case []any:
		for _, item := range v {
			if why := metadataFault(item, depth+1); why != "" {
				return why
			}
		}
	case map[string]any:
		for key, item := range v {
			if why := nulFault(key); why != "" {
				return why
			}
			if why := metadataFault(item, depth+1); why != "" {
				return why
			}
		}
	}
	return ""
}

// nulFault refuses NUL, which PostgreSQL cannot store in text.
func nulFault(s string) string {
	if strings.ContainsRune(s, 0) {
		return "holds the character U+0000"
	}
	return ""
}

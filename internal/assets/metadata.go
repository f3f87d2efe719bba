package assets

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Bounds of a building's metadata.
const (
	maxMetadataBytes = 16 << 10 // as JSON
	maxMetadataDepth = 8
)

// checkMetadata returns m as it will be read back from any store, or why it cannot be kept. Numbers become float64, as they
// are in every map[string]any that came from JSON.
func checkMetadata(m map[string]any) (kept map[string]any, why string) {
	if len(m) == 0 {
		return map[string]any{}, ""
	}
	// First, so that a value with itself inside cannot keep the encoder busy.
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

// nulFault: PostgreSQL keeps no NUL in text.
func nulFault(s string) string {
	if strings.ContainsRune(s, 0) {
		return "holds the character U+0000"
	}
	return ""
}

package rules

import (
	"crypto/sha256"
	stdjson "encoding/json"
	"errors"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"firemode"
)

// decode reads strict JSON: duplicate and unknown members are refused, and names are compared with
// their case.
func decode(data []byte, into any) error {
	// First as a whole, so that broken JSON is not taken for a field of the wrong type.
	if !jsontext.Value(data).IsValid() {
		return firemode.Malformed("the JSON cannot be read, or holds a name twice")
	}
	err := json.Unmarshal(data, into, json.RejectUnknownMembers(true))
	var semantic *json.SemanticError
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &semantic):
		malformed := firemode.Malformed("the JSON cannot be read")
		malformed.Err = err
		return malformed
	}
	reason := "has the wrong type"
	if errors.Is(err, json.ErrUnknownName) {
		reason = "is not known"
	}
	return firemode.InvalidField(fieldOf(semantic.JSONPointer), "%s", reason)
}

// fieldOf writes a JSON pointer the way fields are named: /rules/0/rule_code as rules[0].rule_code.
func fieldOf(p jsontext.Pointer) string {
	var b strings.Builder
	for token := range p.Tokens() {
		switch {
		case strings.Trim(token, "0123456789") == "":
			b.WriteString("[" + token + "]")
		case b.Len() > 0:
			b.WriteString("." + firemode.Clip(token))
		default:
			b.WriteString(firemode.Clip(token))
		}
	}
	if b.Len() == 0 {
		return "body"
	}
	return b.String()
}

// Fingerprint is a hash over all that a user says about a rule: two versions with the same
// fingerprint are the same rule.
func Fingerprint(r firemode.Rule) []byte {
	// encoding/json writes maps in order of key, and a Document holds nothing that it cannot write.
	text, err := stdjson.Marshal(NewDocument(r))
	if err != nil {
		text = []byte(err.Error())
	}
	sum := sha256.Sum256(text)
	return sum[:]
}

package httpkit

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"firemode"
)

// MediaJSON is the media type of JSON.
const MediaJSON = "application/json"

// jsonFormat is our JSON for huma: duplicate names are refused, names are matched exactly, and nil
// lists are written as [].
func jsonFormat() huma.Format {
	return huma.Format{Marshal: EncodeJSON, Unmarshal: DecodeJSON}
}

// EncodeJSON writes v. Text that is not UTF-8 can only come from a path or a query that an error
// echoes; its invalid bytes are replaced, so that the error is still answered.
func EncodeJSON(w io.Writer, v any) error {
	return json.MarshalWrite(w, v, json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
}

// DecodeJSON reads one JSON value into v. Invalid JSON and duplicate names are CodeMalformed; a value
// of the wrong kind is CodeInvalid.
func DecodeJSON(body []byte, v any) error { return DecodeJSONFrom(1, body, v) }

// DecodeJSONFrom is DecodeJSON for a value that begins on a later line of the body.
func DecodeJSONFrom(line int, body []byte, v any) error {
	err := json.Unmarshal(body, v)
	if err == nil {
		return nil
	}
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) {
		return malformedJSON(line, body, syntax)
	}
	var semantic *json.SemanticError
	if errors.As(err, &semantic) {
		field := fieldName(semantic.JSONPointer)
		reason := "a value of this kind is not accepted here"
		if known := (*firemode.Error)(nil); errors.As(semantic.Err, &known) {
			reason = known.Message
		}
		return firemode.Invalid(field+": "+reason, firemode.Detail{Field: field, Reason: reason})
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return firemode.Malformed("the body is not JSON: unexpected end")
	}
	return fmt.Errorf("decode JSON: %w", err)
}

func malformedJSON(line int, body []byte, e *jsontext.SyntacticError) error {
	line += strings.Count(string(body[:min(int(e.ByteOffset), len(body))]), "\n")
	reason := strings.TrimPrefix(e.Err.Error(), "jsontext: ")
	if errors.Is(e.Err, jsontext.ErrDuplicateName) {
		reason = "the same key is there twice"
	}
	err := firemode.Malformed("the body is not valid JSON: line %d: %s", line, reason)
	err.Details = []firemode.Detail{{Field: fieldName(e.JSONPointer), Reason: reason}}
	return err
}

// fieldName returns a JSON Pointer as details name fields: "changes[3].path"; the whole body is
// "body".
func fieldName(p jsontext.Pointer) string {
	var b strings.Builder
	for token := range p.Tokens() {
		switch {
		case token != "" && strings.Trim(token, "0123456789") == "":
			fmt.Fprintf(&b, "[%s]", token)
		case b.Len() > 0:
			b.WriteString("." + token)
		default:
			b.WriteString(token)
		}
	}
	if b.Len() == 0 {
		return "body"
	}
	return b.String()
}

// WriteJSON answers v as JSON with status.
func WriteJSON(w http.ResponseWriter, r *http.Request, status int, v any) {
	w.Header().Set("Content-Type", MediaJSON)
	w.WriteHeader(status)
	if err := EncodeJSON(w, v); err != nil {
		StateOf(r.Context()).failure = fmt.Errorf("write the response: %w", err)
	}
}

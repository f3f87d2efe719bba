package httpkit

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/url"

	"firemode"
)

// Cursors signs positions that a client sends back later, so that they cannot be forged or used for
// another list.
type Cursors struct {
	key []byte
}

// NewCursors returns the Cursors of an HMAC key, which must be the same on every node.
func NewCursors(key []byte) Cursors { return Cursors{key} }

const macLength = 16

// Seal returns content, signed for an organisation and a purpose.
func (c Cursors) Seal(org firemode.OrgID, purpose, content string) string {
	return base64.RawURLEncoding.EncodeToString(append(c.mac(org, purpose, content), content...))
}

// Open returns the content that Seal signed for the same organisation and purpose. Anything else is
// CodeMalformed.
func (c Cursors) Open(org firemode.OrgID, purpose, cursor string) (content string, err error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(raw) < macLength {
		return "", BadCursor()
	}
	content = string(raw[macLength:])
	if !hmac.Equal(raw[:macLength], c.mac(org, purpose, content)) {
		return "", BadCursor()
	}
	return content, nil
}

// BadCursor refuses a cursor: CodeMalformed.
func BadCursor() error {
	e := firemode.Malformed("the cursor does not belong to this list with these filters; start without a cursor")
	e.Details = []firemode.Detail{{Field: "cursor", Reason: "does not belong to this list"}}
	return e
}

func (c Cursors) mac(org firemode.OrgID, purpose, content string) []byte {
	sum := hmac.New(sha256.New, c.key)
	for _, part := range []string{"firemode cursor", string(org), purpose, content} {
		writeField(sum, []byte(part))
	}
	return sum.Sum(nil)[:macLength]
}

// filters returns the query in a fixed order, without what may change from page to page.
func filters(query string) string {
	values, err := url.ParseQuery(query)
	if err != nil {
		return query
	}
	values.Del("cursor")
	values.Del("limit")
	return values.Encode()
}

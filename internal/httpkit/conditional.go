package httpkit

import (
	"net/http"
	"strconv"
	"strings"

	"firemode"
)

// ETag returns the entity tag of a resource at a version.
func ETag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

// Versioned is embedded in the input of changes to resources that have a version.
type Versioned struct {
	IfMatch string `header:"If-Match" doc:"ETag of the version that is to be changed"`
}

// Version returns the version that If-Match names, 0 if there is none or it is "*". A tag that ETag
// did not make cannot be current: CodeChanged.
func (v Versioned) Version() (int64, error) {
	if v.IfMatch == "" || v.IfMatch == "*" {
		return 0, nil
	}
	n, err := strconv.ParseInt(strings.Trim(v.IfMatch, `"`), 10, 64)
	if err != nil || n < 1 || v.IfMatch != ETag(n) {
		return 0, firemode.Changed("If-Match is not the current version; read it again")
	}
	return n, nil
}

// notModified reports whether the client of a GET has the version with this tag.
func notModified(r *http.Request, tag string) bool {
	if tag == "" || (r.Method != http.MethodGet && r.Method != http.MethodHead) {
		return false
	}
	for item := range strings.SplitSeq(r.Header.Get("If-None-Match"), ",") {
		item = strings.TrimPrefix(strings.TrimSpace(item), "W/")
		if item == tag || item == "*" {
			return true
		}
	}
	return false
}

// Reply is the output of most typed handlers.
type Reply[T any] struct {
	ETag string `header:"ETag"`
	Body T
}

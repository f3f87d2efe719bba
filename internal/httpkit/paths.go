package httpkit

import (
	"net/http"
	"net/url"
	"strings"

	"firemode"
)

// anyPath is the mux pattern of requests that no route matches. Without it the mux would answer them
// in plain text.
const anyPath = "/"

// cleanPath returns r with a path that has no empty segments and no trailing slash, so that the mux
// never redirects. ok is false for a path with "." or ".." segments, at which there is nothing.
func cleanPath(r *http.Request) (_ *http.Request, ok bool) {
	path := r.URL.EscapedPath()
	if !strings.HasPrefix(path, "/") {
		return r, false
	}
	if !strings.Contains(path, "//") && !strings.Contains(path, "/.") && (path == "/" || !strings.HasSuffix(path, "/")) {
		return r, true
	}
	var clean strings.Builder
	for segment := range strings.SplitSeq(path, "/") {
		switch segment {
		case "":
		case ".", "..":
			return r, false
		default:
			clean.WriteString("/" + segment)
		}
	}
	u := *r.URL
	u.RawPath = clean.String()
	if u.RawPath == "" {
		u.RawPath = "/"
	}
	// It cannot fail: the segments come from a path that has been parsed.
	u.Path, _ = url.PathUnescape(u.RawPath)
	cleaned := r.WithContext(r.Context())
	cleaned.URL = &u
	return cleaned, true
}

// serveUnmatched answers what no route matches: OPTIONS and 405 with Allow if the path is known, else
// 404.
func (s *Server) serveUnmatched(w http.ResponseWriter, r *http.Request) {
	allowed := s.allowed(r)
	if len(allowed) == 0 {
		writeProblem(w, r, errNoPath())
		return
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	if r.Method == http.MethodOptions {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	writeProblem(w, r, Failure(firemode.CodeMethodNotAllowed, "this path takes %s", strings.Join(allowed, ", ")))
}

// allowed returns the methods of the routes at the path of r, none if the path is unknown.
func (s *Server) allowed(r *http.Request) []string {
	var methods []string
	probe := r.WithContext(r.Context())
	for _, method := range []string{
		http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
	} {
		probe.Method = method
		if _, pattern := s.mux.Handler(probe); pattern != anyPath {
			methods = append(methods, method)
		}
	}
	if len(methods) > 0 {
		methods = append(methods, http.MethodOptions)
	}
	return methods
}

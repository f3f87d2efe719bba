package httpkit

import (
	"net/http"
	"net/url"
	"strings"

	"firemode"
)

// anyPath is the pattern under which the mux finds what no route takes. Without it the mux would answer in plain text.
const anyPath = "/"

// tidied returns r with a path that has no empty segments and no trailing slash, so that the mux never redirects. ok is false
// for a path with "." or ".." segments: it names nothing.
func tidied(r *http.Request) (_ *http.Request, ok bool) {
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
	// It was a part of a path that has been parsed: it can be unescaped.
	u.Path, _ = url.PathUnescape(u.RawPath)
	tidy := r.WithContext(r.Context())
	tidy.URL = &u
	return tidy, true
}

// unrouted answers what no route takes: OPTIONS and 405 with Allow where the path is known, else 404.
func (s *Server) unrouted(w http.ResponseWriter, r *http.Request) {
	allowed := s.allowed(r)
	if len(allowed) == 0 {
		s.fail(w, r, firemode.NotFound("there is nothing at this path"))
		return
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	if r.Method == http.MethodOptions {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	s.fail(w, r, Failure(firemode.CodeMethodNotAllowed, "this path takes %s", strings.Join(allowed, ", ")))
}

// allowed lists the methods that the path of r takes, none if the path is unknown.
func (s *Server) allowed(r *http.Request) []string {
	var methods []string
	probe := r.WithContext(r.Context())
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
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

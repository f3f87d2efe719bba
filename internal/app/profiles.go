package app

import (
	"net/http"
	"net/http/pprof"
)

// profiles puts the profiles of the process under /debug/pprof/. They show what the program is doing, so they are served beside
// the metrics on a listener of their own, and never on the main one.
func profiles(mux *http.ServeMux) {
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
}

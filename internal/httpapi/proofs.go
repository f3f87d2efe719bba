package httpapi

import (
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"firemode"
	"firemode/internal/httpkit"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
)

// proveChange answers the proof of one change. Clients keep it byte for byte, see ledger.ParseProof.
func (a *API) proveChange(w http.ResponseWriter, r *http.Request) error {
	session, err := pathID[firemode.SessionID](r)
	if err != nil {
		return err
	}
	dot, err := crdt.ParseDot(r.URL.Query().Get("dot"))
	if err != nil {
		return httpkit.BadQuery("dot", err.Error())
	}
	proof, err := a.Services.Views.Proof(r.Context(), session, dot)
	if err != nil {
		return err
	}
	return writeFile(w, proof)
}

// proveContinuation answers the proof that the current log begins with the log of an earlier
// checkpoint.
func (a *API) proveContinuation(w http.ResponseWriter, r *http.Request) error {
	session, err := pathID[firemode.SessionID](r)
	if err != nil {
		return err
	}
	from, err := strconv.ParseInt(r.URL.Query().Get("from"), 10, 64)
	if err != nil {
		return httpkit.BadQuery("from", "must be the size of the log at a checkpoint")
	}
	c, err := a.Services.Views.Continuation(r.Context(), session, from)
	if err != nil {
		return err
	}
	return writeFile(w, c)
}

// writeFile answers JSON that clients keep byte for byte.
func writeFile(w http.ResponseWriter, f interface{ Encode() ([]byte, error) }) error {
	text, err := f.Encode()
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", httpkit.MediaJSON)
	_, err = w.Write(text)
	return err
}

func documentProof(op *huma.Operation, r huma.Registry) {
	op.Parameters = append(op.Parameters, httpkit.IDParam("id", "session_id"),
		httpkit.QueryParam("dot", "The change: client:batch:index, as history and conflicts name it"))
	op.Responses["200"] = httpkit.JSONResponse[ledger.Proof](r,
		"To be kept byte for byte: `firemode verify-proof` checks it with the public key alone")
}

func documentContinuation(op *huma.Operation, r huma.Registry) {
	op.Parameters = append(op.Parameters, httpkit.IDParam("id", "session_id"),
		httpkit.QueryParam("from", "Size of the log at the earlier checkpoint"))
	op.Responses["200"] = httpkit.JSONResponse[ledger.Continuation](r,
		"For who holds the earlier checkpoint; to be kept byte for byte")
}

package httpapi

import (
	"bytes"
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json/jsontext"

	"firemode"
	"firemode/internal/bundles"
	"firemode/internal/httpkit"
	"firemode/internal/record/crdt"
	"firemode/internal/record/view"
)

type bundleBody struct {
	Session   firemode.SessionID `json:"session_id"`
	Timestamp time.Time          `json:"timestamp" doc:"Receipt of the last change in it"`
	Clock     crdt.Clock         `json:"vector_clock"`
	Data      bundleData         `json:"data"`
}

type bundleData struct {
	Building buildingBody   `json:"building"`
	Assets   []assetBody    `json:"assets"`
	Items    []ItemFields   `json:"items" doc:"In walking order"`
	Rules    []ruleBody     `json:"rules" doc:"The versions that the checks are pinned to"`
	Faults   []defectBody   `json:"prior_faults" doc:"Defects of earlier sessions that are still open"`
	Results  jsontext.Value `json:"results" doc:"The merged results, as GET results answers them"`
}

// NewBundleEncoder returns what encodes bundles as JSON. cursorKey is Config.CursorKey of the API that serves them: a
// client goes on with the cursor of the results in its bundle.
func NewBundleEncoder(cursorKey []byte) bundles.Encode {
	cursors := httpkit.NewCursors(cursorKey)
	return func(ctx context.Context, c bundles.Content) ([]byte, error) {
		var results bytes.Buffer
		sink := &resultsSink{cursors: cursors, org: c.Session.Org, out: &limitedBuffer{out: &results, limit: c.MaxResults}}
		if err := c.Results(ctx, sink); err != nil {
			return nil, err
		}
		if err := sink.end(); err != nil {
			return nil, err
		}
		var out bytes.Buffer
		err := httpkit.EncodeJSON(&out, bundleOf(c, sink.view, results.Bytes()))
		return out.Bytes(), err
	}
}

// bundleOf returns the body of a bundle; results is what GET results responds.
func bundleOf(c bundles.Content, v view.Header, results []byte) bundleBody {
	body := bundleBody{Session: c.Session.ID, Timestamp: v.ChangedAt.UTC(), Clock: v.Clock}
	body.Data = bundleData{Building: buildingOf(c.Building), Results: jsontext.Value(results)}
	for _, a := range c.Assets {
		body.Data.Assets = append(body.Data.Assets, assetOf(a))
	}
	for _, i := range c.Items {
		body.Data.Items = append(body.Data.Items, itemFieldsOf(i, c.RuleSet))
	}
	for _, r := range c.Rules {
		body.Data.Rules = append(body.Data.Rules, ruleOf(r))
	}
	for _, d := range c.PriorDefects {
		body.Data.Faults = append(body.Data.Faults, defectOf(d))
	}
	return body
}

// limitedBuffer refuses to hold more than limit bytes.
type limitedBuffer struct {
	out   *bytes.Buffer
	limit int
}

func (b *limitedBuffer) Write(p []byte) (int, error) {
	if b.out.Len()+len(p) > b.limit {
		return 0, firemode.TooLarge("the results of this session are over the limit of %d bytes for a bundle", b.limit)
	}
	return b.out.Write(p)
}

// offlineBundle answers the bundle in the encoding that the client accepts: whole, in ranges, or with
// 304.
func (a *API) offlineBundle(w http.ResponseWriter, r *http.Request) error {
	session, err := pathID[firemode.SessionID](r)
	if err != nil {
		return err
	}
	b, err := a.Services.Bundles.Get(r.Context(), session)
	if err != nil {
		return err
	}
	encoding := httpkit.PreferredEncoding(r.Header.Get("Accept-Encoding"))
	text := b.Encodings[encoding]
	if len(text) > bundles.MaxBytes {
		return firemode.TooLarge("the bundle is over the limit of %d bytes", bundles.MaxBytes)
	}
	// The delivery is recorded before the first byte is sent: a bundle may be fetched in ranges, and
	// no range is known to be the last.
	if err := a.Services.Views.Deliver(r.Context(), session, r.Header.Get("X-Client-ID"), b.Seq); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", httpkit.MediaJSON)
	h.Add("Vary", "Accept-Encoding")
	h.Set("ETag", `"`+b.ETag+`"`)
	if encoding != "" {
		h.Set("Content-Encoding", encoding)
		h.Set("ETag", `"`+b.ETag+"-"+encoding+`"`)
	}
	out := &ranged{ResponseWriter: w, size: len(text)}
	http.ServeContent(out, r, "", time.Time{}, bytes.NewReader(text))
	if out.refused {
		h.Del("Content-Encoding")
		h.Del("ETag")
		return httpkit.Failure(firemode.CodeRange, "the bundle has %d bytes; the range is not within them", len(text))
	}
	if out.sent > 0 {
		a.metrics.BundleSent(r.Context(), string(session), int64(out.sent))
	}
	return nil
}

// ranged counts what http.ServeContent writes. It sets the length of the whole, which
// http.ServeContent does not do for encoded content, and drops its plain text for a range that cannot
// be served.
type ranged struct {
	http.ResponseWriter
	size    int
	refused bool
	sent    int
}

func (w *ranged) WriteHeader(status int) {
	if status == http.StatusOK {
		w.Header().Set("Content-Length", strconv.Itoa(w.size))
	}
	if w.refused = status == http.StatusRequestedRangeNotSatisfiable; !w.refused {
		w.ResponseWriter.WriteHeader(status)
	}
}

func (w *ranged) Write(p []byte) (int, error) {
	if w.refused {
		return len(p), nil
	}
	n, err := w.ResponseWriter.Write(p)
	w.sent += n
	return n, err
}

func documentBundle(op *huma.Operation, r huma.Registry) {
	op.Parameters = append(op.Parameters, httpkit.IDParam("id", "session_id"),
		clientParam("The client that receives the bundle; without it nothing counts as delivered"))
	op.Responses["200"] = httpkit.JSONResponse[bundleBody](r,
		"Everything that is needed with no network; has a strong ETag, and can be fetched in ranges")
}

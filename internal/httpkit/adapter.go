package httpkit

import (
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"firemode"
)

// adapter registers huma's handlers on the mux, behind the middleware.
type adapter struct {
	server *Server
}

// Handle registers the handler that huma made for an operation.
func (d adapter) Handle(op *huma.Operation, handle func(huma.Context)) {
	rt := op.Metadata["route"].(*Route)
	if op.RequestBody != nil {
		rt.schema = op.RequestBody.Content[MediaJSON].Schema
	}
	d.server.mux.HandleFunc(rt.Method+" "+rt.Pattern, d.server.admit(rt, func(w http.ResponseWriter, r *http.Request) {
		handle(&call{humaContext: humago.NewContext(op, r, w)})
	}))
}

// ServeHTTP answers a request as the server does.
func (d adapter) ServeHTTP(w http.ResponseWriter, r *http.Request) { d.server.ServeHTTP(w, r) }

// humaContext is huma.Context under a name that does not hide its method Context.
type humaContext = huma.Context

// call is huma's view of one request. huma sets the status of an error before mapHumaError runs, so
// call lets mapHumaError override it.
type call struct {
	humaContext
	status int // 0 for that of huma
}

// SetStatus sets the status, or the one that overrides it.
func (c *call) SetStatus(status int) {
	if c.status != 0 {
		status = c.status
	}
	c.humaContext.SetStatus(status)
}

// Header hides Accept from huma: checkAccept has checked it.
func (c *call) Header(name string) string {
	if name == "Accept" {
		return ""
	}
	return c.humaContext.Header(name)
}

// mapHumaError is the huma transformer that turns huma's own errors into Problems. A parameter that
// cannot be read is 400; a body that can be read and is not valid is 422.
func mapHumaError(ctx huma.Context, _ string, v any) (any, error) {
	found, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	details := make([]firemode.Detail, len(found.Errors))
	e := firemode.Malformed("%s", found.Detail)
	for i, d := range found.Errors {
		details[i] = detailOf(d)
		if strings.HasPrefix(d.Location, "body") && i == 0 {
			e.Code = firemode.CodeInvalid
		}
	}
	if len(details) > 0 {
		e.Message, e.Details = details[0].Field+": "+details[0].Reason, details
	}
	c, ok := ctx.(*call)
	if !ok {
		return nil, errors.New("httpkit: the context was not made by the adapter")
	}
	p := problemOf(ctx.Context(), e)
	c.status = p.status
	c.SetHeader("Content-Type", MediaJSON)
	return p, nil
}

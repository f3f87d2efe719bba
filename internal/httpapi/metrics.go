package httpapi

import (
	"net/http"

	"firemode"
)

// serveMetrics answers the metrics page, or 404 if this listener has none.
func (a *API) serveMetrics(w http.ResponseWriter, r *http.Request) error {
	if a.metricsPage == nil {
		return firemode.NotFound("metrics are not served here")
	}
	a.metricsPage.ServeHTTP(w, r)
	return nil
}

package httpapi

import (
	"net/http"

	"firemode"
)

// serveMetrics answers the metrics, where this listener has them.
func (a *API) serveMetrics(w http.ResponseWriter, r *http.Request) error {
	if a.metricsPage == nil {
		return firemode.NotFound("metrics are not served here")
	}
	a.metricsPage.ServeHTTP(w, r)
	return nil
}

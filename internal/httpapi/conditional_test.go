package httpapi

import (
	"net/http"
	"strings"
	"testing"
)

func TestETag_IfMatchAndIfNoneMatch(t *testing.T) {
	t.Parallel()
	w := newFurnished(t)
	for path, change := range map[string]string{
		"/v1/users/u-owner":                `{"full_name":"other"}`,
		"/v1/buildings/closed":             `{"site_name":"other"}`,
		"/v1/buildings/closed/assets/FE-1": `{"notes":"other"}`,
	} {
		read := func(header map[string]string) (int, string, int) {
			rec := w.do(request{as: "admin", method: "GET", path: path, header: header})
			return rec.Code, rec.Header().Get("ETag"), rec.Body.Len()
		}
		_, tag, _ := read(nil)
		if status, _, size := read(map[string]string{"If-None-Match": tag}); status != http.StatusNotModified || size != 0 {
			t.Errorf("%s held already: status %d, %d bytes", path, status, size)
		}
		for _, row := range []struct {
			ifMatch string
			status  int
		}{{`"99"`, 412}, {`"stale"`, 412}, {"stale", 412}, {"W/" + tag, 412}, {tag, 200}, {tag, 412}, {"*", 200}, {"", 200}} {
			rec := w.do(request{
				as: "admin", method: "PATCH", path: path, body: change,
				header: map[string]string{"If-Match": row.ifMatch},
			})
			if rec.Code != row.status {
				t.Errorf("%s with If-Match %s: status %d, want %d: %s", path, row.ifMatch, rec.Code, row.status, rec.Body)
			}
			// Each change differs from the one before, so that each raises the version.
			change = strings.Replace(change, `other`, `other.`, 1)
		}
		if status, now, _ := read(map[string]string{"If-None-Match": tag}); status != http.StatusOK || now == tag {
			t.Errorf("%s changed: status %d, ETag %s", path, status, now)
		}
	}
}

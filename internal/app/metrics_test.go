package app

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"firemode"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

func TestSources_Scrape_ReadsServices(t *testing.T) {
	t.Parallel()
	s, d := testServices(t)
	for series, want := range map[string]string{
		`db_pool_max_connections{pool="writer"}`:            "1",
		`db_pool_max_connections{pool="readers"}`:           "8",
		`db_pool_connections{pool="writer",state="in_use"}`: "0",
		`commit_queue_depth{queue="results"}`:               "0",
		`commit_queue_depth{queue="classifications"}`:       "0",
		`commit_queue_depth{queue="writer"}`:                "0",
		`token_revocations`:                                 "0",
		`token_revocations_renewed_timestamp_seconds`:       "0", // not loaded yet
		`commit_group_size_count{queue="writer"}`:           "0",
	} {
		if got := scraped(d, series); got != want {
			t.Errorf("%s is %s, want %s", series, got, want)
		}
	}
	if err := s.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, series := range []string{
		"token_revocations_renewed_timestamp_seconds", "data_folder_free_bytes", "data_folder_size_bytes", `commit_group_size_count{queue="writer"}`,
	} {
		if got := scraped(d, series); got == "0" || got == "nothing" {
			t.Errorf("%s is %s", series, got)
		}
	}
}

func TestCountBacklog_MetricsUpdated(t *testing.T) {
	t.Parallel()
	s, d := testServices(t)
	err := s.Store.Update(t.Context(), func(tx store.Tx) error {
		building := firemode.Building{Org: "o", ID: "b", Status: firemode.BuildingActive, Version: 1}
		session := firemode.Session{Org: "o", ID: "s", Building: "b", Status: firemode.SessionActive, Version: 1}
		return errors.Join(
			store.As[store.OrganisationWriter](tx).CreateOrganisation(t.Context(), firemode.Organisation{ID: "o"}),
			store.As[store.BuildingWriter](tx).CreateBuilding(t.Context(), building),
			store.As[store.SessionWriter](tx).CreateSession(t.Context(), session, ledger.Head{Conflicts: 4, Gaps: 2}),
		)
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := scraped(d, "crdt_backlog_counted_timestamp_seconds"); got != "0" {
		t.Fatalf("counted at %s, before the first count", got)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.countBacklog(ctx, d) }()
	for scraped(d, "crdt_backlog_counted_timestamp_seconds") == "0" {
		time.Sleep(time.Millisecond) // only a scrape shows the count
	}
	conflicts, gaps := scraped(d, "crdt_conflicts_open"), scraped(d, "crdt_actor_gaps")
	if conflicts != "4" || gaps != "2" {
		t.Errorf("%s conflicts and %s gaps, want 4 and 2", conflicts, gaps)
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("countBacklog returned %v", err)
	}
}

// scraped returns the value of the series in a scrape, "nothing" if it is missing.
func scraped(d Deps, series string) string {
	w := httptest.NewRecorder()
	d.Metrics.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for line := range strings.Lines(w.Body.String()) {
		if value, ok := strings.CutPrefix(line, series+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	return "nothing"
}

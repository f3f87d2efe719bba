package app

import (
	"context"
	"log/slog"
	"strconv"
	"testing"
	"time"

	"firemode/internal/store"
	"firemode/internal/telemetry"
)

func TestDeleteExpired_Responses_KeptForADay(t *testing.T) {
	t.Parallel()
	s, _ := testServices(t)
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	day := 24 * time.Hour
	answers := []store.StoredResponse{
		{Scope: "s", Key: "a day ago", CreatedAt: now.Add(-day)},
		{Scope: "s", Key: "just now", CreatedAt: now},
	}
	// More than one transaction of the janitor deletes.
	for i := range responsesPerDelete + 1 {
		answers = append(
			answers,
			store.StoredResponse{Scope: "s", Key: strconv.Itoa(i), CreatedAt: now.Add(-day - time.Microsecond)},
		)
	}
	saveResponses(t, s.Store, answers)
	if err := s.deleteExpired(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	var kept []string
	err := s.Store.View(t.Context(), func(tx store.ReadTx) error {
		found, err := store.As[store.ResponseReader](tx).Responses(t.Context(), answers)
		for _, a := range found {
			kept = append(kept, a.Key)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(kept) != 2 {
		t.Errorf("%d responses are left, want the 2 of the last day", len(kept))
	}
}

func TestBackground_ContextEnds_JobsReturnNil(t *testing.T) {
	t.Parallel()
	s, d := testServices(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, job := range s.background(Server{Role: RoleAll}, d) {
		if err := job.run(ctx); err != nil {
			t.Errorf("%s returned %v", job.name, err)
		}
	}
}

// testServices opens services on a new SQLite database.
func testServices(t *testing.T) (*Services, Deps) {
	t.Helper()
	metrics, err := telemetry.NewMetrics(telemetry.Config{})
	if err != nil {
		t.Fatal(err)
	}
	d := Deps{Now: time.Now, Logger: slog.New(slog.DiscardHandler), Metrics: metrics}
	s, err := Open(t.Context(), Storage{Data: t.TempDir()}, d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, d
}

func saveResponses(t *testing.T, db store.Database, answers []store.StoredResponse) {
	t.Helper()
	err := db.Update(t.Context(), func(tx store.Tx) error {
		for i := range answers {
			answers[i].Fingerprint, answers[i].Result = []byte{1}, []byte("{}")
		}
		return store.As[store.ResponseWriter](tx).SaveResponses(t.Context(), answers)
	})
	if err != nil {
		t.Fatal(err)
	}
}

package client

import (
	"net/http"
	"testing"
	"time"
)

func TestSubmitResults_Retry_StatesTheTimeOfTheAttempt(t *testing.T) {
	now := noon
	s, api := play(t, Config{Now: func() time.Time { return now }}, func(w http.ResponseWriter, r *http.Request) {
		now = now.Add(7 * time.Minute)
		respond(503, busy)(w, r)
	}, respond(200, "{}"))
	fast := Submission{Meta: Meta{SentAt: noon.Add(24 * time.Hour)}}
	if _, err := api.SubmitResults(t.Context(), "s1", "k1", fast); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"2026-11-21T12:00:00Z", "2026-11-21T12:07:00Z"} {
		body := `{"changes":[],"_sync_meta":{"sent_at":"` + want + `"}}`
		if s.received[i].body != body || s.received[i].key != "k1" {
			t.Errorf("attempt %d: %+v", i+1, s.received[i])
		}
	}
}

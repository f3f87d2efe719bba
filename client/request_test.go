package client

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
)

func TestDo_Attempts_RepeatOnlyWhatMayHelp(t *testing.T) {
	ok := respond(200, `{"user_id":"u1"}`)
	inFlight, invalid := strings.Replace(busy, "503", "409", 1), strings.Replace(busy, "true", "false", 1)
	for _, c := range []struct {
		name      string
		responses []http.HandlerFunc
		tries     int
		status    int // of the error, 0 for none
	}{
		{"success", []http.HandlerFunc{ok}, 1, 0},
		{"retryable errors", []http.HandlerFunc{respond(503, busy), respond(409, inFlight), ok}, 3, 0},
		{"lost connection", []http.HandlerFunc{cut(""), ok}, 2, 0},
		{"half a response", []http.HandlerFunc{cut(`{"user`), ok}, 2, 0},
		{"error of a proxy", []http.HandlerFunc{respond(502, "<html>"), ok}, 2, 0},
		{"error that is not retryable", []http.HandlerFunc{respond(422, invalid), ok}, 1, 422},
		{"refusal of a proxy", []http.HandlerFunc{respond(403, "no"), ok}, 1, 403},
		{"attempts used up", append(slices.Repeat([]http.HandlerFunc{respond(503, busy)}, 4), ok), 4, 503},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, api := play(t, Config{Attempts: 4}, c.responses...)
			u, err := api.CreateUser(t.Context(), NewUser{Username: "jo"})
			if StatusOf(err) != c.status || (err == nil) != (u.ID == "u1") || (err == nil) != (c.status == 0) {
				t.Errorf("%+v, %v", u, err)
			}
			if len(s.received) != c.tries {
				t.Errorf("%d requests, want %d", len(s.received), c.tries)
			}
			for _, r := range s.received {
				if r.key == "" || r != s.received[0] {
					t.Errorf("%+v after %+v: a retry is the same request under the same key", r, s.received[0])
				}
			}
		})
	}
}

func TestDo_ContextEndsDuringAnAttempt_NoRetry(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s, api := play(t, Config{}, func(w http.ResponseWriter, r *http.Request) {
		cancel()
		respond(503, busy)(w, r)
	})
	if _, err := api.Me(ctx); err == nil || len(s.received) != 1 {
		t.Errorf("%d requests, %v", len(s.received), err)
	}
}

func TestList_SeveralPages_AllEntriesOrTheError(t *testing.T) {
	s, api := play(t, Config{}, respond(200, `{"data":[{"building_id":"a"},{"building_id":"b"}],"next_cursor":"c1"}`),
		respond(200, `{"data":[{"building_id":"c"}],"next_cursor":null}`), respond(400, busy))
	all, err := Collect(api.Buildings(t.Context(), "tower"))
	if err != nil || len(all) != 3 || all[2].ID != "c" {
		t.Errorf("%v, %v", all, err)
	}
	equal(t, "requests", s.paths()[:2], []string{
		"GET /v1/buildings?limit=100&q=tower", "GET /v1/buildings?cursor=c1&limit=100&q=tower",
	})
	s.responses[2] = respond(400, strings.Replace(busy, "true", "false", 1))
	if all, err := Collect(api.Buildings(t.Context(), "")); StatusOf(err) != 400 || all != nil {
		t.Errorf("%v, %v", all, err)
	}
}

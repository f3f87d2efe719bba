package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"firemode"
	"firemode/internal/store"
	"firemode/internal/store/storetest"
)

func TestUpdateResponses_LostRace_RunsAgainAndReplays(t *testing.T) {
	s := storetest.OpenSQLite(t)
	first, second := newClaim("k", "f"), newClaim("k", "f")
	if got, err := respond(t, s, false, "first", first); err != nil || got != "first" || first.Replayed {
		t.Fatalf("got %q, %v, replayed %t", got, err, first.Replayed)
	}
	if got, err := respond(t, s, true, "second", second); err != nil || got != "first" || !second.Replayed {
		t.Fatalf("got %q, %v, replayed %t", got, err, second.Replayed)
	}
}

func TestResponses_Replay_AnotherRequest_ErrKeyReused(t *testing.T) {
	s := storetest.OpenSQLite(t)
	if _, err := respond(t, s, false, "first", newClaim("k", "f")); err != nil {
		t.Fatal(err)
	}
	_, err := respond(t, s, false, "second", newClaim("k", "g"))
	var e *firemode.Error
	if !errors.As(err, &e) || e.Message != store.ErrKeyReused().Message {
		t.Errorf("got %v", err)
	}
	lenient := newClaim("k", "g")
	lenient.Same = func(stored, fingerprint []byte) bool { return string(stored) == "f" && string(fingerprint) == "g" }
	if got, err := respond(t, s, false, "second", lenient); err != nil || got != "first" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestResponses_Replay_AddedInTheSameTransaction(t *testing.T) {
	s := storetest.OpenSQLite(t)
	claim, again, none := newClaim("k", "f"), newClaim("k", "f"), (*store.Idempotency)(nil)
	err := store.UpdateResponses(t.Context(), s, func(tx store.Tx) error {
		r, err := store.FindResponses(t.Context(), tx, claim, again, none)
		if err != nil {
			return err
		}
		if err := errors.Join(r.Add(claim, "result", tx.Now()), r.Add(none, "nothing", tx.Now())); err != nil {
			return err
		}
		var got string
		found, err := r.Replay(again, &got)
		if !found || err != nil || got != "result" || !again.Replayed {
			t.Errorf("got %t, %v, %q, replayed %t", found, err, got, again.Replayed)
		}
		if found, err := r.Replay(none, &got); found || err != nil {
			t.Errorf("without a claim: %t, %v", found, err)
		}
		return r.Save(t.Context(), tx)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func newClaim(key, fingerprint string) *store.Idempotency {
	return &store.Idempotency{Scope: "s", Key: key, Fingerprint: []byte(fingerprint)}
}

// respond does a request whose result is result. With race, its first look finds nothing.
func respond(t *testing.T, s store.Store, race bool, result string, claim *store.Idempotency) (got string, err error) {
	t.Helper()
	err = store.UpdateResponses(t.Context(), s, func(tx store.Tx) error {
		if race {
			race = false
			tx = blind{storetest.Wrapper{Tx: tx}}
		}
		r, err := store.FindResponses(t.Context(), tx, claim)
		if err != nil {
			return err
		}
		if found, err := r.Replay(claim, &got); found || err != nil {
			return err
		}
		got = result
		if err := r.Add(claim, got, time.UnixMicro(1)); err != nil {
			return err
		}
		return r.Save(t.Context(), tx)
	})
	return got, err
}

// blind finds no stored response, as a transaction does whose rival commits after it has looked.
type blind struct{ storetest.Wrapper }

func (blind) Responses(context.Context, []store.StoredResponse) ([]store.StoredResponse, error) {
	return nil, nil
}

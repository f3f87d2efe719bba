package verify

import (
	"context"
	"maps"
	"reflect"
	"slices"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// compareActors compares what follows from the log and the quarantine. What was delivered to a
// client does not.
func (s *verification) compareActors(ctx context.Context, rebuilt store.ReadTx) error {
	stored, err := store.As[store.ActorReader](s.tx).Actors(ctx, s.ref, nil)
	if err != nil {
		return err
	}
	expected, err := store.As[store.ActorReader](rebuilt).Actors(ctx, s.ref, nil)
	if err != nil {
		return err
	}
	missing := map[crdt.ActorID]ledger.Actor{}
	for _, a := range expected {
		missing[a.ID] = a
	}
	for _, x := range stored {
		y, posted := missing[x.ID]
		delete(missing, x.ID)
		if !posted { // bound by a GET, or new after a fork, without a batch so far
			y = ledger.Actor{ID: x.ID, Client: string(x.ID), ClientType: x.ClientType, User: x.User}
		}
		if q, forked := s.forked[x.ID]; forked {
			y.Parent, y.User = q.Actor, q.User
			delete(s.forked, x.ID)
		} else if x.Parent != "" {
			s.differs("quarantine "+string(x.ID), "it is missing: this client id was made for a batch of a forked client")
		}
		if x.Delivered < 0 || x.Delivered > s.head.Seq {
			s.differs("actors "+string(x.ID),
				"entry %d was delivered to it, and the log ends at %d", x.Delivered, s.head.Seq)
		}
		x.Delivered = 0
		if !reflect.DeepEqual(x, y) {
			s.differs("actors "+string(x.ID), "it is stored as %+v and comes out as %+v", x, y)
		}
	}
	for id := range missing {
		s.differs("actors "+string(id), "it is missing")
	}
	for id := range s.forked {
		s.differs("actors "+string(id), "it is missing, and a batch in quarantine belongs to it")
	}
	return nil
}

// compareItems compares the derived fields of items. checkCreation has compared the others.
func (s *verification) compareItems(ctx context.Context, rebuilt store.ReadTx) error {
	stored, err := s.items(ctx)
	if err != nil {
		return err
	}
	ids := make([]firemode.ItemID, len(stored))
	for i, item := range stored {
		ids[i] = item.ID
	}
	expected, err := store.As[store.ItemReader](rebuilt).ItemsByID(ctx, s.ref.Org, s.ref.Session, ids)
	if err != nil {
		return err
	}
	byID := map[firemode.ItemID]firemode.Item{}
	for _, item := range expected {
		byID[item.ID] = item
	}
	for _, x := range stored {
		y := byID[x.ID]
		if s.head.Tallied < s.head.Seq {
			x.Conflicts = y.Conflicts // an older binary did not keep them; they are counted before they are used
		}
		if x.State != y.State || x.Outcome != y.Outcome || x.Conflicts != y.Conflicts ||
			!slices.Equal(x.Missing, y.Missing) {
			s.differs("items "+string(x.ID),
				"it is stored as %s %q %q with %d conflicts and comes out as %s %q %q with %d",
				x.State, x.Outcome, x.Missing, x.Conflicts, y.State, y.Outcome, y.Missing, y.Conflicts)
		}
	}
	return nil
}

// compareHead compares the counts in the head. checkHead has compared where the log ends.
func (s *verification) compareHead(ctx context.Context, rebuilt store.ReadTx) error {
	head, err := store.As[store.HeadReader](rebuilt).Head(ctx, s.ref)
	if err != nil {
		return err
	}
	type counts struct {
		Done, Conflicts, Gaps, Late int
		Batches, ChangedSeq         int64
		ChangedAt                   int64
	}
	of := func(h ledger.Head) counts {
		return counts{h.Done, h.Conflicts, h.Gaps, h.Late, h.Batches, h.ChangedSeq, store.Micros(h.ChangedAt)}
	}
	if s.head.Tallied > s.head.Seq {
		s.differs("session_heads",
			"conflicts are counted up to entry %d, and the log ends at %d", s.head.Tallied, s.head.Seq)
	}
	if x, y := of(s.head), of(head); x != y {
		s.differs("session_heads", "its counts are stored as %+v and come out as %+v", x, y)
	}
	return nil
}

// compareResults compares the results that later visits are shown of this one. A result that a
// later completed visit has replaced belongs to that visit.
func (s *verification) compareResults(ctx context.Context, _ store.ReadTx) error {
	stored, err := store.As[store.SessionReader](s.tx).LastResults(ctx, s.ref.Org, s.session.Building)
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(stored)) {
		x, y := stored[id], s.results[id]
		if x.Session == s.ref.Session && (x.Outcome != y.Outcome ||
			!maps.Equal(x.Measurements, y.Measurements) || !x.CompletedAt.Equal(y.CompletedAt)) {
			s.differs("last_results "+string(id), "it is stored as %+v and comes out as %+v", x, y)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(s.results)) {
		x, kept := stored[id]
		if !kept || x.Session != s.ref.Session && !x.CompletedAt.After(s.results[id].CompletedAt) {
			s.differs("last_results "+string(id), "it is missing, or attributed to session %q", x.Session)
		}
	}
	return nil
}

package verify

import (
	"context"
	"errors"
	"fmt"
	"time"

	"firemode"
	"firemode/internal/record/assess"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// verification is the verification of one session.
type verification struct {
	*Verifier
	tx          store.ReadTx // reads exactly
	plain       store.ReadTx // the same transaction, for rows that are not verified
	ref         ledger.SessionRef
	audited     bool              // whether the organisation's audit log was read
	created     ledger.AuditEntry // zero if the audit log does not have it
	recomputers []SessionRecomputation
	session     firemode.Session
	head        ledger.Head
	log         rebuiltLog
	results     map[firemode.ItemID]firemode.LastResult // of every completion that was rebuilt
	forked      map[crdt.ActorID]ledger.Quarantined     // by the new actor of its batch
}

// rebuiltLog is the state of a session's log after the entries that were read.
type rebuiltLog struct {
	seq       int64 // of the last entry
	entries   int64
	hash      []byte
	frontier  ledger.Frontier
	status    firemode.SessionStatus
	reason    string
	completed time.Time // of the last completion, zero while the session is open
}

// Session verifies one session without its organisation's audit log: it verifies neither how the
// session was created nor what people did with derived rows.
func (v *Verifier) Session(ctx context.Context, ref ledger.SessionRef) error {
	_, err := v.verify(ctx, ref, nil)
	return err
}

// session verifies one session with its organisation's audit log, and adds it to t.
func (v *Verifier) session(ctx context.Context, ref ledger.SessionRef, log *auditLog, t *Totals) error {
	t.Sessions++
	entries, err := v.verify(ctx, ref, log)
	if err != nil {
		return fmt.Errorf("session %s: %w", ref.Session, err)
	}
	t.Entries += entries
	v.progress("%s: session %s with %d log entries", ref.Org, ref.Session, entries)
	return nil
}

// errEnd ends the verification of a session in which nothing more can be verified. Its cause is
// reported.
var errEnd = errors.New("nothing more can be verified")

// verify verifies a session in one transaction. It returns how many entries the session's head says
// that its log has.
func (v *Verifier) verify(ctx context.Context, ref ledger.SessionRef, log *auditLog) (entries int64, err error) {
	scratch, err := v.Scratch(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, scratch.Close()) }()
	err = v.Store.View(ctx, func(tx store.ReadTx) error {
		s := &verification{
			Verifier: v, tx: store.As[store.ExactReader](tx).Exactly(), plain: tx, ref: ref,
			results: map[firemode.ItemID]firemode.LastResult{}, forked: map[crdt.ActorID]ledger.Quarantined{},
		}
		err := s.begin(ctx, log)
		if err == nil {
			err = s.run(ctx, scratch)
		}
		entries = s.head.Seq
		var damage *store.Damage
		switch {
		case errors.Is(err, errEnd):
			return nil
		case errors.As(err, &damage):
			s.differs(damage.Table, "a row cannot be read, so the rest was not verified: %v", damage.Err)
			return nil
		}
		return err
	})
	return entries, err
}

// begin reads the session, and begins the recomputations of the features.
func (s *verification) begin(ctx context.Context, log *auditLog) (err error) {
	if s.session, err = store.As[store.SessionReader](s.tx).Session(ctx, s.ref.Org, s.ref.Session); err != nil {
		return err
	}
	var added []ledger.AuditEntry // other nodes may go on writing
	var recomputations []Recomputation
	if log != nil {
		s.audited, s.created, recomputations = true, log.created[s.ref.Session], log.recomputations
		if added, err = newer(ctx, s.tx, s.ref.Org, log.last); err != nil {
			return err
		}
	} else {
		for _, r := range s.Recomputers {
			recomputations = append(recomputations, r.Recompute(s.ref.Org))
		}
	}
	report := func(where, what string) { s.differs(where, "%s", what) }
	for _, r := range recomputations {
		scope := SessionScope{Session: s.session, Audited: s.audited, Newer: added, Report: report}
		if one := r.Session(scope); one != nil {
			s.recomputers = append(s.recomputers, one)
		}
	}
	for _, e := range added {
		if e.Action == ledger.ActionCreateSession && e.Subject == string(s.ref.Session) {
			s.created = e
		}
	}
	return nil
}

// run rebuilds the session in the scratch store and compares.
func (s *verification) run(ctx context.Context, scratch store.Store) (err error) {
	if s.head, err = store.As[store.HeadReader](s.tx).Head(ctx, s.ref); err != nil {
		return s.reportMissing("session_heads", err)
	}
	if err := assess.CheckFormat(s.session.Format); err != nil {
		s.differs("sessions", "%v", err)
		return errEnd
	}
	if err := s.prepare(ctx, scratch); err != nil {
		return err
	}
	if err := s.rebuild(ctx, scratch); err != nil {
		return err
	}
	s.checkHead()
	s.checkStatus()
	if err := s.checkQuarantine(ctx); err != nil {
		return err
	}
	return scratch.View(ctx, func(rebuilt store.ReadTx) error { return s.compare(ctx, rebuilt) })
}

// differs reports a difference in this session.
func (s *verification) differs(where, format string, args ...any) {
	s.Report(fmt.Sprintf("%s session %s, %s", s.ref.Org, s.ref.Session, where), fmt.Sprintf(format, args...))
}

// reportMissing reports that the row which table refers to does not exist, and returns any other
// error.
func (s *verification) reportMissing(table string, err error) error {
	if firemode.CodeOf(err) != firemode.CodeNotFound {
		return err
	}
	s.differs(table, "%v, so the rest was not verified", err)
	return errEnd
}

// prepare creates the session in the scratch store as it was before its first result.
func (s *verification) prepare(ctx context.Context, scratch store.Store) error {
	building, err := store.As[store.BuildingReader](s.plain).Building(ctx, s.ref.Org, s.session.Building)
	if err != nil {
		return s.reportMissing("sessions", err)
	}
	items, err := s.items(ctx)
	if err != nil {
		return err
	}
	s.checkCreation(items)
	s.log.status = firemode.SessionPending
	for i := range items {
		items[i].State, items[i].Outcome, items[i].Missing, items[i].Conflicts = firemode.ItemUntouched, "", nil, 0
	}
	session := s.session
	session.Technicians, session.Status, building.Owners = nil, firemode.SessionActive, nil
	head := ledger.Head{Epoch: s.head.Epoch, Key: s.head.Key, ChangedAt: session.CreatedAt}
	return scratch.Update(ctx, func(tx store.Tx) error {
		org := firemode.Organisation{ID: s.ref.Org, Name: string(s.ref.Org), CreatedAt: tx.Now()}
		if err := store.As[store.OrganisationWriter](tx).CreateOrganisation(ctx, org); err != nil {
			return err
		}
		if err := store.As[store.BuildingWriter](tx).CreateBuilding(ctx, building); err != nil {
			return err
		}
		if err := store.As[store.SessionWriter](tx).CreateSession(ctx, session, head); err != nil {
			return err
		}
		return store.As[store.ItemWriter](tx).CreateItems(ctx, s.ref.Org, s.ref.Session, items)
	})
}

// items returns the stored items of the session.
func (s *verification) items(ctx context.Context) (all []firemode.Item, err error) {
	reader := store.As[store.ItemReader](s.tx)
	list := func(p store.Page) ([]store.Keyed[firemode.Item], error) {
		return reader.Items(ctx, s.ref.Org, s.ref.Session, store.ItemFilter{}, p)
	}
	err = store.EachRow(list, func(item firemode.Item) error {
		all = append(all, item)
		return nil
	})
	return all, err
}

package sessions

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// Patch is a change of a session; nil fields stay as they are.
type Patch struct {
	Name        *string
	Technicians *[]firemode.UserID
	Status      *firemode.SessionStatus // completed, or reopened
	Reason      string                  // of reopening, and of accepting gaps
	AcceptGaps  bool                    // complete although batches of a client are missing
}

// Patch changes a session that is at the state ifMatch names, see Detail.Tag; another is CodeChanged.
func (s *Service) Patch(ctx context.Context, id firemode.SessionID, ifMatch string, patch Patch) (Detail, error) {
	p, err := firemode.Caller(ctx)
	if err != nil {
		return Detail{}, err
	}
	if ifMatch == "" {
		return Detail{}, firemode.PreconditionMissing("the header If-Match must name the ETag of the session that you are changing")
	}
	return store.Once(ctx, s.store, func(tx store.Tx) (Detail, error) {
		locked, err := store.As[store.SessionWriter](tx).LockSessions(ctx, p.Org, []firemode.SessionID{id})
		if err != nil {
			return Detail{}, err
		}
		if len(locked) == 0 {
			return Detail{}, firemode.NotFound("there is no session %s", id)
		}
		if err := mayRead(ctx, tx, p, locked[0].Session); err != nil {
			return Detail{}, err
		}
		before, err := detail(ctx, tx, locked[0].Session)
		if err != nil {
			return Detail{}, err
		}
		if ifMatch != "*" && ifMatch != before.Tag() {
			return Detail{}, firemode.Changed("the session has changed; read it again")
		}
		return s.patch(ctx, tx, p, s.newMerging(ctx, tx, locked[0]), patch)
	})
}

func (s *Service) patch(ctx context.Context, tx store.Tx, p firemode.Principal, m *merging, patch Patch) (Detail, error) {
	if patch.Name != nil {
		m.session.Name = strings.TrimSpace(*patch.Name)
		if m.session.Name == "" || len(m.session.Name) > maxName {
			return Detail{}, firemode.InvalidField("session_name", "give a name of 1 to %d bytes", maxName)
		}
	}
	if patch.Technicians != nil {
		if err := checkTechnicians(ctx, tx, p.Org, *patch.Technicians); err != nil {
			return Detail{}, err
		}
		m.session.Technicians = *patch.Technicians
	}
	if patch.Status != nil && *patch.Status != m.session.Status {
		if err := m.move(p, *patch.Status, patch); err != nil {
			return Detail{}, err
		}
	}
	if err := store.As[store.SessionWriter](tx).UpdateSession(ctx, m.session); err != nil {
		return Detail{}, err
	}
	if err := audit(ctx, tx, s, "session.update", string(m.session.ID), map[string]any{"status": m.session.Status, "reason": patch.Reason}); err != nil {
		return Detail{}, err
	}
	session, err := store.As[store.SessionReader](tx).Session(ctx, p.Org, m.session.ID)
	if err != nil {
		return Detail{}, err
	}
	return detail(ctx, tx, session)
}

// move changes the status: active and reopened sessions can be completed, completed ones reopened.
func (m *merging) move(p firemode.Principal, to firemode.SessionStatus, patch Patch) error {
	from := m.session.Status
	switch {
	case to == firemode.SessionCompleted && (from == firemode.SessionActive || from == firemode.SessionReopened):
		if err := m.mayComplete(patch); err != nil {
			return err
		}
		m.session.CompletedAt = m.tx.Now()
	case to == firemode.SessionReopened && from == firemode.SessionCompleted:
		if strings.TrimSpace(patch.Reason) == "" {
			return firemode.InvalidField("reason", "say why the session is reopened")
		}
		m.session.CompletedAt = time.Time{}
	default:
		return firemode.Conflict("a session that is %s cannot become %s", from, to)
	}
	m.session.Status = to
	if patch.Reason != "" {
		m.session.Reason = patch.Reason
	}
	if err := m.logStatus(p, patch); err != nil {
		return err
	}
	if to == firemode.SessionReopened {
		if err := m.mergeLate(); err != nil {
			return err
		}
	} else if err := m.rememberResults(); err != nil {
		return err
	}
	if err := m.finish(); err != nil {
		return err
	}
	return store.AppendAudit(m.ctx, m.tx, m.ref.Org, m.audits...)
}

// logStatus appends the change of status to the log, so that it is part of the history that can be proved.
func (m *merging) logStatus(p firemode.Principal, patch Patch) error {
	particulars, err := json.Marshal(map[string]any{"status": m.session.Status, "reason": patch.Reason, "accept_gaps": patch.AcceptGaps})
	if err != nil {
		return err
	}
	seq := m.head.Seq + 1
	m.log(&ledger.Entry{Seq: seq, Kind: ledger.EntryStatus, User: p.User, ReceivedAt: m.tx.Now(), Changes: particulars, MergedSeq: seq})
	return nil
}

// maxRefusals bounds how many items a refusal to complete lists by name.
const maxRefusals = 1000

// mayComplete refuses to complete a session while something is missing, and lists it.
func (m *merging) mayComplete(patch Patch) error {
	var missing []firemode.Detail
	if err := m.openItems(&missing); err != nil {
		return err
	}
	if err := m.openConflicts(&missing); err != nil {
		return err
	}
	if m.head.Gaps > 0 && !(patch.AcceptGaps && strings.TrimSpace(patch.Reason) != "") {
		if err := m.openGaps(&missing); err != nil {
			return err
		}
	}
	if len(missing) == 0 {
		return nil
	}
	e := firemode.Conflict("the session cannot be completed yet: %d of %d items are done, %d conflicts and %d gaps are open",
		m.head.Done, m.session.ItemCount, m.head.Conflicts, m.head.Gaps)
	e.Details = missing[:min(len(missing), maxRefusals)]
	return e
}

func (m *merging) openItems(missing *[]firemode.Detail) error {
	if m.head.Done == m.session.ItemCount {
		return nil
	}
	open := store.ItemFilter{States: []firemode.ItemState{firemode.ItemUntouched, firemode.ItemIncomplete, firemode.ItemDisputed}}
	items, err := store.As[store.ItemReader](m.tx).Items(m.ctx, m.ref.Org, m.ref.Session, open, store.Page{Limit: maxRefusals})
	for _, item := range items {
		reason := "untouched"
		if len(item.Row.Missing) > 0 {
			reason = strings.Join(item.Row.Missing, "; ")
		}
		*missing = append(*missing, firemode.Detail{Field: "items/" + string(item.Row.ID), Reason: reason})
	}
	return err
}

func (m *merging) openConflicts(missing *[]firemode.Detail) error {
	if m.head.Conflicts == 0 {
		return nil
	}
	merged, err := chains(m.ctx, m.tx, m.ref)
	if err != nil {
		return err
	}
	d := &document{ctx: m.ctx, tx: m.tx, ref: m.ref, head: m.head, seq: m.head.Seq, chains: merged}
	told := 0
	err = d.whole(nil, func(c crdt.Conflict) error {
		if told++; told > maxRefusals {
			return errFound
		}
		*missing = append(*missing, firemode.Detail{Field: string(c.Path), Reason: fmt.Sprintf("%d readings are in dispute (%s)", len(c.Siblings), c.Kind)})
		return nil
	})
	if errors.Is(err, errFound) {
		return nil
	}
	return err
}

func (m *merging) openGaps(missing *[]firemode.Detail) error {
	actors, err := store.As[store.ActorReader](m.tx).Actors(m.ctx, m.ref, nil)
	for _, a := range actors {
		if gaps := a.Held.Missing(); len(gaps) > 0 {
			*missing = append(*missing, firemode.Detail{
				Field: "clients/" + string(a.ID), Reason: fmt.Sprintf("batches %v have not arrived; a manager may accept that with accept_gaps and a reason", gaps),
			})
		}
	}
	return err
}

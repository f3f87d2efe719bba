package verify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"firemode"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// auditLog is what the audit log of one organisation says.
type auditLog struct {
	last           int64 // number of the last entry that was read
	created        map[firemode.SessionID]ledger.AuditEntry
	recomputations []Recomputation
}

func (l *auditLog) add(e ledger.AuditEntry) {
	l.last = e.Seq
	if e.Action == ledger.ActionCreateSession {
		l.created[firemode.SessionID(e.Subject)] = e
	}
	for _, r := range l.recomputations {
		r.Audit(e)
	}
}

// auditLog verifies the audit log of an organisation, "" for the shared catalogue, and the rows
// that features recompute from it.
func (v *Verifier) auditLog(ctx context.Context, org firemode.OrgID) (*auditLog, error) {
	name := cmp.Or(string(org), "shared catalogue")
	report := func(where, what string) { v.Report(name+" "+where, what) }
	log := &auditLog{created: map[firemode.SessionID]ledger.AuditEntry{}}
	for _, r := range v.Recomputers {
		log.recomputations = append(log.recomputations, r.Recompute(org))
	}
	err := v.Store.View(ctx, func(tx store.ReadTx) error {
		reportEntry := func(e ledger.AuditEntry, what string) {
			where := fmt.Sprintf("audit entry %d", e.Seq)
			if e.Seq == 0 {
				where = "audit_heads and audit"
			}
			report(where, what)
		}
		n, err := store.CheckAudit(ctx, tx, org, reportEntry, log.add)
		if err != nil {
			return err
		}
		v.progress("%s: %d audit entries", name, n)
		for _, r := range log.recomputations {
			summary, err := r.Organisation(ctx, tx, report)
			if err != nil {
				return err
			}
			if summary != "" {
				v.progress("%s: %s", name, summary)
			}
		}
		return nil
	})
	return log, v.reportDamage(name, err)
}

// organisation verifies the audit log of an organisation, and its sessions, or only one of them.
func (v *Verifier) organisation(ctx context.Context, org firemode.OrgID, only firemode.SessionID, t *Totals) error {
	log, err := v.auditLog(ctx, org)
	if err != nil {
		return err
	}
	if only != "" {
		return v.onlySession(ctx, ledger.SessionRef{Org: org, Session: only}, log, t)
	}
	unlisted := map[firemode.SessionID]bool{}
	for id := range log.created {
		unlisted[id] = true
	}
	err = store.EachRow(v.sessions(ctx, org), func(s firemode.Session) error {
		delete(unlisted, s.ID)
		return v.session(ctx, ledger.RefOf(s), log, t)
	})
	var list *listError
	switch {
	case errors.As(err, &list) && firemode.CodeOf(list.err) == firemode.CodeNotFound:
		v.Report(string(org)+" sessions", "a listed session does not exist, so the rest was not verified")
		return nil
	case errors.As(err, &list):
		return v.reportDamage(string(org), list.err)
	case err != nil:
		return err
	}
	for id := range unlisted {
		v.Report(fmt.Sprintf("%s sessions %s", org, id),
			"it is missing, or in no list: the audit log says that it was created")
	}
	return nil
}

// sessions returns a function that lists the sessions of an organisation. Its errors are
// listErrors.
func (v *Verifier) sessions(
	ctx context.Context, org firemode.OrgID,
) func(store.Page) ([]store.Keyed[firemode.Session], error) {
	return func(p store.Page) (rows []store.Keyed[firemode.Session], err error) {
		err = v.Store.View(ctx, func(tx store.ReadTx) (err error) {
			rows, err = store.As[store.SessionReader](tx).Sessions(ctx, org, store.SessionFilter{}, p)
			return err
		})
		if err != nil {
			err = &listError{err}
		}
		return rows, err
	}
}

// listError is an error of the list of sessions, not of the verification of a session.
type listError struct{ err error }

func (e *listError) Error() string { return e.err.Error() }

// onlySession verifies one session if it belongs to this organisation.
func (v *Verifier) onlySession(ctx context.Context, ref ledger.SessionRef, log *auditLog, t *Totals) error {
	err := v.Store.View(ctx, func(tx store.ReadTx) error {
		_, err := store.As[store.SessionReader](tx).Session(ctx, ref.Org, ref.Session)
		return err
	})
	if err != nil && firemode.CodeOf(err) == firemode.CodeNotFound {
		return nil
	}
	return v.session(ctx, ref, log, t) // which reports a session that cannot be read
}

// newer returns the entries that were written to the audit log of org after entry last, oldest
// first.
func newer(ctx context.Context, tx store.ReadTx, org firemode.OrgID, last int64) (list []ledger.AuditEntry, err error) {
	log := store.As[store.AuditReader](tx)
	end, _, err := log.AuditEnd(ctx, org)
	for after := ""; err == nil && end-last > int64(len(list)); {
		var page []store.Keyed[ledger.AuditEntry]
		page, err = log.Audits(ctx, org, "", store.Page{After: after, Limit: 100})
		if len(page) == 0 {
			break
		}
		for _, e := range page {
			if e.Row.Seq > last {
				list = append(list, e.Row)
			}
			after = e.Key
		}
	}
	slices.Reverse(list)
	return list, err
}

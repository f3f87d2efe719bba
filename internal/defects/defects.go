// Package defects keeps the defects that results report: what is wrong with an item by which rule,
// every classification with its reason, and what people do about it.
//
// It promises that defects follow from results: Consequences derives them in the transaction of the
// merge, and Recomputer proves that the stored ones are those that follow. People change the status
// of a defect with Service.Patch; only the merge withdraws one. It does not check roles; a defect
// that the caller may not see is not found.
package defects

import (
	"context"
	"slices"

	"firemode"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// Service lists defects and changes their status. It is safe for concurrent use.
type Service struct {
	store store.Store
	newID func() string // mints ids that sort by time
}

// New returns a Service on s.
func New(s store.Store, newID func() string) *Service { return &Service{s, newID} }

// List lists the defects that the caller may see, oldest first.
func (s *Service) List(
	ctx context.Context, f store.DefectFilter, page store.Page,
) (list []store.Keyed[firemode.Defect], err error) {
	p, err := firemode.Caller(ctx)
	if err != nil {
		return nil, err
	}
	f.VisibleTo, f.OwnedBy = p.Limits()
	err = s.store.View(ctx, func(tx store.ReadTx) error {
		list, err = store.As[store.DefectReader](tx).Defects(ctx, p.Org, f, page)
		return err
	})
	return list, err
}

// Get returns one defect.
func (s *Service) Get(ctx context.Context, id firemode.DefectID) (d firemode.Defect, err error) {
	p, err := firemode.Caller(ctx)
	if err != nil {
		return d, err
	}
	err = s.store.View(ctx, func(tx store.ReadTx) error {
		d, err = visibleDefect(ctx, tx, p, id)
		return err
	})
	return d, err
}

// visibleDefect returns a defect of a session that p may see.
func visibleDefect(
	ctx context.Context, tx store.ReadTx, p firemode.Principal, id firemode.DefectID,
) (firemode.Defect, error) {
	d, err := store.As[store.DefectReader](tx).Defect(ctx, p.Org, id)
	if err != nil {
		return d, err
	}
	if _, err := store.VisibleSession(ctx, tx, p, d.Session); err != nil {
		if firemode.CodeOf(err) == firemode.CodeNotFound {
			err = firemode.NotFound("there is no defect %s", id)
		}
		return d, err
	}
	return d, nil
}

// Patch is a change of a defect; nil fields stay as they are.
type Patch struct {
	Status *firemode.DefectStatus
	Note   *string
}

// next returns the statuses that a person may give a defect. Only the merge withdraws a defect, and
// reopens it when a result reports it.
func next(from firemode.DefectStatus) []firemode.DefectStatus {
	switch from {
	case firemode.DefectOpen:
		return []firemode.DefectStatus{firemode.DefectNotified, firemode.DefectRectified, firemode.DefectClosed}
	case firemode.DefectNotified:
		return []firemode.DefectStatus{firemode.DefectOpen, firemode.DefectRectified, firemode.DefectClosed}
	case firemode.DefectRectified:
		return []firemode.DefectStatus{firemode.DefectOpen, firemode.DefectClosed}
	case firemode.DefectClosed:
		return []firemode.DefectStatus{firemode.DefectOpen}
	default:
		return nil
	}
}

const maxNote = 4000

// Patch changes a defect whose revision is ifRevision, 0 for any revision. Another revision is
// CodeChanged; a status that does not follow the current one is CodeConflict.
func (s *Service) Patch(
	ctx context.Context, id firemode.DefectID, ifRevision int64, patch Patch,
) (firemode.Defect, error) {
	p, err := firemode.Caller(ctx)
	if err != nil {
		return firemode.Defect{}, err
	}
	return store.Once(ctx, s.store, func(tx store.Tx) (firemode.Defect, error) {
		d, err := visibleDefect(ctx, tx, p, id)
		if err != nil {
			return d, err
		}
		locked, err := store.As[store.SessionWriter](tx).LockSessions(ctx, p.Org, []firemode.SessionID{d.Session})
		if err != nil {
			return d, err
		}
		if d, err = store.As[store.DefectReader](tx).Defect(ctx, p.Org, id); err != nil {
			return d, err
		}
		if ifRevision != 0 && ifRevision != d.Revision {
			return d, firemode.Changed("the defect has changed; read it again")
		}
		before := d.Status
		if err := patch.applyTo(&d); err != nil {
			return d, err
		}
		d.UpdatedAt = tx.Now()
		if err := store.As[store.DefectWriter](tx).UpdateDefect(ctx, d); err != nil {
			return d, err
		}
		d.Revision++
		return d, store.AppendActions(ctx, tx, p, store.Action{
			ID: firemode.AuditID(s.newID()), Name: ledger.ActionUpdateDefect, Subject: string(id), Data: map[string]any{
				"from": before, "to": d.Status, "note": d.Note, "session_id": d.Session, "sequence": locked[0].Head.Seq,
			},
		})
	})
}

func (patch Patch) applyTo(d *firemode.Defect) error {
	if patch.Note != nil {
		if len(*patch.Note) > maxNote {
			return firemode.InvalidField("note", "longer than %d bytes", maxNote)
		}
		d.Note = *patch.Note
	}
	if patch.Status == nil || *patch.Status == d.Status {
		return nil
	}
	if !slices.Contains(next(d.Status), *patch.Status) {
		return firemode.Conflict("a defect that is %s cannot become %s", d.Status, *patch.Status)
	}
	d.Status = *patch.Status
	return nil
}

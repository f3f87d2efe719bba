package sessions

import (
	"context"
	"slices"

	"firemode"
	"firemode/internal/store"
)

// Defects lists the defects that the caller may see, oldest first.
func (s *Service) Defects(ctx context.Context, f store.DefectFilter, page store.Page) (list []store.Keyed[firemode.Defect], err error) {
	p, err := firemode.Caller(ctx)
	if err != nil {
		return nil, err
	}
	f.VisibleTo, f.OwnedBy = scope(p)
	err = s.store.View(ctx, func(tx store.ReadTx) error {
		list, err = store.As[store.DefectReader](tx).Defects(ctx, p.Org, f, page)
		return err
	})
	return list, err
}

// Defect returns one defect.
func (s *Service) Defect(ctx context.Context, id firemode.DefectID) (d firemode.Defect, err error) {
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

func visibleDefect(ctx context.Context, tx store.ReadTx, p firemode.Principal, id firemode.DefectID) (firemode.Defect, error) {
	d, err := store.As[store.DefectReader](tx).Defect(ctx, p.Org, id)
	if err != nil {
		return d, err
	}
	if _, err := visible(ctx, tx, p, d.Session); err != nil {
		if firemode.CodeOf(err) == firemode.CodeNotFound {
			err = firemode.NotFound("there is no defect %s", id)
		}
		return d, err
	}
	return d, nil
}

// DefectPatch moves a defect on; nil fields stay as they are.
type DefectPatch struct {
	Status *firemode.DefectStatus
	Note   *string
}

// next says to which statuses a person may move a defect. Withdrawing is the merge's alone, and what is withdrawn stays so until
// a result reports it again.
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

// PatchDefect changes a defect; ifRevision 0 is any.
func (s *Service) PatchDefect(ctx context.Context, id firemode.DefectID, ifRevision int64, patch DefectPatch) (firemode.Defect, error) {
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
		return d, audit(ctx, tx, s, actionDefect, string(id), map[string]any{
			"from": before, "to": d.Status, "note": d.Note, "session_id": d.Session, "sequence": locked[0].Head.Seq,
		})
	})
}

func (patch DefectPatch) applyTo(d *firemode.Defect) error {
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

package visits

import (
	"context"
	"strings"
	"time"

	"firemode"
	"firemode/internal/record/merge"
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

// Patch changes a session whose state is the one that ifMatch names, see Detail.Tag, or any state
// for "*". Another state is CodeChanged. A change of status is also logged, so that it can be
// proved.
func (s *Service) Patch(ctx context.Context, id firemode.SessionID, ifMatch string, patch Patch) (Detail, error) {
	p, err := firemode.Caller(ctx)
	if err != nil {
		return Detail{}, err
	}
	if ifMatch == "" {
		return Detail{}, firemode.PreconditionMissing(
			"the header If-Match must name the ETag of the session that you are changing")
	}
	return store.Once(ctx, s.store, func(tx store.Tx) (Detail, error) {
		locked, err := store.As[store.SessionWriter](tx).LockSessions(ctx, p.Org, []firemode.SessionID{id})
		if err != nil {
			return Detail{}, err
		}
		if len(locked) == 0 {
			return Detail{}, firemode.NotFound("there is no session %s", id)
		}
		if err := store.MaySeeSession(ctx, tx, p, locked[0].Session); err != nil {
			return Detail{}, err
		}
		before, err := detail(ctx, tx, locked[0].Session)
		if err != nil {
			return Detail{}, err
		}
		if ifMatch != "*" && ifMatch != before.Tag() {
			return Detail{}, firemode.Changed("the session has changed; read it again")
		}
		return s.patch(ctx, tx, p, locked[0], patch)
	})
}

func (s *Service) patch(
	ctx context.Context, tx store.Tx, p firemode.Principal, locked store.LockedSession, patch Patch,
) (Detail, error) {
	session := locked.Session
	if patch.Name != nil {
		session.Name = strings.TrimSpace(*patch.Name)
		if session.Name == "" || len(session.Name) > maxName {
			return Detail{}, firemode.InvalidField("session_name", "give a name of 1 to %d bytes", maxName)
		}
	}
	if patch.Technicians != nil {
		if err := checkTechnicians(ctx, tx, p.Org, *patch.Technicians); err != nil {
			return Detail{}, err
		}
		session.Technicians = *patch.Technicians
	}
	if patch.Status != nil && *patch.Status != session.Status {
		var err error
		locked.Session = session
		if session, err = s.move(ctx, tx, p, locked, patch); err != nil {
			return Detail{}, err
		}
	}
	if err := store.As[store.SessionWriter](tx).UpdateSession(ctx, session); err != nil {
		return Detail{}, err
	}
	err := store.AppendActions(ctx, tx, p, store.Action{
		ID: firemode.AuditID(s.NewID()), Name: "session.update", Subject: string(session.ID),
		Data: map[string]any{"status": session.Status, "reason": patch.Reason},
	})
	if err != nil {
		return Detail{}, err
	}
	if session, err = store.As[store.SessionReader](tx).Session(ctx, p.Org, session.ID); err != nil {
		return Detail{}, err
	}
	return detail(ctx, tx, session)
}

// move logs a change of status, and returns the changed session, which it does not write. Active
// and reopened sessions can be completed, completed ones reopened.
func (s *Service) move(
	ctx context.Context, tx store.Tx, p firemode.Principal, locked store.LockedSession, patch Patch,
) (firemode.Session, error) {
	session, to := locked.Session, *patch.Status
	switch from := session.Status; {
	case to == firemode.SessionCompleted && (from == firemode.SessionActive || from == firemode.SessionReopened):
		c := Completion{Session: session, Head: locked.Head, AcceptGaps: patch.AcceptGaps, Reason: patch.Reason}
		if err := s.mayComplete(ctx, tx, c); err != nil {
			return session, err
		}
		session.CompletedAt = tx.Now()
	case to == firemode.SessionReopened && from == firemode.SessionCompleted:
		if strings.TrimSpace(patch.Reason) == "" {
			return session, firemode.InvalidField("reason", "say why the session is reopened")
		}
		session.CompletedAt = time.Time{}
	default:
		return session, firemode.Conflict("a session that is %s cannot become %s", from, to)
	}
	session.Status = to
	if patch.Reason != "" {
		session.Reason = patch.Reason
	}
	return session, s.Merge.ChangeStatus(ctx, tx, locked, merge.StatusChange{
		Session: session, By: p.User, Reason: patch.Reason, AcceptGaps: patch.AcceptGaps,
	})
}

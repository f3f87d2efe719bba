package visits

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"firemode"
	"firemode/internal/record/ledger"
	"firemode/internal/rules"
	"firemode/internal/store"
)

// Draft is a session to be created.
type Draft struct {
	ID          firemode.SessionID // "" for a new id
	Building    firemode.BuildingID
	Name        string
	Frequency   firemode.Frequency
	Technicians []firemode.UserID // none to admit every technician
}

// Bounds of a session.
const (
	maxName        = 200
	maxTechnicians = 100
)

// check returns an error that names every invalid field.
func (n Draft) check() error {
	var wrong []firemode.Detail
	add := func(field, reason string) { wrong = append(wrong, firemode.Detail{Field: field, Reason: reason}) }
	if n.ID != "" && !firemode.ValidID(string(n.ID)) {
		add("session_id", "an id is 1 to 64 characters of A-Z a-z 0-9 _ -")
	}
	if n.Building == "" {
		add("building_id", "missing")
	}
	if name := strings.TrimSpace(n.Name); name == "" || len(name) > maxName {
		add("session_name", fmt.Sprintf("give a name of 1 to %d bytes", maxName))
	}
	if !n.Frequency.Valid() {
		add("frequency", fmt.Sprintf("unknown; known are %v", firemode.Frequencies))
	}
	if len(n.Technicians) > maxTechnicians {
		add("technician_ids", fmt.Sprintf("more than %d", maxTechnicians))
	}
	if len(wrong) > 0 {
		return firemode.Invalid("the session is not valid", wrong...)
	}
	return nil
}

// fingerprint identifies the content of a draft, its ID aside.
func (n Draft) fingerprint() []byte {
	text, _ := json.Marshal([]any{n.Building, n.Name, n.Frequency, n.Technicians}) // strings always marshal
	sum := sha256.Sum256(text)
	return sum[:]
}

// Create creates a session with an item for everything that is due, each check pinned to the rule
// version in force. A repeated draft with the same id returns the session that exists; another
// draft with that id is CodeConflict.
func (s *Service) Create(ctx context.Context, n Draft) (Detail, error) {
	p, err := firemode.Caller(ctx)
	if err != nil {
		return Detail{}, err
	}
	if err := n.check(); err != nil {
		return Detail{}, err
	}
	n.Name = strings.TrimSpace(n.Name)
	set, err := s.Rules.RuleSet(ctx, p.Org)
	if err != nil {
		return Detail{}, err
	}
	return store.Once(ctx, s.store, func(tx store.Tx) (Detail, error) {
		session, err := s.create(ctx, tx, p, n, set)
		if err != nil {
			return Detail{}, err
		}
		return detail(ctx, tx, session)
	})
}

func (s *Service) create(
	ctx context.Context, tx store.Tx, p firemode.Principal, n Draft, set *rules.Set,
) (firemode.Session, error) {
	building, err := store.As[store.BuildingWriter](tx).LockBuilding(ctx, p.Org, n.Building)
	if err != nil {
		return firemode.Session{}, firemode.NotFoundAs("building_id", err)
	}
	creation := n.fingerprint()
	if n.ID == "" {
		n.ID = firemode.SessionID(s.NewID())
	} else if known, err := store.As[store.SessionReader](tx).Session(ctx, p.Org, n.ID); err == nil {
		return existing(known, creation)
	}
	if err := checkTechnicians(ctx, tx, p.Org, n.Technicians); err != nil {
		return firemode.Session{}, err
	}
	session := firemode.Session{
		Org: p.Org, ID: n.ID, Building: n.Building, Name: n.Name, Frequency: n.Frequency, Status: firemode.SessionPending,
		Technicians: n.Technicians, Version: 1, CreatedAt: tx.Now(), CreatedBy: p.User, Creation: creation,
		Format: firemode.CurrentFormat,
	}
	items, err := dueItems(ctx, tx, building, session, set)
	if err != nil {
		return session, err
	}
	session.ItemCount = len(items)
	for _, item := range items {
		session.CheckCount += len(item.Checks)
	}
	key := make([]byte, sha256.Size)
	if _, err := io.ReadFull(s.Rand, key); err != nil {
		return session, err
	}
	head := ledger.Head{Epoch: 1, Key: key, ChangedAt: tx.Now()}
	if err := store.As[store.SessionWriter](tx).CreateSession(ctx, session, head); err != nil {
		return session, err
	}
	if err := store.As[store.ItemWriter](tx).CreateItems(ctx, p.Org, session.ID, items); err != nil {
		return session, err
	}
	return session, store.AppendActions(ctx, tx, p, store.Action{
		ID: firemode.AuditID(s.NewID()), Name: ledger.ActionCreateSession, Subject: string(session.ID),
		Data: ledger.CreationOf(session, key, items).Data(),
	})
}

// existing returns the session whose id a draft has, if it was created from the same draft.
func existing(known firemode.Session, creation []byte) (firemode.Session, error) {
	if bytes.Equal(known.Creation, creation) {
		return known, nil
	}
	return firemode.Session{}, firemode.Conflict("session %s exists already, with other content", known.ID)
}

// checkTechnicians returns an error that names the first of ids who is no member of staff.
func checkTechnicians(ctx context.Context, tx store.ReadTx, org firemode.OrgID, ids []firemode.UserID) error {
	if len(ids) == 0 {
		return nil
	}
	users, err := store.As[store.UserReader](tx).UsersByID(ctx, org, ids)
	if err != nil {
		return err
	}
	for i, id := range ids {
		known := slices.IndexFunc(users, func(u firemode.User) bool { return u.ID == id })
		if known < 0 || users[known].Role == firemode.RoleOwner {
			field := fmt.Sprintf("technician_ids[%d]", i)
			return firemode.InvalidField(field, "%s is not a member of staff of your organisation", id)
		}
	}
	return nil
}

package sessions

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"firemode"
	"firemode/internal/record/ledger"
	"firemode/internal/rules"
	"firemode/internal/store"
)

// Draft is a session to be made.
type Draft struct {
	ID          firemode.SessionID // "" to have one minted
	Building    firemode.BuildingID
	Name        string
	Frequency   firemode.Frequency
	Technicians []firemode.UserID // none: open to every technician
}

// Bounds of a session.
const (
	maxName        = 200
	maxTechnicians = 100
)

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

func (n Draft) fingerprint() []byte {
	text, _ := json.Marshal([]any{n.Building, n.Name, n.Frequency, n.Technicians}) // strings always marshal
	sum := sha256.Sum256(text)
	return sum[:]
}

// Create makes a session with an item for everything that is due, each check pinned to the rule version in force. The same id
// and body again is the same creation; the same id and another body is CodeConflict.
func (s *Service) Create(ctx context.Context, n Draft) (Detail, error) {
	p, err := firemode.Caller(ctx)
	if err != nil {
		return Detail{}, err
	}
	if err := n.check(); err != nil {
		return Detail{}, err
	}
	n.Name = strings.TrimSpace(n.Name)
	book, err := s.Rules.RuleSet(ctx, p.Org)
	if err != nil {
		return Detail{}, err
	}
	return store.Once(ctx, s.store, func(tx store.Tx) (Detail, error) {
		session, err := s.create(ctx, tx, p, n, book)
		if err != nil {
			return Detail{}, err
		}
		return detail(ctx, tx, session)
	})
}

func (s *Service) create(ctx context.Context, tx store.Tx, p firemode.Principal, n Draft, book *rules.Set) (firemode.Session, error) {
	building, err := store.As[store.BuildingWriter](tx).LockBuilding(ctx, p.Org, n.Building)
	if err != nil {
		return firemode.Session{}, notFoundAs("building_id", err)
	}
	creation := n.fingerprint()
	if n.ID == "" {
		n.ID = firemode.SessionID(s.NewID())
	} else if known, err := store.As[store.SessionReader](tx).Session(ctx, p.Org, n.ID); err == nil {
		return again(known, creation)
	}
	if err := checkTechnicians(ctx, tx, p.Org, n.Technicians); err != nil {
		return firemode.Session{}, err
	}
	session := firemode.Session{
		Org: p.Org, ID: n.ID, Building: n.Building, Name: n.Name, Frequency: n.Frequency, Status: firemode.SessionPending,
		Technicians: n.Technicians, Version: 1, CreatedAt: tx.Now(), CreatedBy: p.User, Creation: creation,
		Format: firemode.CurrentFormat,
	}
	items, err := dueItems(ctx, tx, building, session, book)
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
	if err := store.As[store.SessionWriter](tx).CreateSession(ctx, session, ledger.Head{Epoch: 1, Key: key, ChangedAt: tx.Now()}); err != nil {
		return session, err
	}
	if err := store.As[store.ItemWriter](tx).CreateItems(ctx, p.Org, session.ID, items); err != nil {
		return session, err
	}
	return session, audit(ctx, tx, s, actionCreate, string(session.ID), creationOf(session, key, items).data())
}

// again answers a creation whose id is taken.
func again(known firemode.Session, creation []byte) (firemode.Session, error) {
	if bytes.Equal(known.Creation, creation) {
		return known, nil
	}
	return firemode.Session{}, firemode.Conflict("session %s exists already and is another", known.ID)
}

func notFoundAs(field string, err error) error {
	if firemode.CodeOf(err) == firemode.CodeNotFound {
		return firemode.InvalidField(field, "no such thing in your organisation")
	}
	return err
}

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
			return firemode.InvalidField(fmt.Sprintf("technician_ids[%d]", i), "%s is not a member of staff of your organisation", id)
		}
	}
	return nil
}

// dueItems returns an item for every asset in service, every system with one, and the site, that has a check due.
func dueItems(ctx context.Context, tx store.Tx, building firemode.Building, session firemode.Session, book *rules.Set) ([]firemode.Item, error) {
	last, err := store.As[store.SessionReader](tx).LastResults(ctx, building.Org, building.ID)
	if err != nil {
		return nil, err
	}
	var items []firemode.Item
	add := func(item firemode.Item, t rules.AssetType) {
		if item.Checks = rules.Due(t, session.Frequency, book, session.CreatedAt); len(item.Checks) == 0 {
			return
		}
		if found, ok := last[item.ID]; ok {
			item.Last = &found
		}
		item.Type, item.System, item.Kind, item.Listed, item.State = t.Code, t.System, t.Kind, true, firemode.ItemUntouched
		items = append(items, item)
	}
	systems := map[string]bool{}
	err = store.As[store.AssetReader](tx).EachAsset(ctx, building.Org, building.ID, func(a firemode.Asset) error {
		t, ok := rules.TypeByCode(a.Type)
		if !ok || a.Status != firemode.AssetInService {
			return nil
		}
		systems[t.System] = true
		add(firemode.Item{
			ID: firemode.ItemID(a.ID), Name: cmp.Or(a.Description, t.Name), Level: a.Level,
			Location: slices.DeleteFunc([]string{building.Name, a.Level, a.Location}, func(s string) bool { return s == "" }), Baselines: a.Baselines,
		}, t)
		return nil
	})
	for _, t := range rules.Types() {
		if t.Kind == firemode.KindSite || t.Kind == firemode.KindSystem && systems[t.System] {
			add(firemode.Item{ID: firemode.ItemID(t.Code), Name: t.Name, Location: []string{building.Name}}, t)
		}
	}
	return inWalkingOrder(items), err
}

// inWalkingOrder numbers items: the site and its systems first, then level by level from the lowest, by location and id.
func inWalkingOrder(items []firemode.Item) []firemode.Item {
	kinds := map[firemode.AssetKind]int{firemode.KindSite: 0, firemode.KindSystem: 1, firemode.KindAsset: 2}
	slices.SortFunc(items, func(a, b firemode.Item) int {
		return cmp.Or(
			cmp.Compare(kinds[a.Kind], kinds[b.Kind]),
			cmp.Compare(storey(a.Level), storey(b.Level)), cmp.Compare(a.Level, b.Level),
			slices.Compare(a.Location, b.Location), cmp.Compare(a.ID, b.ID),
		)
	})
	for i := range items {
		items[i].Position = i + 1
	}
	return items
}

// storey returns how far a level is above the ground: -2 for "B2", 0 for "G", 5 for "L05". Other names come last.
func storey(level string) int {
	if level == "G" {
		return 0
	}
	if len(level) > 1 {
		if n, err := strconv.Atoi(level[1:]); err == nil {
			switch level[0] {
			case 'B':
				return -n
			case 'L':
				return n
			}
		}
	}
	return 1 << 20
}

// audit appends one entry for the caller of ctx.
func audit(ctx context.Context, tx store.Tx, s *Service, action, subject string, data map[string]any) error {
	p, err := firemode.Caller(ctx)
	if err != nil {
		return err
	}
	return store.AppendActions(ctx, tx, p, store.Action{
		ID: firemode.AuditID(s.NewID()), Name: action, Subject: subject, Data: data,
	})
}

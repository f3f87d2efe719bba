package machine

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/go-json-experiment/json"

	"firemode"
	"firemode/client"
	"firemode/internal/assets"
	"firemode/internal/identity"
	"firemode/internal/record/crdt/oracle"
	"firemode/internal/record/ledger"
	"firemode/internal/record/merge/mergetest"
	"firemode/internal/visits"
)

// machine is one session, its phones, and what is known of both.
type machine struct {
	*site
	ctx     context.Context
	clock   *clock
	ref     ledger.SessionRef
	tokens  map[string]string // by user
	phones  []*phone
	model   *model
	kept    []kept // backups
	count   int    // of ids that were made up
	healing bool   // what is read is checked at the end
	turn    bool   // to ask for lines

	conflicts map[string]shownConflict // every one that was ever shown, by id
	walks     map[string]walk          // by cursor

	// Of the last step, for the invariants.
	was, now *mergetest.Facts
	truth    oracle.State
	text     []byte         // of the whole document
	before   []byte         // the same, before the step
	shown    client.Results // the same, read
	status   client.SyncStatus
	event    event
	done     *exchange
	refused  *whole // the last request, if it was refused as a whole
	pulled   *phone // has just been given all there is
	hostile  []attempted
	observed observed
	pulls    map[string]observed // by client
}

// event says what a step has done to the server, beside requests.
type event string

const (
	nothing   event = ""
	restarted event = "restarted"
	restored  event = "restored"
)

// kept is a backup, and what was true when it was made.
type kept struct {
	name  string
	model *model
	facts *mergetest.Facts
}

// walk is what the server knows of a cursor: where the walk began, and in which epoch.
type walk struct {
	from  int64
	epoch int64
}

// observed is how far somebody has seen the session to be.
type observed struct {
	epoch, seq int64
	clock      map[string]int64
}

// whole is a batch that was refused because some of its changes cannot be applied.
type whole struct {
	post
	fields    []string // which, in the words of the answer
	delivered int64    // how much of the session to its writer
	seq       int64
}

// exchange is a request for which there are expectations, and its answer.
type exchange struct {
	post
	verdict  verdict
	spelling spelling
	answer   answer
}

var users = []string{"ann", "bob", "cyd", "boss"}

// newMachine makes an organisation with one session, its users and its phones: some that count, one
// of them without batch ids, and two that do not count.
func (s *site) newMachine(ctx context.Context, c *clock, number int) (*machine, error) {
	org := firemode.OrgID(fmt.Sprint("o", number))
	m := &machine{
		site:      s,
		ctx:       ctx,
		clock:     c,
		ref:       ledger.SessionRef{Org: org, Session: "visit"},
		tokens:    map[string]string{},
		model:     newModel(),
		conflicts: map[string]shownConflict{},
		walks:     map[string]walk{},
		pulls:     map[string]observed{},
	}
	if err := m.populate(); err != nil {
		return nil, err
	}
	for _, ph := range []phone{
		{State: client.State{Client: "A"}, user: "ann"},
		{State: client.State{Client: "B"}, user: "bob", skew: -3 * 365 * 24 * time.Hour},
		{State: client.State{Client: "C"}, user: "ann", plain: true},
		{State: client.State{Client: "D"}, user: "cyd", skew: 40 * time.Minute},
		{State: client.State{Client: "N"}, user: "bob", naive: true},
		{user: "cyd", naive: true},
		{State: client.State{Client: "M"}, user: "boss"},
	} {
		ph.Session = m.ref.Session
		m.phones = append(m.phones, &ph)
	}
	return m, m.check()
}

func (m *machine) populate() error {
	org := m.ref.Org
	if err := m.services.Auth.AddOrganisation(m.ctx, org, "Organisation"); err != nil {
		return err
	}
	operator := identity.AsOperator(m.ctx, org)
	for _, name := range users {
		role := firemode.RoleTechnician
		if name == "boss" {
			role = firemode.RoleManager
		}
		id := firemode.UserID(name)
		named := string(org) + "-" + name
		_, err := m.services.Auth.CreateUser(
			operator, identity.NewUser{ID: id, Username: named, FullName: name, Role: role, Password: password},
		)
		if err != nil {
			return err
		}
		if m.tokens[name], err = m.services.Auth.AccessToken(m.ctx, named); err != nil {
			return err
		}
	}
	boss := firemode.WithPrincipal(
		m.ctx, firemode.Principal{Org: org, User: "boss", Name: "boss", Role: firemode.RoleManager},
	)
	if _, err := m.services.Buildings.Create(boss, assets.NewBuilding{ID: "b", Name: "B", Address: "S"}); err != nil {
		return err
	}
	_, err := m.services.Visits.Create(
		boss, visits.Draft{ID: m.ref.Session, Building: "b", Name: "Visit", Frequency: firemode.Weekly},
	) // nothing is due that often: what is recorded is found on site
	return err
}

func (m *machine) path(below string) string {
	return "/v1/tests/sessions/" + string(m.ref.Session) + below
}

func (m *machine) get(user, below string, header map[string]string) answer {
	return m.do(request{token: m.tokens[user], method: "GET", path: m.path(below), header: header})
}

func (m *machine) id(prefix string) string {
	m.count++
	return fmt.Sprint(prefix, m.count)
}

// check looks at everything there is after a step, and holds it to the invariants.
func (m *machine) check() (err error) {
	if m.healing && m.done == nil {
		m.pulled = nil
		return nil
	}
	m.was, m.before = m.now, m.text
	if m.now, err = mergetest.Read(m.ctx, m.site.store, m.ref); err != nil {
		return err
	}
	if m.was == nil {
		m.was = m.now
	}
	m.truth = m.now.Truth()
	whole := m.get("boss", "/results", nil)
	m.text, m.shown = whole.body, client.Results{}
	if err := whole.into(&m.shown); err != nil {
		return fmt.Errorf("the whole document: %w", err)
	}
	if err := m.get("boss", "/sync_status", nil).into(&m.status); err != nil {
		return fmt.Errorf("the status: %w", err)
	}
	if err := m.witness(m.shown.Checkpoint); err != nil {
		return err
	}
	m.remember(m.shown.Conflicts)
	if m.done != nil {
		if err := m.model.hear(m.done, m.was, m.now); err != nil {
			return fmt.Errorf("%s, which should be %s: %w", m.done.key, m.done.verdict, err)
		}
	}
	err = m.invariants()
	m.event, m.done, m.pulled, m.hostile = nothing, nil, nil, nil
	if err != nil {
		return fmt.Errorf("%w\nthe log:\n%s", err, m.now)
	}
	return nil
}

// witness keeps what a checkpoint states.
func (m *machine) witness(signed string) error {
	if signed == "" {
		return nil
	}
	c, err := ledger.OpenCheckpoint(signed, m.verifier)
	if err != nil {
		return err
	}
	m.model.roots[c.Size] = c.Root
	return nil
}

// remember keeps the conflicts that were shown.
func (m *machine) remember(open []client.Conflict) {
	for _, c := range open {
		m.conflicts[c.ID] = shownOf(c)
	}
}

// submit posts p, and then looks at everything. The phone learns from the answer unless it is lost.
func (m *machine) submit(p post, s spelling, lost bool) error {
	text, err := p.body(m.clock.now())
	if err != nil {
		return err
	}
	body, err := s.encode(text)
	if err != nil {
		return err
	}
	ex := &exchange{post: p, spelling: s, verdict: m.model.judge(p)}
	if p.whole && ex.verdict == admitted {
		if ex.verdict, err = p.asWhole(); err != nil {
			return err
		}
	}
	ex.answer = m.postBody(p, s, body)
	if ex.verdict == undecided {
		ex.verdict = admitted
		if ex.answer.status == http.StatusUnprocessableEntity {
			ex.verdict = refused
		}
	}
	if !lost && p.by == "" && !p.spoilt {
		if err := p.phone.heard(p, ex.answer); err != nil {
			return err
		}
	}
	if ex.answer.status == 200 {
		var r client.Receipt
		if err := json.Unmarshal(ex.answer.body, &r); err != nil {
			return err
		}
		m.rememberWhole(r.Conflicts)
		for _, c := range r.Results {
			if c.Conflict != nil {
				m.rememberWhole([]client.Conflict{*c.Conflict})
			}
		}
	}
	m.done = ex
	return m.check()
}

// rememberWhole is remember for a list that may be cut.
func (m *machine) rememberWhole(open []client.Conflict) {
	for _, c := range open {
		if len(c.Values) == c.Count {
			m.conflicts[c.ID] = shownOf(c)
		}
	}
}

package httpapi

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"firemode"
	"firemode/internal/httpkit/httpkittest"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// TestSubmit_ClientIDBelongsToOneUser holds the clock of a batch, and the actor that follows from
// it, to the table of the merge design.
func TestSubmit_ClientIDBelongsToOneUser(t *testing.T) {
	play(t, []scenario{
		{"a clock that is no object, or has an entry that is no whole number, is refused", func(t *testing.T, v *visit) {
			for _, clock := range []string{
				`[]`, `7`, `"x"`, `true`, `{"tab":-1}`, `{"tab":1.5}`, `{"tab":"1"}`,
				`{"tab":null}`, `{"tab":{}}`, `{"tab":9223372036854775808}`, `{"tab":1,"other":-1}`,
			} {
				q := request{
					as: "tech1", method: "POST", path: v.path("/results"),
					header: map[string]string{"Idempotency-Key": clock},
				}
				q.body = `{"changes":[` + set("/x", "1") + `],"_sync_meta":{"client_id":"tab","vector_clock":` + clock + `}}`
				p := httpkittest.WantProblem(t, v.do(q), http.StatusUnprocessableEntity)
				if !strings.HasPrefix(p.Details[0].Field, "_sync_meta.vector_clock") {
					t.Errorf("%s: the details name %q", clock, p.Details[0].Field)
				}
			}
			v.document(`{}`)
		}},
		{"an entry of 0 counts as absent", func(t *testing.T, v *visit) {
			r := v.send("tech1", batch{
				client: "tab", seen: map[string]int64{"tab": 0, "other": 0},
				changes: []string{set("/x", "1")},
			})
			same(t, r.Clock, map[string]int64{})
			same(t, v.pull("tech1", "").Clock, map[string]int64{"tab~s": 1})
		}},
		{"of a clock with more than 4096 entries the rest is dropped, and that is flagged", func(t *testing.T, v *visit) {
			v.send("tech2", batch{client: "a", number: 1, changes: []string{set("/x", "1")}})
			v.pull("tech1", "zz")
			crowd := map[string]int64{"a": 1}
			for i := range 4094 {
				crowd[fmt.Sprintf("n%04d", i)] = 1
			}
			r := v.send("tech1", batch{client: "zz", number: 1, seen: crowd, changes: []string{set("/x", "2")}})
			same(t, r.Clock, map[string]int64{"zz": 1, "a": 1})
			same(t, r.Flags, []string{"clock_clamped"})
			crowd["one"], crowd["too-many"] = 1, 1
			r = v.send("tech1", batch{client: "zz", number: 2, seen: crowd, changes: []string{set("/x", "3")}})
			same(t, r.Clock, map[string]int64{"zz": 2, "a": 1})
			same(t, r.Flags, []string{"clock_clamped", "clock_trimmed"})
			v.document(`{"x":3}`)
			v.disputed()
		}},
		{
			"of a session's clock with more than 4096 entries those with nothing live are left out of answers",
			func(t *testing.T, v *visit) {
				v.send("tech1", batch{client: "a", number: 1, changes: []string{set("/x", "1")}})
				v.send("tech1", batch{client: "b", number: 1, changes: []string{set("/y", "1")}})
				v.send("tech1", batch{client: "b", number: 2, changes: []string{remove("/y")}})
				v.send("tech1", batch{client: "c", number: 1})
				v.crowd(ledger.MaxClock - 3)
				same(t, len(v.pull("engineer", "").Clock), ledger.MaxClock)
				v.send("tech2", batch{client: "d", number: 1})
				same(t, v.pull("engineer", "").Clock, map[string]int64{"a": 1, "b": 2})
			},
		},
		{"a user has at most 256 clients in a session", func(t *testing.T, v *visit) {
			for i := range 128 {
				v.send("tech1", batch{client: fmt.Sprintf("tab-%d", i), number: 1})
				v.pull("tech1", fmt.Sprintf("phone-%d", i))
			}
			full := "you have 256 clients in this session, which is the limit"
			p := v.refused("tech1", http.StatusUnprocessableEntity, batch{client: "one-more", number: 1})
			same(t, p.Details, []httpkittest.Detail{{Field: "_sync_meta.client_id", Reason: full}})
			q := as("tech1", "GET", v.path("/results"))
			q.header = map[string]string{"X-Client-ID": "one-more"}
			same(t, httpkittest.WantProblem(t, v.do(q), http.StatusUnprocessableEntity).Details,
				[]httpkittest.Detail{{Field: "X-Client-ID", Reason: full}})
			v.send("tech1", batch{client: "tab-7", number: 2})
			v.send("tech2", batch{client: "one-more", number: 1})
		}},
		{"a client that does not count is counted for, once and for ever by its key", naiveForEver},
		{"a naive client without an id writes as its user", func(t *testing.T, v *visit) {
			for _, b := range []batch{
				{changes: []string{set("/x", "1")}},
				{seen: map[string]int64{}, changes: []string{set("/x", "2")}},
			} {
				same(t, v.send("tech1", b).statuses(), "applied")
			}
			v.send("tech2", batch{changes: []string{set("/x", "3")}})
			same(t, v.pull("tech1", "").Clock, map[string]int64{"~tech1": 2, "~tech2": 1})
			v.disputed(`value /x 3 2`)
		}},
		{"a naive POST under the id of a device that counts for itself", func(t *testing.T, v *visit) {
			v.send("tech1", batch{client: "tab", number: 1, changes: []string{set("/x", "1")}})
			r := v.send("tech1", batch{client: "tab", seen: map[string]int64{"other": 4}, changes: []string{set("/x", "2")}})
			same(t, r.Clock, map[string]int64{})
			same(t, v.pull("tech1", "").Clock, map[string]int64{"tab": 1, "tab~s": 1})
			v.disputed(`value /x 2 1`)
			v.send("tech1", batch{client: "tab", number: 2, changes: []string{set("/x", "3")}})
			v.disputed(`value /x 3 2`)
		}},
		{"no client can name itself as the server names those it counts for", func(t *testing.T, v *visit) {
			for _, id := range []string{"tab~s", "~tech1", "a b", "é", strings.Repeat("x", 65)} {
				v.refused("tech1", http.StatusUnprocessableEntity, batch{client: id, number: 1})
			}
		}},
		{"the client of another user is forbidden to everybody", othersClient},
		{"a manager submits an exported batch on behalf of its writer", onBehalf},
		{"what a clock claims beyond what was delivered is taken away, and flagged", func(t *testing.T, v *visit) {
			v.send("tech2", batch{client: "b", number: 1, changes: []string{set("/x", "1")}})
			v.pull("tech1", "a")
			v.send("tech2", batch{client: "b", number: 2, changes: []string{set("/x", "2")}})
			r := v.send("tech1", batch{
				client: "a", number: 1, seen: map[string]int64{"b": 2, "nobody": 3},
				changes: []string{set("/x", "3")},
			})
			same(t, r.Clock, map[string]int64{"a": 1, "b": 1})
			same(t, r.Flags, []string{"clock_clamped"})
			v.disputed(`value /x 3 2`)
		}},
		{"only what names its client is delivered to it", func(t *testing.T, v *visit) {
			v.send("tech2", batch{client: "b", number: 1, changes: []string{set("/x", "1")}})
			v.pull("tech1", "")
			v.pull("tech1", "another")
			v.get(http.StatusOK, as("tech1", "GET", v.path("/sync_status")))
			v.get(http.StatusOK, as("tech1", "GET", v.path("")))
			v.get(http.StatusOK, as("tech1", "GET", v.path("/history?path=/x")))
			v.pullFrom("tech1", "a", "/history?at_seq=1")
			r := v.send("tech1", batch{
				client: "a", number: 1, seen: map[string]int64{"b": 1},
				changes: []string{set("/x", "2")},
			})
			same(t, r.Clock, map[string]int64{"a": 1})
			v.disputed(`value /x 2 1`)
		}},
		{"a GET that names another user's client is forbidden", func(t *testing.T, v *visit) {
			v.pull("tech1", "tab")
			q := as("tech2", "GET", v.path("/results"))
			q.header = map[string]string{"X-Client-ID": "tab"}
			httpkittest.WantProblem(t, v.do(q), http.StatusForbidden)
			q.path = v.path("/offline_bundle")
			httpkittest.WantProblem(t, v.do(q), http.StatusForbidden)
			v.refused("tech2", http.StatusForbidden, batch{client: "tab", number: 1})
			v.send("tech1", batch{client: "tab", number: 1})
		}},
	})
}

const pressure = "/items/FE-1/measurements/pressure_kpa"

// crowd adds n clients of as many users, each with an empty batch, as a session of years has them.
func (v *visit) crowd(n int) {
	v.t.Helper()
	ref := ledger.SessionRef{Org: "a", Session: firemode.SessionID(v.id)}
	must(v.t, v.store.Update(v.t.Context(), func(tx store.Tx) error {
		locked, err := store.As[store.SessionWriter](tx).LockSessions(v.t.Context(), "a", []firemode.SessionID{ref.Session})
		if err != nil {
			return err
		}
		head := locked[0].Head
		var actors []ledger.Actor
		var batches []ledger.Entry
		for i := range n {
			id := crdt.ActorID(fmt.Sprintf("crowd-%d", i))
			head.Seq++
			b := ledger.Entry{
				Seq: head.Seq, Kind: ledger.EntryChanges, Actor: id, Number: 1, Changes: []byte("[]"),
				MergedSeq: head.Seq, PrefixSeq: head.Seq,
			}.Seal(ref, head.Hash)
			head.Hash = b.Hash
			batches = append(batches, b)
			actors = append(actors, ledger.Actor{
				ID: id, User: firemode.UserID(id), Held: crdt.Ranges{{1, 1}},
				Merged: crdt.Ranges{{1, 1}}, PrefixSeq: head.Seq,
			})
		}
		return errors.Join(store.As[store.EntryWriter](tx).InsertEntries(v.t.Context(), ref, batches),
			store.As[store.ActorWriter](tx).SaveActors(v.t.Context(), ref,
				actors), store.As[store.SessionWriter](tx).SaveHead(v.t.Context(), "a", ref.Session, head))
	}))
}

func naiveForEver(t *testing.T, v *visit) {
	for _, client := range []string{"", "tab"} {
		b := batch{client: client, key: "key of " + client, changes: []string{increment("/n", "1")}}
		first := v.post("tech1", b)
		again := v.post("tech1", b)
		same(t, again.Body.String(), first.Body.String())
		same(t, again.Header().Get("Idempotency-Replayed"), "true")
		v.forgetAnswers()
		late := v.post("tech1", b)
		var r receipt
		into(t, late, &r)
		same(t, late.Header().Get("Idempotency-Replayed"), "")
		same(t, []any{r.Applied, r.Duplicates, r.statuses()}, []any{0, 1, "duplicate"})
		v.forgetAnswers()
		b.changes = []string{increment("/n", "2")}
		v.refused("tech1", http.StatusConflict, b)
	}
	v.document(`{"n":2}`)
}

// forgetAnswers removes every stored answer, as happens to them after a day.
func (v *visit) forgetAnswers() {
	v.t.Helper()
	must(v.t, v.store.Update(v.t.Context(), func(tx store.Tx) error {
		_, err := store.As[store.ResponseWriter](tx).DeleteResponses(v.t.Context(), time.Now().Add(time.Hour), 1000)
		return err
	}))
}

func othersClient(t *testing.T, v *visit) {
	v.send("tech1", batch{client: "tab", number: 1, changes: []string{set("/x", "1")}})
	v.send("tech1", batch{client: "simple", changes: []string{set("/y", "1")}})
	for _, who := range []string{"tech2", "manager", "engineer", "admin"} {
		for _, b := range []batch{
			{client: "tab", number: 2, changes: []string{set("/x", "2")}},
			{client: "tab", number: 1, changes: []string{set("/x", "1")}},
			{client: "tab", changes: []string{set("/x", "2")}},
			{client: "simple", changes: []string{set("/y", "2")}},
			{client: "simple", number: 1, changes: []string{set("/y", "2")}},
		} {
			v.refused(who, http.StatusForbidden, b)
		}
	}
	v.refused("manager", http.StatusForbidden, batch{client: "tab", number: 2, onBehalfOf: "tech2"})
	v.document(`{"x":1,"y":1}`)
}

func onBehalf(t *testing.T, v *visit) {
	exported := batch{
		client: "tab", number: 1, seen: map[string]int64{"b": 1}, onBehalfOf: "tech1",
		changes: []string{set(pressure, "1100")},
	}
	v.send("tech2", batch{client: "b", number: 1, changes: []string{set(pressure, "1200")}})
	v.refused("tech2", http.StatusForbidden, exported)
	v.refused("engineer", http.StatusForbidden, exported)
	for _, foreign := range []string{"u-stranger", "nobody"} {
		stranger := exported
		stranger.onBehalfOf = foreign
		p := v.refused("manager", http.StatusUnprocessableEntity, stranger)
		same(t, p.Details[0].Field, "_sync_meta.on_behalf_of")
	}
	r := v.send("manager", exported)
	same(t, r.Clock, map[string]int64{"tab": 1})
	values := v.pull("engineer", "").conflictAt(t, pressure).Values
	i := slices.IndexFunc(values, func(s sibling) bool { return s.Dot == "tab:1:0" })
	s := values[i]
	same(t, []any{s.User, s.SubmittedBy, s.Client}, []any{"tech1", "u-manager", "tab"})
	if !slices.Contains(s.Flags, "submitted_on_behalf") {
		t.Errorf("flags %v", s.Flags)
	}
	told := v.list(v.path("/history?path=" + pressure))[0]
	same(t, fmt.Sprint(told["dot"], told["user"], told["submitted_by"], told["flags"]),
		"tab:1:0tech1u-manager[submitted_on_behalf unlisted]")
	// The actor is tech1's now: the same batch from the phone itself is known, and the manager's
	// own is not.
	own := exported
	own.onBehalfOf = ""
	same(t, v.send("tech1", own).statuses(), "duplicate")
	v.refused("manager", http.StatusForbidden, own)
	// Managers' own work is the same request, whether they submit it or their phone does.
	theirs := batch{client: "boss", number: 1, onBehalfOf: "u-manager", key: "boss 1", changes: []string{set("/x", "1")}}
	v.send("manager", theirs)
	theirs.onBehalfOf = ""
	same(t, v.send("manager", theirs).statuses(), "applied")
}

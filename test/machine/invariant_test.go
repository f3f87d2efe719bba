package machine

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"firemode/client"
	"firemode/internal/record/crdt"
	"firemode/internal/record/crdt/oracle"
	"firemode/internal/record/ledger"
	"firemode/internal/record/merge/mergetest"
	"firemode/internal/store"
)

// invariants holds the state after a step to all of them.
func (m *machine) invariants() error {
	for i, holds := range []func() error{m.i1, m.i2, m.i3, m.i4, m.i5, m.i6, m.i7, m.i8, m.i9, m.i10, m.i11, m.i12} {
		if err := holds(); err != nil {
			return fmt.Errorf("I%d does not hold: %w", i+1, err)
		}
	}
	return nil
}

// I1: every acknowledged op is in the log for ever. So is what was refused as a copy's, in
// quarantine; and nothing else is.
func (m *machine) i1() error {
	held := 0
	for i, b := range m.now.Log {
		if b.Kind != ledger.EntryChanges {
			continue
		}
		held++
		ref := ledger.BatchRef{Actor: b.Actor, Number: b.Number}
		k, acknowledged := m.model.known[ref]
		if !acknowledged {
			return fmt.Errorf("log entry %d is %s:%d, which nobody has acknowledged", b.Seq, b.Actor, b.Number)
		}
		want, err := parse(k.content)
		if err != nil {
			return err
		}
		if crdt.Content(want) != crdt.Content(m.now.Changes[i]) {
			return fmt.Errorf("log entry %d is not what was acknowledged: %s", b.Seq, k.content)
		}
		for c, status := range k.statuses {
			if (status == "rejected") != (b.Outcomes[c].Status == "rejected") {
				return fmt.Errorf(
					"change %d of log entry %d was answered as %s, and is %s", c, b.Seq, status, b.Outcomes[c].Status,
				)
			}
		}
		if err := m.writtenBy(i, k); err != nil {
			return err
		}
	}
	if held != len(m.model.known) {
		return fmt.Errorf("%d batches were acknowledged, and the log has %d", len(m.model.known), held)
	}
	return mergetest.All(m.told(), m.quarantine())
}

// writtenBy holds that log entry i is the work of who did it, whoever submitted it, and that each
// of its changes tells if that was another.
func (m *machine) writtenBy(i int, k known) error {
	b := m.now.Log[i]
	err := mergetest.All(
		mergetest.Same(fmt.Sprint("user of log entry ", b.Seq), string(b.User), k.user),
		mergetest.Same(fmt.Sprint("submitter of log entry ", b.Seq), string(b.SubmittedBy), k.by),
		mergetest.Same(fmt.Sprint("user of ", b.Actor), m.now.Actors[b.Actor].User, b.User),
	)
	for c, o := range b.Outcomes {
		if told := slices.Contains(o.Flags, "submitted_on_behalf"); err == nil && o.Status != "rejected" &&
			told != (k.by != "") {
			return fmt.Errorf("change %d of log entry %d, submitted by %q, has the flags %v", c, b.Seq, k.by, o.Flags)
		}
	}
	return err
}

// told holds that conflicts tell the same of their readings.
func (m *machine) told() error {
	for _, c := range m.shown.Conflicts {
		for _, v := range c.Values {
			d, err := crdt.ParseDot(v.Dot)
			if err != nil {
				return err
			}
			k := m.model.known[ledger.BatchRef{Actor: d.Actor, Number: d.Batch}]
			if string(v.User) != k.user || string(v.SubmittedBy) != k.by ||
				slices.Contains(v.Flags, "submitted_on_behalf") != (k.by != "") {
				return fmt.Errorf("the reading %s of %s, submitted by %q, is shown as %+v", v.Dot, k.user, k.by, v)
			}
		}
	}
	return nil
}

func (m *machine) quarantine() error {
	found := map[crdt.ActorID]bool{}
	err := m.site.store.View(m.ctx, func(tx store.ReadTx) error {
		return store.As[store.EntryReader](tx).EachQuarantined(m.ctx, m.ref, func(q ledger.Quarantined) error {
			content, err := parse(m.model.quarantined[q.Fresh])
			found[q.Fresh] = err == nil && crdt.Content(content) == [32]byte(q.Content)
			return nil
		})
	})
	for fresh := range m.model.quarantined {
		if !found[fresh] {
			err = errors.Join(err, fmt.Errorf("what is to be sent again as %s is not in quarantine", fresh))
		}
	}
	return err
}

// I2: state = oracle(stored ops).
func (m *machine) i2() error {
	return mergetest.All(
		m.now.Compare(m.truth), mergetest.Same("document", string(m.shown.Document), m.truth.Document()),
	)
}

// I3: same stored ops, same bytes: asked twice, in JSON or in lines, from the head or as of its
// number, and held by a phone that has followed.
func (m *machine) i3() error {
	header := map[string]string{}
	if m.turn = !m.turn; m.turn {
		header["Accept"] = mediaLines
	}
	again := m.get("boss", "/results", header)
	if !bytes.Equal(again.body, m.text) {
		return fmt.Errorf("asked twice, the document is\n%s\nand\n%s", m.text, again.body)
	}
	if seq := m.now.Head.Seq; seq > 0 {
		var past client.Results
		if err := m.get("boss", fmt.Sprint("/history?at_seq=", seq), header).into(&past); err != nil {
			return err
		}
		if string(past.Document) != string(m.shown.Document) {
			return fmt.Errorf("as of %d the document is\n%s\nand now it is\n%s", seq, past.Document, m.shown.Document)
		}
	}
	if m.pulled == nil {
		return nil
	}
	return sameReplica(&m.pulled.State, m.shown)
}

// sameReplica returns how what a phone holds differs from the whole document.
func sameReplica(s *client.State, whole client.Results) error {
	text, err := s.Document.MarshalJSON()
	if err != nil {
		return err
	}
	open := slices.Collect(maps.Values(s.Conflicts))
	return mergetest.All(
		mergetest.Same("document on the phone "+s.Client, string(text), string(whole.Document)),
		mergetest.Same("conflicts on the phone "+s.Client, describe(open), describe(whole.Conflicts)),
		mergetest.Same("late on the phone "+s.Client, len(s.Late), len(whole.Late)),
	)
}

// I4: duplicates change only the duplicate counter. So do a replay, a key that is used again, the
// batch of a copy, and what was refused.
func (m *machine) i4() error {
	ex, before := m.done, m.refused
	if ex == nil {
		return nil
	}
	m.refused = nil
	if ex.verdict == admitted {
		return mergetest.All(mergetest.Same("log entries", len(m.now.Log), len(m.was.Log)+1), m.unwhole(ex, before))
	}
	if err := unchanged(m.was, m.now); err != nil {
		return fmt.Errorf("%s was %s: %w", ex.key, ex.verdict, err)
	}
	if ex.verdict == forked {
		var refusal client.Error
		if err := json.Unmarshal(ex.answer.body, &refusal); err != nil ||
			ex.answer.status != 409 || refusal.FreshClientID == "" ||
			refusal.Retryable {
			return fmt.Errorf("a copy was answered %d: %s", ex.answer.status, ex.answer.body)
		}
	}
	if ex.verdict == forbidden || ex.verdict == refused {
		return m.nothingOf(ex)
	}
	if ex.verdict != duplicate {
		return nil
	}
	var r client.Receipt
	if err := ex.answer.into(&r); err != nil {
		return err
	}
	duplicates := 0
	for _, c := range r.Results {
		if c.Status == "duplicate" {
			duplicates++
		} else if c.Status != "rejected" {
			return fmt.Errorf("a duplicate is answered as %s", c.Status)
		}
	}
	return mergetest.All(
		mergetest.Same("applied", r.Applied, 0), mergetest.Same("duplicates", r.Duplicates, duplicates),
	)
}

// nothingOf holds that nothing is left of what was refused, not even a client that was bound, and
// that the refusal says why.
func (m *machine) nothingOf(ex *exchange) error {
	want := map[verdict]int{forbidden: http.StatusForbidden, refused: http.StatusUnprocessableEntity}[ex.verdict]
	var refusal client.Error
	if err := json.Unmarshal(ex.answer.body, &refusal); err != nil ||
		ex.answer.status != want || refusal.FreshClientID != "" ||
		refusal.Retryable {
		return fmt.Errorf("what is %s was answered %d: %s", ex.verdict, ex.answer.status, ex.answer.body)
	}
	if bound := len(m.now.Actors) - len(m.was.Actors); bound > 0 &&
		!m.healing { // in which what was read meanwhile is not looked at
		return fmt.Errorf("what is %s bound %d clients", ex.verdict, bound)
	}
	if ex.verdict == forbidden {
		return nil
	}
	m.refused = &whole{post: ex.post, delivered: m.model.delivered[ex.actor()], seq: m.now.Head.Seq}
	for _, d := range refusal.Details {
		m.refused.fields = append(m.refused.fields, d.Field)
	}
	must, may, err := ex.unfit()
	for _, field := range must {
		if !slices.Contains(m.refused.fields, field) {
			err = errors.Join(
				err, fmt.Errorf("%s cannot be applied, and the refusal names %v", field, m.refused.fields),
			)
		}
	}
	for _, field := range m.refused.fields {
		if !slices.Contains(must, field) && !slices.Contains(may, field) {
			err = errors.Join(err, fmt.Errorf("%s can be applied, and the refusal names it", field))
		}
	}
	return err
}

// unwhole holds that a batch that was admitted as a whole is applied whole; and that one which was
// refused as a whole just before, and is now sent change by change, lacks what it was refused for
// and nothing else.
func (m *machine) unwhole(ex *exchange, before *whole) error {
	var r client.Receipt
	if err := ex.answer.into(&r); err != nil {
		return err
	}
	var rejected []string
	for _, c := range r.Results {
		if c.Status == "rejected" {
			rejected = append(rejected, fmt.Sprintf("changes[%d]", c.Index))
		}
	}
	switch {
	case ex.whole:
		return mergetest.Same("rejected of what was applied whole", rejected, nil)
	case before != nil && before.actor() == ex.actor() && before.number == ex.number &&
		before.content() == ex.content() &&
		before.seq == m.was.Head.Seq && before.delivered == m.model.delivered[ex.actor()]:
		return mergetest.Same("rejected of what was refused as a whole", rejected, before.fields)
	}
	return nil
}

// unchanged returns what is not as it was, but for clients that were bound and what was delivered
// to them.
func unchanged(was, now *mergetest.Facts) error {
	for id, a := range was.Actors {
		b := now.Actors[id]
		b.Delivered = a.Delivered
		if a.Parent == "" {
			b.Parent = "" // see model.fork
		}
		if !reflect.DeepEqual(a, b) {
			return fmt.Errorf("the client was %+v and is %+v", a, b)
		}
	}
	return mergetest.All(
		mergetest.Same("session", now.Session, was.Session), mergetest.Same("head", now.Head, was.Head),
		mergetest.Same("log", now.Log, was.Log), mergetest.Same("operations", now.Rows, was.Rows),
		mergetest.Same("items", now.Items, was.Items),
	)
}

// I5: same key and content, byte-equal answer; other content, 409 and no change (which is I4).
func (m *machine) i5() error {
	if m.done == nil {
		return nil
	}
	a, was := m.done.answer, m.model.answers[m.done.slot()]
	switch m.done.verdict {
	case replayed:
		if a.status != 200 || !a.replayed() || !bytes.Equal(a.body, was.body) {
			return fmt.Errorf(
				"%s was answered\n%s\nand now %d, replayed %v,\n%s", m.done.key, was.body, a.status, a.replayed(),
				a.body,
			)
		}
	case reused:
		if a.status != 409 || strings.Contains(string(a.body), "fresh_client_id") ||
			strings.Contains(string(a.body), `"retryable":true`) {
			return fmt.Errorf("the key %s, used for something else, was answered %d: %s", m.done.key, a.status, a.body)
		}
	case admitted, duplicate:
		if a.status != 200 || a.replayed() {
			return fmt.Errorf(
				"%s is new and was answered %d, replayed %v: %s", m.done.key, a.status, a.replayed(), a.body,
			)
		}
	}
	return nil
}

// I6: no reading is superseded by an actor to whom it was not delivered, except by dots it was
// shown and named. And the other way: what a writer was given, and says that it has seen, counts as
// seen.
func (m *machine) i6() error {
	h := m.truth.History
	alive := map[crdt.OpID]bool{}
	for _, row := range m.now.Rows {
		alive[row.ID()] = row.SupersededSeq == 0
	}
	for i := range h.Ops {
		a := &h.Ops[i]
		if alive[a.ID()] || a.Kind == crdt.Resolve && a.Value == "" {
			continue
		}
		if !slices.ContainsFunc(h.Ops, func(b crdt.Op) bool { return m.mayCover(&b, a) }) {
			return fmt.Errorf(
				"%s at %s is superseded, and nobody who wrote there was given it, or named it", a.Dot, a.Path,
			)
		}
	}
	for id, a := range m.now.Actors {
		if a.Delivered > m.model.delivered[id] {
			return fmt.Errorf(
				"%s counts as having been given everything up to %d, and was given it up to %d", id, a.Delivered,
				m.model.delivered[id],
			)
		}
	}
	for i, b := range m.now.Log {
		if b.Kind != ledger.EntryChanges {
			continue
		}
		ref := ledger.BatchRef{Actor: b.Actor, Number: b.Number}
		for id, n := range b.Context {
			if n > m.model.may[ref][id] {
				return fmt.Errorf(
					"%s:%d has seen %v, and its writer was given at most %v", b.Actor, b.Number, b.Context,
					m.model.may[ref],
				)
			}
		}
		for id, n := range m.model.must[ref] {
			if b.Context[id] < n {
				return fmt.Errorf(
					"%s:%d has seen %v, and its writer was given %v and says so", b.Actor, b.Number, b.Context,
					m.model.must[ref],
				)
			}
		}
		if err := m.named(i); err != nil {
			return err
		}
	}
	return nil
}

// mayCover reports whether b is something that may put an end to a, by what went over the wire.
func (m *machine) mayCover(b, a *crdt.Op) bool {
	switch {
	case !b.Path.Holds(a.Path) || b.ID() == a.ID():
		return false
	case b.Kind == crdt.Resolve, b.Kind == crdt.Correct:
		return slices.Contains(b.Names, a.Dot)
	case b.Kind == crdt.Increment:
		return false
	case a.Actor == b.Actor:
		return true
	}
	return m.model.may[ledger.BatchRef{Actor: b.Actor, Number: b.Batch}][a.Actor] >= a.Batch
}

// named holds that what log entry i names was shown: by a resolve, as a conflict; by a correct, to
// its writer.
func (m *machine) named(i int) error {
	b := m.now.Log[i]
	for c, change := range m.now.Changes[i] {
		if b.Outcomes[c].Status == "rejected" {
			continue
		}
		switch change.Kind {
		case crdt.Resolve:
			var dots []string
			for _, d := range change.Names {
				dots = append(dots, d.String())
			}
			slices.Sort(dots)
			if shown := m.conflicts[change.ConflictID]; shown.path != client.Pointer(change.Path) ||
				!slices.Equal(shown.dots, slices.Compact(dots)) {
				return fmt.Errorf(
					"%s:%d resolves %s of %v, and the conflict %s was shown as %v", b.Actor, b.Number, change.Path,
					dots, change.ConflictID, shown,
				)
			}
		case crdt.Correct:
			ref, d := ledger.BatchRef{Actor: b.Actor, Number: b.Number}, change.Names[0]
			if d.Actor != b.Actor && m.model.may[ref][d.Actor] < d.Batch {
				return fmt.Errorf("%s:%d corrects %s, which its writer was not given", b.Actor, b.Number, d)
			}
		}
	}
	return nil
}

// I7: the conflict set is the oracle's, ids and all, in the document and in the answer to a POST.
func (m *machine) i7() error {
	key := m.now.Head.Key
	err := mergetest.All(
		mergetest.Same("conflicts", describe(m.shown.Conflicts), mergetest.Describe(key, m.truth.Conflicts())),
		mergetest.Same("number of conflicts", m.status.Conflicts, len(m.truth.Conflicts())),
	)
	if err != nil || m.done == nil || m.done.verdict != admitted && m.done.verdict != duplicate {
		return err
	}
	var r client.Receipt
	if err := m.done.answer.into(&r); err != nil {
		return err
	}
	changes, err := parse(m.done.content())
	if err != nil {
		return err
	}
	at := map[crdt.Pointer]bool{}
	for _, c := range changes {
		if c.Rejected == "" {
			at[c.Path] = true
			for _, above := range c.Path.Ancestors() {
				at[above] = true
			}
		}
	}
	open := slices.DeleteFunc(
		m.truth.Conflicts(), func(c oracle.Conflict) bool { return !at[c.Path] || len(c.Siblings) > 20 },
	)
	cut := slices.DeleteFunc(r.Conflicts, func(c client.Conflict) bool { return c.Count > 20 })
	return mergetest.Same("conflicts of the answer", describe(cut), mergetest.Describe(key, open))
}

// describe puts conflicts into the words of mergetest.Describe.
func describe(open []client.Conflict) []string {
	var all []string
	for _, c := range open {
		siblings := map[string]bool{}
		for _, v := range c.Values {
			at := c.Path
			if v.Path != "" {
				at = v.Path
			}
			siblings[fmt.Sprint(at, " ", v.Dot, " ", v.Op)] = true
		}
		all = append(
			all, fmt.Sprint(c.Path, " ", c.Kind, " ", c.ID, " ", c.Count, " ", slices.Sorted(maps.Keys(siblings))),
		)
	}
	slices.Sort(all)
	return all
}

// I8: the sequence is gapless, chain and tree verify, and every checkpoint that was ever given
// still fits.
func (m *machine) i8() error {
	var prev []byte
	var hashes [][]byte
	for i, b := range m.now.Log {
		if b.Seq != int64(i+1) || !bytes.Equal(b.Prev, prev) || !b.Sealed(m.ref) {
			return fmt.Errorf("log entry %d at place %d does not continue the chain", b.Seq, i+1)
		}
		prev = b.Hash
		hashes = append(hashes, b.Hash)
	}
	for size, root := range m.model.roots {
		if size > int64(len(hashes)) || !bytes.Equal(ledger.Root(hashes[:size]), root) {
			return fmt.Errorf("a checkpoint over %d entries does not fit the log any more", size)
		}
	}
	if m.event == nothing && m.now != m.was && reflect.DeepEqual(m.now, m.was) {
		return nil // verified after the step before
	}
	differences, err := m.verify(m.ctx, m.ref)
	return errors.Join(err, mergetest.Same("verify", differences, nil))
}

// I9: within an epoch each client reads its writes, clocks and sequence never go back. A restore
// begins a new one.
func (m *machine) i9() error {
	here := observed{epoch: m.shown.Epoch, seq: m.status.Sequence, clock: m.shown.Clock}
	if err := m.observed.grew(here); err != nil {
		return err
	}
	if m.event == restored && here.epoch <= m.observed.epoch {
		return fmt.Errorf("after a restore the epoch is %d, and was %d", here.epoch, m.observed.epoch)
	}
	m.observed = here
	if m.pulled == nil {
		return nil
	}
	id := m.pulled.Client
	seen := observed{epoch: m.pulled.Epoch, seq: m.now.Head.Seq, clock: m.pulled.Seen}
	if err := m.pulls[id].grew(seen); err != nil {
		return fmt.Errorf("seen by %s: %w", id, err)
	}
	m.pulls[id] = seen
	var written crdt.Ranges
	for ref, k := range m.model.known {
		if ref.Actor == crdt.ActorID(id) && !k.late {
			written = written.Add(ref.Number)
		}
	}
	if got := m.pulled.Seen[id]; id != "" && got != written.Prefix() {
		return fmt.Errorf("%s wrote %v, and reads its own number %d", id, written, got)
	}
	return nil
}

func (o observed) grew(now observed) error {
	if o.epoch != now.epoch {
		return nil
	}
	if now.seq < o.seq {
		return fmt.Errorf("the sequence went back from %d to %d within epoch %d", o.seq, now.seq, o.epoch)
	}
	for id, n := range o.clock {
		if now.clock[id] < n {
			return fmt.Errorf("the clock of %s went back from %d to %d within epoch %d", id, n, now.clock[id], o.epoch)
		}
	}
	return nil
}

func rangesOf(set crdt.Ranges) client.Ranges {
	var all client.Ranges
	for _, r := range set {
		all = append(all, client.Range(r))
	}
	return all
}

// I10: gaps reported ⇔ batches missing.
func (m *machine) i10() error {
	gaps := 0
	for _, c := range m.status.Clients {
		missing := m.model.held(crdt.ActorID(c.Client)).Missing()
		if err := mergetest.Same("missing of "+c.Client, c.Missing, rangesOf(missing)); err != nil {
			return err
		}
		if len(missing) > 0 {
			gaps++
		}
	}
	if err := mergetest.Same("gaps", m.status.Gaps, gaps); err != nil || m.done == nil ||
		m.done.verdict != admitted && m.done.verdict != duplicate {
		return err
	}
	var r client.Receipt
	if err := m.done.answer.into(&r); err != nil {
		return err
	}
	return mergetest.Same("missing of the answer", r.Missing, rangesOf(m.model.held(m.done.actor()).Missing()))
}

// I11: restart at any point keeps all of these; and a restore brings back what was there when the
// backup was made, in a new epoch.
func (m *machine) i11() error {
	switch m.event {
	case restarted:
		if !bytes.Equal(m.text, m.before) {
			return fmt.Errorf("before the restart the document was\n%s\nand it is\n%s", m.before, m.text)
		}
		return mergetest.All(unchanged(m.was, m.now), mergetest.Same("clients", m.now.Actors, m.was.Actors))
	case restored:
		then := *m.was
		then.Head.Epoch, then.Head.Checkpoint = m.now.Head.Epoch, m.now.Head.Checkpoint
		return mergetest.All(unchanged(&then, m.now), mergetest.Same("clients", m.now.Actors, m.was.Actors))
	}
	return nil
}

// I12: memory and latency are bounded for hostile input: no more of it is read than its limit, it
// is refused in a few words that name the limit, and nothing changes. What an answer to a POST
// lists of a conflict is bounded too.
func (m *machine) i12() error {
	for _, h := range m.hostile {
		if err := h.repelled(); err != nil {
			return err
		}
	}
	if len(m.hostile) > 0 {
		return unchanged(m.was, m.now)
	}
	if m.done == nil {
		return nil
	}
	if m.done.answer.status != 200 {
		return mergetest.Same("a short refusal", len(m.done.answer.body) < refusalLimit, true)
	}
	var r client.Receipt
	if err := m.done.answer.into(&r); err != nil {
		return err
	}
	for _, c := range r.Conflicts {
		if len(c.Values) > 20 {
			return fmt.Errorf("the answer to a POST lists %d values of the conflict at %s", len(c.Values), c.Path)
		}
	}
	if len(r.Clock) > len(m.now.Actors)+1 {
		return fmt.Errorf(
			"the answer to a POST has a clock of %d entries, of %d clients", len(r.Clock), len(m.now.Actors),
		)
	}
	return nil
}

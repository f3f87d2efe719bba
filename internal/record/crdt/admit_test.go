package crdt_test

import (
	"regexp"
	"testing"

	"firemode/internal/record/crdt"
)

func TestJudge(t *testing.T) {
	one, other := [32]byte{1}, [32]byte{2}
	p := crdt.Posted{Actor: "A", Number: 3, ID: "b3", PrevID: "b2", Content: one}
	for _, c := range []struct {
		name               string
		held               crdt.Ranges
		same, below, above *crdt.Known
		want               crdt.Admission
	}{
		{"in order", crdt.Ranges{{1, 2}}, nil, &crdt.Known{ID: "b2"}, nil, crdt.Admit},
		{"above a gap", crdt.Ranges{{1, 1}}, nil, nil, nil, crdt.Admit},
		{
			"into a gap",
			crdt.Ranges{{1, 2}, {4, 4}},
			nil, &crdt.Known{ID: "b2"}, &crdt.Known{ID: "b4", PrevID: "b3"},
			crdt.Admit,
		},
		{"beside neighbours without ids", crdt.Ranges{{1, 2}, {4, 4}}, nil, &crdt.Known{}, &crdt.Known{}, crdt.Admit},
		{"known", crdt.Ranges{{1, 3}}, &crdt.Known{ID: "b3", Content: one}, nil, nil, crdt.Duplicate},
		{"known, then without an id", crdt.Ranges{{1, 3}}, &crdt.Known{Content: one}, nil, nil, crdt.Duplicate},
		{
			"known by number and id, with other changes",
			crdt.Ranges{{1, 3}},
			&crdt.Known{ID: "b3", Content: other}, nil,
			nil, crdt.Fork,
		},
		{
			"known by number and changes, with another id",
			crdt.Ranges{{1, 3}},
			&crdt.Known{ID: "x", Content: one}, nil,
			nil, crdt.Fork,
		},
		{"another batch is below", crdt.Ranges{{1, 2}}, nil, &crdt.Known{ID: "x"}, nil, crdt.Fork},
		{
			"the batch above names another",
			crdt.Ranges{{1, 2}, {4, 4}},
			nil, &crdt.Known{ID: "b2"},
			&crdt.Known{ID: "b4", PrevID: "x"}, crdt.Fork,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := crdt.Decide(p, c.held, c.same, c.below, c.above); got != c.want {
				t.Errorf("verdict %d, want %d", got, c.want)
			}
		})
	}
}

func TestJudgeFarAhead(t *testing.T) {
	held := crdt.Ranges{{1, 5}, {9_000, 9_000}}
	for number, want := range map[int64]crdt.Admission{10_005: crdt.Admit, 10_006: crdt.Fork, 1 << 62: crdt.Fork} {
		if got := crdt.Decide(crdt.Posted{Actor: "A", Number: number}, held, nil, nil, nil); got != want {
			t.Errorf("number %d: verdict %d, want %d", number, got, want)
		}
	}
}

// The same retry gets the same id, anything else another, and no client could have made it without
// the key.
func TestFreshActor(t *testing.T) {
	p := crdt.Posted{Actor: "A", Number: 3, ID: "b3", Content: [32]byte{1}}
	want := crdt.FreshActor(key, p)
	if !regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`).MatchString(string(want)) {
		t.Errorf("%q is not an id that a client may use", want)
	}
	retry := p
	retry.PrevID = "b2"
	if got := crdt.FreshActor(key, retry); got != want {
		t.Errorf("the retry got %s, not %s", got, want)
	}
	seen := map[crdt.ActorID]bool{want: true, crdt.FreshActor([]byte("another key"), p): true}
	for _, change := range []func(*crdt.Posted){
		func(p *crdt.Posted) { p.Actor = "B" },
		func(p *crdt.Posted) { p.Number = 4 },
		func(p *crdt.Posted) { p.Content[31] = 1 },
	} {
		q := p
		change(&q)
		seen[crdt.FreshActor(key, q)] = true
	}
	if len(seen) != 5 {
		t.Errorf("%d ids for 5 batches", len(seen))
	}
}

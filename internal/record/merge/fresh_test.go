package merge_test

import (
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/record/merge"
	"firemode/internal/record/merge/mergetest"
)

// A phone that was told before a restore to go on under a fresh id does so before the restored
// server has found out again whose copy it is. When it has, verify still finds nothing.
func TestAFreshClientThatComesBeforeItsFork(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, engine.open)
			p, err := w.newPlay(t.Context())
			must(t, err)
			changes := func(text string) []crdt.Change {
				parsed, err := crdt.ParseChanges([]jsontext.Value{jsontext.Value(text)})
				must(t, err)
				return parsed
			}
			mine, copied := changes(`{"op":"set","path":"/a","value":1}`), changes(`{"op":"set","path":"/a","value":2}`)
			fresh := crdt.FreshActor(secret, crdt.Posted{Actor: "A", Number: 1, Content: crdt.Content(copied)})
			submit := func(key string, client crdt.ActorID, c []crdt.Change) error {
				_, _, err := p.service.Submit(firemode.WithPrincipal(t.Context(), p.user("ann")), merge.Submission{
					Session: "visit", Key: key, Changes: c, Meta: merge.Meta{Client: string(client), Clock: crdt.Clock{client: 1}},
				})
				return err
			}
			must(t, submit("one", "A", mine))
			must(t, submit("two", fresh, copied))
			if got, forked := freshOf(submit("three", "A", copied)); !forked || got != fresh {
				t.Fatalf("a copy is told to go on as %q, want %q", got, fresh)
			}
			f, err := mergetest.Read(t.Context(), w.store, p.ref)
			must(t, err)
			must(t, mergetest.Same("parent", f.Actors[fresh].Parent, "A"))
			must(t, p.verify())
		})
	}
}

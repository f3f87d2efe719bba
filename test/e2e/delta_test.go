package e2e

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"

	"firemode"
	"firemode/client"
	"firemode/internal/record/crdt"
	"firemode/test/race"
)

// Devices write above and below each other's values, and pull in pages of any size. After each sync
// a device holds byte for byte the document of the server, and its conflicts.
func TestHistories_DeltasOfAnyPageSize_EqualTheWholeDocument(t *testing.T) {
	if f := flag.Lookup("rapid.checks"); f.Value.String() == f.DefValue {
		if err := flag.Set(f.Name, strconv.Itoa(race.Histories(100, 20))); err != nil {
			t.Fatal(err)
		}
	}
	onEachEngine(t, func(t *testing.T, storage []string) {
		_, p := newOrganisation(t, storage)
		b := must(
			p.manager.CreateBuilding(t.Context(), client.NewBuilding{Name: "Shed", Address: "2 Quay Street, Sydney"}),
		)(t)
		rapid.Check(t, func(r *rapid.T) {
			draft := client.NewSession{Building: b.ID, Name: "Monthly", Frequency: firemode.Monthly}
			session, err := p.manager.CreateSession(t.Context(), draft)
			if err != nil {
				r.Fatal(err)
			}
			w := &writers{ctx: t.Context(), reader: p.manager}
			for _, api := range []*client.Client{p.anna, p.ben, p.erin} {
				page := rapid.SampledFrom([]int{1, 2, 0}).Draw(r, "page")
				w.devices = append(w.devices, client.NewDevice(api, session.ID, client.DeviceConfig{Page: page}))
			}
			r.Repeat(map[string]func(*rapid.T){"write": w.write, "settle": w.settle, "sync": w.sync})
		})
	})
}

// writers are the devices at work in one session.
type writers struct {
	ctx     context.Context
	reader  *client.Client
	devices []*client.Device
	count   int
}

func (w *writers) device(r *rapid.T) *client.Device {
	return w.devices[rapid.IntRange(0, len(w.devices)-1).Draw(r, "device")]
}

// write queues a change at one of a few paths that lie above and below each other.
func (w *writers) write(r *rapid.T) {
	path := rapid.SampledFrom([]client.Pointer{"/a", "/a/b", "/a/b/c", "/a/b/~0", "/a/b/~1", "/a/d", "/e"}).Draw(
		r, "path",
	)
	w.count++
	value := jsontext.Value(fmt.Sprint(w.count))
	change := []client.Change{
		client.Set(path, value), client.Set(path, jsontext.Value("0")), client.Set(path, client.Text("<é>")),
		client.Set(path, jsontext.Value(`{"c":`+string(value)+`,"f":{"g":1}}`)),
		client.Remove(path), client.Append(path, value), client.Increment(path, value),
	}[rapid.IntRange(0, 6).Draw(r, "operation")]
	w.device(r).Record(change)
}

// settle resolves a conflict that the device shows.
func (w *writers) settle(r *rapid.T) {
	d := w.device(r)
	if len(d.Conflicts) == 0 {
		return
	}
	path := rapid.SampledFrom(slices.Sorted(maps.Keys(d.Conflicts))).Draw(r, "conflict")
	value := rapid.SampledFrom([]jsontext.Value{nil, jsontext.Value("7")}).Draw(r, "value")
	d.Record(client.Resolve(d.Conflicts[path], value, "settled"))
}

// sync syncs a device, and compares what it holds with the whole document.
func (w *writers) sync(r *rapid.T) {
	d := w.device(r)
	if _, err := d.Sync(w.ctx); err != nil {
		r.Fatal(err)
	}
	whole, err := w.reader.Results(w.ctx, d.Session, client.ResultsQuery{})
	if err != nil {
		r.Fatal(err)
	}
	held, err := d.Document.MarshalJSON()
	if err != nil {
		r.Fatal(err)
	}
	if string(held) != string(whole.Document) {
		r.Fatalf("the device holds %s, the server %s", held, whole.Document)
	}
	if got, want := conflictsText(r, slices.Collect(maps.Values(d.Conflicts))), conflictsText(
		r, whole.Conflicts,
	); got != want {
		r.Fatalf("the device holds the conflicts\n%s\nthe server\n%s", got, want)
	}
	if !maps.Equal(d.Seen, whole.Clock) {
		r.Fatalf("the device has seen %v, the server shows %v", d.Seen, whole.Clock)
	}
}

func conflictsText(r *rapid.T, list []client.Conflict) string {
	slices.SortFunc(list, func(a, b client.Conflict) int {
		return strings.Compare(crdt.Pointer(a.Path).Key(), crdt.Pointer(b.Path).Key())
	})
	if len(list) == 0 {
		return "none"
	}
	text, err := json.Marshal(list)
	if err != nil {
		r.Fatal(err)
	}
	return string(text)
}

package e2e

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"firemode"
	"firemode/client"
)

// reading is one value that somebody recorded at a path.
type reading struct {
	value    string
	by       *client.Device
	user     firemode.UserID
	batch    string // batch_id
	client   string
	captured time.Time
}

// notes is what was recorded at each path, in the order in which it was.
type notes struct {
	readings map[client.Pointer][]reading
	// Three extinguishers: mounted at a disputed height; failed without a reason; the only one in its area.
	low, mute, only firemode.ItemID
}

func newNotes(items []client.Item) notes {
	var extinguishers []firemode.ItemID
	for i, item := range items[:460] {
		if item.Kind == firemode.KindAsset && item.System == "FE" && i%10 != 0 && i != 101 && i != 300 &&
			(i < 220 || i >= 340) {
			extinguishers = append(extinguishers, item.ID)
		}
	}
	last := len(extinguishers) - 1
	return notes{
		readings: map[client.Pointer][]reading{},
		low:      extinguishers[0],
		mute:     extinguishers[1],
		only:     extinguishers[last],
	}
}

// record puts changes into the outbox of a phone and into the notes.
func (n notes) record(d *client.Device, user firemode.UserID, changes ...client.Change) {
	d.Record(changes...)
	b := d.Batches[len(d.Batches)-1]
	for _, c := range changes {
		list := n.readings[c.Path]
		own := func(r reading) bool { return r.by == d }
		n.readings[c.Path] = append(
			slices.DeleteFunc(list, own),
			reading{string(c.Value), d, user, b.ID, b.Client, b.CapturedAt.Truncate(time.Microsecond)},
		)
	}
}

// rename notes under which id the batches of a phone are with the server.
func (n notes) rename(s *client.State) {
	ids := map[string]string{}
	for _, b := range s.Batches {
		ids[b.ID] = b.Client
	}
	for _, list := range n.readings {
		for i := range list {
			if id, ok := ids[list[i].batch]; ok {
				list[i].client = id
			}
		}
	}
}

// shown is the value that ranks first: the one that was recorded last.
func shown(list []reading) jsontext.Value { return jsontext.Value(list[len(list)-1].value) }

// document is what must be shown, as the server writes it.
func (n notes) document(t *testing.T) string {
	t.Helper()
	var d client.Document
	for p, list := range n.readings {
		d.Put(p, shown(list))
	}
	return string(must(d.MarshalJSON())(t))
}

// disputed returns the paths at which readings differ, in order.
func (n notes) disputed() []client.Pointer {
	var paths []client.Pointer
	for _, p := range slices.Sorted(maps.Keys(n.readings)) {
		if list := n.readings[p]; slices.ContainsFunc(list, func(r reading) bool { return r.value != list[0].value }) {
			paths = append(paths, p)
		}
	}
	return paths
}

// settle notes that value holds at p from now on.
func (n notes) settle(p client.Pointer, value string) { n.readings[p] = []reading{{value: value}} }

// walk is what a technician records on a round: each item passes and has its pressure read, but the
// first of every ten fails, with something seen.
func walk(items []client.Item, pressure string) []client.Change {
	var changes []client.Change
	for i, item := range items {
		outcome := "pass"
		if i%10 == 0 {
			outcome = "fail"
			changes = append(changes, seen(item))
		}
		changes = append(changes,
			client.Set(client.ItemPath(item.ID, "outcome"), client.Text(outcome)),
			client.Change{
				Op:         client.OpSet,
				Path:       client.ItemPath(item.ID, "measurements", "pressure_kpa"),
				Value:      jsontext.Value(pressure),
				Instrument: &client.Instrument{ID: "G-17", CalibratedUntil: "2027-03-01"},
				Source:     "typed",
			})
	}
	return changes
}

// seen is the first condition of an item's first check.
func seen(item client.Item) client.Change {
	check, condition := firstCondition(item)
	return client.Set(client.ItemPath(item.ID, "conditions", string(check.Rule), condition), jsontext.Value("true"))
}

func firstCondition(item client.Item) (client.Check, string) {
	check := item.Checks[0]
	return check, slices.Min(slices.Collect(maps.Keys(check.Conditions)))
}

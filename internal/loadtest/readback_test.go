package loadtest

import (
	"slices"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"firemode/client"
)

// Each way in which an acknowledged change can be there or not.
func TestHistory_Fate_NamesWhatIsWrong(t *testing.T) {
	l := newHistory()
	for _, e := range []entry{
		{"alive", "~ann:9:0", true},
		{"replaced", "~ann:8:0", false},
		{"disputed", "tablet:3:0", true},
		{"hidden", "phone:1:0", true},
		{"erased", "tablet:3:1", false}, // its writer has written nothing later
		{"twice", "~ann:4:0", false},
		{"twice", "~ann:5:0", false},
	} {
		if err := l.add(e); err != nil {
			t.Fatal(err)
		}
	}
	err := l.show(client.Results{
		Document: jsontext.Value(`{"test": "alive", "items": {"x": {"note": "hidden"}}}`),
		Conflicts: []client.Conflict{
			{
				Path:   "/test",
				Values: []client.Sibling{{Value: jsontext.Value(`"alive"`)}, {Value: jsontext.Value(`"disputed"`)}},
			},
			{Path: "/items/x/note", Values: []client.Sibling{{Value: jsontext.Value(`"hidden"`)}}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	for value, want := range map[string]string{
		"alive": "", "replaced": "", "disputed": "", "hidden": fateHidden, "erased": fateErased,
		"twice": fateDoubled, "absent": fateMissing,
	} {
		if got := l.fate(value); got != want {
			t.Errorf("%s is %q, want %q", value, got, want)
		}
	}
}

func TestHistory_Compare_CountsAndNamesTheLost(t *testing.T) {
	l := newHistory()
	at := time.Date(2026, 11, 20, 3, 12, 44, 0, time.UTC)
	var acknowledged []ack
	for n := range int64(30) {
		acknowledged = append(acknowledged, ack{user: 7, number: n, at: at})
	}
	if err := l.add(entry{value("run", 7, 29), "~ann:1:0", true}); err != nil {
		t.Fatal(err)
	}
	l.shown[value("run", 7, 29)] = true
	got := l.compare(
		acknowledged, func(a ack) string { return value("run", int(a.user), a.number) },
		func(ack) string { return "ann" },
	)
	if got.Acknowledged != 30 || got.Found != 1 || got.Shown != 1 || got.LostCount != 29 || len(got.Lost) != maxLost {
		t.Errorf("%+v", got)
	}
	if want := (Lost{"run-7-0", "ann", "2026-11-20T03:12:44Z", fateMissing}); !slices.Contains(got.Lost, want) {
		t.Errorf("lost are %+v, want %+v among them", got.Lost, want)
	}
}

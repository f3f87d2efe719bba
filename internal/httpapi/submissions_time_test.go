package httpapi

import (
	"fmt"
	"testing"
	"time"
)

// TestSubmit_EffectiveTime holds which of two readings is shown first to the times that the phones
// tell, whose clocks may be wrong. Both readings are kept always.
func TestSubmit_EffectiveTime(t *testing.T) {
	const day = 24 * time.Hour
	now := time.Now()
	for _, row := range []struct {
		name           string
		captured, sent time.Duration // how far from now, 0 for not given
		flags          []string
		later          bool // ranks after a reading captured now
	}{
		{
			"a phone a day fast that says when it sent is corrected", day + time.Hour, day + 2*time.Hour,
			[]string{"clock_corrected"},
			false,
		},
		{
			"a phone a day fast is corrected to a moment before now", day - time.Minute, day,
			[]string{"clock_corrected"},
			false,
		},
		{
			"a phone a day slow is corrected to a moment after the other reading", time.Minute - day, -day,
			[]string{"clock_corrected"},
			true,
		},
		{
			"a phone a day fast that does not say when it sent is suspect, and ranks last", day, 0,
			[]string{"clock_suspect"},
			false,
		},
		{"a phone years slow is taken at its word", -4000 * day, 0, nil, false},
		{"a clock that is off by less than five minutes is right", 4 * time.Minute, 0, nil, true},
		{"a sending that is off by less than five minutes is right", 3 * time.Minute, 4 * time.Minute, nil, true},
		{"without a time it is the receipt that counts", 0, 0, nil, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			play(t, []scenario{
				{"the batch's time", func(t *testing.T, v *visit) {
					from := func(d time.Duration) (at time.Time) {
						if d != 0 {
							at = now.Add(d)
						}
						return at
					}
					v.send("tech1", batch{
						client: "right", number: 1, captured: now,
						changes: []string{set("/items/I/note", `"right"`)},
					})
					v.send("tech2", batch{
						client: "wrong", number: 1, captured: from(row.captured), sent: from(row.sent),
						changes: []string{set("/items/I/note", `"wrong"`)},
					})
					order := []string{`"right"`, `"wrong"`}
					if row.later {
						order = []string{`"wrong"`, `"right"`}
					}
					c := v.pull("engineer", "").conflictAt(t, "/items/I/note")
					v.document(fmt.Sprintf(`{"items":{"I":{"note":%s}}}`, order[0]))
					for i, s := range c.Values {
						same(t, string(s.Value), order[i])
						if s.Client == "wrong" {
							same(t, s.Flags, append(row.flags, "unlisted"))
							same(t, s.CapturedAt == nil, row.captured == 0)
						}
					}
				}},
			})
		})
	}
}

func TestSubmit_TimeOfAChange(t *testing.T) {
	now := time.Now()
	play(t, []scenario{
		{"the change's own time wins over the batch's", func(t *testing.T, v *visit) {
			v.send("tech1", batch{
				client: "a", number: 1, captured: now.Add(-time.Hour),
				changes: []string{set("/x", "1"), setAt("/y", "1", now.Add(-3*time.Hour))},
			})
			v.send("tech2", batch{
				client: "b", number: 1, captured: now.Add(-2 * time.Hour),
				changes: []string{set("/x", "2"), set("/y", "2")},
			})
			v.disputed(`value /x 1 2`, `value /y 2 1`)
		}},
		{"what the server decided about a time does not change when the batch comes again", func(t *testing.T, v *visit) {
			b := batch{
				client: "a", number: 1, captured: now.Add(25 * time.Hour), sent: now.Add(26 * time.Hour),
				changes: []string{set("/x", "1")},
			}
			v.send("tech1", b)
			v.send("tech2", batch{
				client: "b", number: 1, captured: now.Add(-10 * time.Minute),
				changes: []string{set("/x", "2")},
			})
			b.sent = now
			same(t, v.send("tech1", b).statuses(), "duplicate")
			v.disputed(`value /x 2 1`)
		}},
		{"a time that is none is refused", func(t *testing.T, v *visit) {
			r := v.send("tech1", batch{changes: []string{
				`{"op":"set","path":"/x","value":1,"captured_at":"yesterday"}`,
				`{"op":"set","path":"/x","value":1,"captured_at":"2026-02-30T00:00:00Z"}`,
			}})
			same(t, r.statuses(), "rejected rejected")
		}},
	})
}

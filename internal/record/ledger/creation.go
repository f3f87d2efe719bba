package ledger

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"time"

	"firemode"
)

// Creation is what the audit log keeps of a session as it was made.
type Creation struct {
	Building  firemode.BuildingID `json:"building_id"`
	Frequency firemode.Frequency  `json:"frequency"`
	Items     int                 `json:"items"`
	Checks    int                 `json:"checks"`
	Digest    string              `json:"items_digest"` // over everything about the items that no result changes
	// Secret is a hash of the session's secret, which is too long to be guessed from it. Entries of
	// earlier binaries have none.
	Secret string `json:"secret_digest"`
}

func CreationOf(s firemode.Session, secret []byte, items []firemode.Item) Creation {
	return Creation{
		Building: s.Building, Frequency: s.Frequency, Items: s.ItemCount, Checks: s.CheckCount,
		Digest: itemsDigest(items),
		Secret: base64.RawStdEncoding.EncodeToString(Hash("firemode session secret v1", secret)),
	}
}

func (c Creation) Data() map[string]any {
	return map[string]any{
		"building_id": c.Building, "frequency": c.Frequency, "items": c.Items, "checks": c.Checks,
		"items_digest": c.Digest, "secret_digest": c.Secret,
	}
}

// itemsDigest is a hash over what items were when their session was made: what was due, by which
// rules, with which baselines and readings of the visit before. It names every field, since it must
// come out the same when items have more of them.
func itemsDigest(items []firemode.Item) string {
	ordered := slices.SortedFunc(slices.Values(items), func(a, b firemode.Item) int { return cmp.Compare(a.ID, b.ID) })
	fields := make([][]byte, len(ordered))
	for n, i := range ordered {
		fields[n] = Hash("firemode item v1", []byte(i.ID), []byte(i.Kind), []byte(i.Type), []byte(i.Name),
			[]byte(i.System),
			[]byte(i.Level), Number(int64(i.Position)), fmt.Append(nil, i.Listed), texts("locations", i.Location...),
			checksDigest(i.Checks),
			baselinesDigest(i.Baselines), lastDigest(i.Last))
	}
	return base64.RawStdEncoding.EncodeToString(Hash("firemode items v1", fields...))
}

func texts(domain string, list ...string) []byte {
	fields := make([][]byte, len(list))
	for i, s := range list {
		fields[i] = []byte(s)
	}
	return Hash(domain, fields...)
}

func checksDigest(checks []firemode.Check) []byte {
	fields := make([]string, 0, 2*len(checks))
	for _, c := range checks {
		fields = append(fields, string(c.Rule), c.Version)
	}
	return texts("checks", fields...)
}

func baselinesDigest(baselines []firemode.Baseline) []byte {
	var fields []string
	for _, b := range baselines {
		fields = append(fields, b.Measurement, b.Value, b.Unit, b.Source, b.Date)
	}
	return texts("baselines", fields...)
}

func lastDigest(last *firemode.LastResult) []byte {
	if last == nil {
		return texts("no last result")
	}
	fields := []string{string(last.Session), last.CompletedAt.UTC().Format(time.RFC3339Nano), last.Outcome}
	for _, name := range slices.Sorted(maps.Keys(last.Measurements)) {
		fields = append(fields, name, last.Measurements[name])
	}
	return texts("last result", fields...)
}

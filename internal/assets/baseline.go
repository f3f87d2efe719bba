package assets

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"

	"firemode"
	"firemode/internal/rules"
	"firemode/internal/store"
)

// Limits of the baselines of an asset.
const (
	maxBaselines = 50
	maxUnit      = 20  // characters
	maxSource    = 200 // characters
)

var measurementName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)

// PutBaselines replaces the baselines of an asset: at most 50, one per measurement, each with a
// decimal value of at most 34 digits, its unit, the document it comes from and a date. Baselines
// equal to the present ones change nothing.
func (s *Service) PutBaselines(
	ctx context.Context, building firemode.BuildingID, id firemode.AssetID, list []firemode.Baseline,
) (firemode.Asset, error) {
	p, err := firemode.Caller(ctx)
	if err != nil {
		return firemode.Asset{}, err
	}
	list, wrong := checkBaselines(list)
	if err := wrong.err("the baselines are not valid"); err != nil {
		return firemode.Asset{}, err
	}
	return store.Once(ctx, s.store, func(tx store.Tx) (firemode.Asset, error) {
		a, err := lockAsset(ctx, tx, p, firemode.Asset{Building: building, ID: id})
		if err != nil || slices.Equal(a.Baselines, list) {
			return a, err
		}
		diff := change{auditedBaselines(a.Baselines), auditedBaselines(list)}
		a.Baselines = list
		if err := store.As[store.AssetWriter](tx).PutBaselines(ctx, a); err != nil {
			return a, err
		}
		a.Version++
		return a, s.audit(ctx, tx, p, store.Action{Name: "asset.baselines", Subject: assetSubject(a), Data: diff})
	})
}

// checkBaselines returns list in the register's form, sorted by measurement, and its faults.
func checkBaselines(list []firemode.Baseline) ([]firemode.Baseline, faults) {
	if len(list) > maxBaselines {
		return nil, faults{{Field: "baselines", Reason: fmt.Sprintf("at most %d", maxBaselines)}}
	}
	var out []firemode.Baseline
	var wrong faults
	seen := map[string]bool{}
	for i, b := range list {
		b.Unit, b.Source = oneLine(b.Unit), oneLine(b.Source)
		for _, d := range checkBaseline(&b, seen) {
			wrong.add(fmt.Sprintf("baselines[%d].%s", i, d.Field), d.Reason)
		}
		seen[b.Measurement] = true
		out = append(out, b)
	}
	slices.SortFunc(out, func(a, b firemode.Baseline) int { return cmp.Compare(a.Measurement, b.Measurement) })
	return out, wrong
}

// checkBaseline normalises the date of b and returns its faults; seen holds the measurements of
// earlier baselines.
func checkBaseline(b *firemode.Baseline, seen map[string]bool) (wrong faults) {
	switch {
	case !measurementName.MatchString(b.Measurement):
		wrong.add("measurement", "must be a name such as flow_lps: small letters, digits and _, at most 64")
	case seen[b.Measurement]:
		wrong.add("measurement", "is a duplicate")
	}
	_, err := rules.ParseDecimal(b.Value)
	wrong.addError("value", err)
	wrong.add("unit", requiredFault(b.Unit, maxUnit))
	wrong.add("source", requiredFault(b.Source, maxSource))
	b.Date, err = date(b.Date)
	wrong.addError("date", err)
	return wrong
}

// auditedBaselines are baselines as the audit log has them.
func auditedBaselines(list []firemode.Baseline) []map[string]string {
	out := make([]map[string]string, len(list))
	for i, b := range list {
		out[i] = map[string]string{
			"measurement": b.Measurement, "value": b.Value, "unit": b.Unit, "source": b.Source, "date": b.Date,
		}
	}
	return out
}

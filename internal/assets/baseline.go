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

// Bounds of the baselines of an asset.
const (
	maxBaselines = 50
	maxUnit      = 20
	maxSource    = 200
)

var measurementName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)

// PutBaselines replaces the baselines of an asset: at most 50, one per measurement, each with a decimal value of at most 34
// digits, its unit, the document it comes from and a date. The same ones again change nothing.
func (s *Service) PutBaselines(ctx context.Context, building firemode.BuildingID, id firemode.AssetID, list []firemode.Baseline) (firemode.Asset, error) {
	p, err := firemode.Caller(ctx)
	if err != nil {
		return firemode.Asset{}, err
	}
	list, wrong := checkBaselines(list)
	if wrong != nil {
		return firemode.Asset{}, firemode.Invalid("the baselines cannot be kept like this", wrong...)
	}
	return store.Once(ctx, s.store, func(tx store.Tx) (firemode.Asset, error) {
		a, err := lockedAsset(ctx, tx, p, firemode.Asset{Building: building, ID: id})
		if err != nil || slices.Equal(a.Baselines, list) {
			return a, err
		}
		diff := change{baselineEvents(a.Baselines), baselineEvents(list)}
		a.Baselines = list
		if err := store.As[store.AssetWriter](tx).PutBaselines(ctx, a); err != nil {
			return a, err
		}
		a.Version++
		return a, s.audit(ctx, tx, p, event{"asset.baselines", assetSubject(a), diff})
	})
}

// checkBaselines returns them in the register's form, sorted by measurement, and what is wrong with them.
func checkBaselines(list []firemode.Baseline) ([]firemode.Baseline, []firemode.Detail) {
	if len(list) > maxBaselines {
		return nil, []firemode.Detail{{Field: "baselines", Reason: fmt.Sprintf("at most %d", maxBaselines)}}
	}
	var out []firemode.Baseline
	var wrong []firemode.Detail
	seen := map[string]bool{}
	for i, b := range list {
		b.Unit, b.Source = line(b.Unit), line(b.Source)
		for _, d := range checkBaseline(&b, seen) {
			d.Field = fmt.Sprintf("baselines[%d].%s", i, d.Field)
			wrong = append(wrong, d)
		}
		seen[b.Measurement] = true
		out = append(out, b)
	}
	slices.SortFunc(out, func(a, b firemode.Baseline) int { return cmp.Compare(a.Measurement, b.Measurement) })
	return out, wrong
}

func checkBaseline(b *firemode.Baseline, seen map[string]bool) (wrong []firemode.Detail) {
	refuse := func(field, why string) {
		if why != "" {
			wrong = append(wrong, firemode.Detail{Field: field, Reason: why})
		}
	}
	switch {
	case !measurementName.MatchString(b.Measurement):
		refuse("measurement", "must be a name such as flow_lps: small letters, digits and _, at most 64")
	case seen[b.Measurement]:
		refuse("measurement", "is there twice")
	}
	if _, err := rules.ParseDecimal(b.Value); err != nil {
		refuse("value", err.Error())
	}
	refuse("unit", required(b.Unit, maxUnit))
	refuse("source", required(b.Source, maxSource))
	var err error
	if b.Date, err = date(b.Date); err != nil {
		refuse("date", err.Error())
	}
	return wrong
}

// baselineEvents are baselines as the audit log has them.
func baselineEvents(list []firemode.Baseline) []map[string]string {
	out := make([]map[string]string, len(list))
	for i, b := range list {
		out[i] = map[string]string{"measurement": b.Measurement, "value": b.Value, "unit": b.Unit, "source": b.Source, "date": b.Date}
	}
	return out
}

package assets

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"firemode"
)

func TestCheckBaselines_NamesEachFault(t *testing.T) {
	t.Parallel()
	good := firemode.Baseline{
		Measurement: "flow_lps",
		Value:       "10.50",
		Unit:        "L/s",
		Source:      "Block plan rev C",
		Date:        "2019-03-01",
	}
	with := func(change func(*firemode.Baseline)) []firemode.Baseline {
		b := good
		change(&b)
		return []firemode.Baseline{b}
	}
	one := func(field, reason string) []firemode.Detail { return []firemode.Detail{{Field: field, Reason: reason}} }
	const number = "must be a number of at most 34 digits, with an exponent of at most 64"
	for name, test := range map[string]struct {
		list []firemode.Baseline
		want []firemode.Detail
	}{
		"good":      {[]firemode.Baseline{good}, nil},
		"none":      {nil, nil},
		"34 digits": {with(func(b *firemode.Baseline) { b.Value = "-0." + strings.Repeat("7", 33) }), nil},
		"35 digits": {
			with(func(b *firemode.Baseline) { b.Value = "0." + strings.Repeat("7", 34) }),
			one("baselines[0].value", number),
		},
		"no number": {with(func(b *firemode.Baseline) { b.Value = "1,180" }), one("baselines[0].value", number)},
		"no unit":   {with(func(b *firemode.Baseline) { b.Unit = " " }), one("baselines[0].unit", "is required")},
		"no source": {with(func(b *firemode.Baseline) { b.Source = "" }), one("baselines[0].source", "is required")},
		"no such day": {
			with(func(b *firemode.Baseline) { b.Date = "2019-02-29" }),
			one("baselines[0].date", `"2019-02-29" is not a day in the calendar`),
		},
		"no name": {
			with(func(b *firemode.Baseline) { b.Measurement = "Flow (L/s)" }),
			one("baselines[0].measurement", "must be a name such as flow_lps: small letters, digits and _, at most 64"),
		},
		"twice":    {[]firemode.Baseline{good, good}, one("baselines[1].measurement", "is a duplicate")},
		"too many": {make([]firemode.Baseline, 51), one("baselines", "at most 50")},
	} {
		t.Run(name, func(t *testing.T) {
			_, got := checkBaselines(test.list)
			if diff := cmp.Diff(test.want, []firemode.Detail(got)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

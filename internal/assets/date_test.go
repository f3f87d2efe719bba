package assets

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestDate_FormsOfRegisters_AreRead(t *testing.T) {
	t.Parallel()
	for written, want := range map[string]string{
		"2024-02-29":          "2024-02-29",
		"2024-2-9":            "2024-02-09",
		"2024-02-29 00:00:00": "2024-02-29",
		"2024/02/29":          "2024-02-29",
		"29/02/2024":          "2024-02-29",
		" 1/2/2024 ":          "2024-02-01",
		"01.02.2024":          "2024-02-01",
		"29-02-2024":          "2024-02-29",
		"29-Feb-24":           "2024-02-29",
		"29 February 2024":    "2024-02-29",
		"29FEB2024":           "2024-02-29",
		"1 sept. 2023":        "2023-09-01",
		"1/7/68":              "2068-07-01",
		"1/7/69":              "1969-07-01",
		"31-Dec-99":           "1999-12-31",
	} {
		if got, err := date(written); err != nil || got != want {
			t.Errorf("date(%q) = %q, %v, want %q", written, got, err, want)
		}
	}
}

func TestDate_NotADate_SaysWhy(t *testing.T) {
	t.Parallel()
	const form = " is not a date; write it as 2024-02-29, 29/02/2024 or 29-Feb-24"
	for written, want := range map[string]string{
		"31/02/2020":          `"31/02/2020" is not a day in the calendar`,
		"29/02/2023":          `"29/02/2023" is not a day in the calendar`,
		"12/31/2024":          `"12/31/2024" is not a day in the calendar`,
		"0/1/2024":            `"0/1/2024" is not a day in the calendar`,
		"2024-00-10":          `"2024-00-10" is not a day in the calendar`,
		"1/1/0024":            `"1/1/0024" is not a plausible year`,
		"2024-02-29 14:30:00": `"2024-02-29 14:30:00"` + form,
		"29-Fev-24":           `"29-Fev-24"` + form,
		"29-Fe-24":            `"29-Fe-24"` + form,
		"2019":                `"2019"` + form,
		"45351":               `"45351"` + form,
		"n/a":                 `"n/a"` + form,
		"":                    `""` + form,
	} {
		if got, err := date(written); err == nil || err.Error() != want {
			t.Errorf("date(%q) = %q, %v, want the error %s", written, got, err, want)
		}
	}
}

func TestDate_AnyDayInAnyForm_IsRead(t *testing.T) {
	t.Parallel()
	forms := []string{
		"2006-01-02",
		"2006/01/02",
		"02/01/2006",
		"2/1/2006",
		"02.01.2006",
		"2-Jan-2006",
		"2 January 2006",
		"02Jan2006",
		"2-Jan-06",
		"02/01/06",
	}
	rapid.Check(t, func(t *rapid.T) {
		day := time.Date(1969, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 36_500).Draw(t, "day"))
		written := day.Format(rapid.SampledFrom(forms).Draw(t, "form"))
		if got, err := date(written); err != nil || got != day.Format(time.DateOnly) {
			t.Fatalf("date(%q) = %q, %v, want %s", written, got, err, fmt.Sprint(day))
		}
	})
}

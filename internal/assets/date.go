package assets

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var (
	isoDate    = regexp.MustCompile(`^(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]00:00(?::00)?(?:\.0+)?Z?)?$`)
	yearFirst  = regexp.MustCompile(`^(\d{4})[/.](\d{1,2})[/.](\d{1,2})$`)
	dayFirst   = regexp.MustCompile(`^(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4}|\d{2})$`)
	namedMonth = regexp.MustCompile(`^(\d{1,2})[-/. ]?([A-Za-z]{3,9})\.?,?[-/. ]?(\d{4}|\d{2})$`)
)

// date reads a calendar date as registers write it, day before month, and returns it as
// "2006-01-02". Years of two digits are 1969 to 2068, as in POSIX. The rule is fixed, so that a
// file means the same on any day.
func date(s string) (string, error) {
	s = oneLine(s)
	if m := isoDate.FindStringSubmatch(s); m != nil {
		return calendar(s, m[1], m[2], m[3])
	}
	if m := yearFirst.FindStringSubmatch(s); m != nil {
		return calendar(s, m[1], m[2], m[3])
	}
	if m := dayFirst.FindStringSubmatch(s); m != nil {
		return calendar(s, m[3], m[2], m[1])
	}
	if m := namedMonth.FindStringSubmatch(s); m != nil {
		if month := monthNumber(m[2]); month != 0 {
			return calendar(s, m[3], strconv.Itoa(month), m[1])
		}
	}
	return "", fmt.Errorf("%q is not a date; write it as 2024-02-29, 29/02/2024 or 29-Feb-24", s)
}

// monthNumber returns the month whose name begins with name, of at least three letters; 0 if there
// is none.
func monthNumber(name string) int {
	for m := time.January; m <= time.December; m++ {
		if len(name) >= 3 && len(name) <= len(m.String()) && strings.EqualFold(m.String()[:len(name)], name) {
			return int(m)
		}
	}
	return 0
}

func calendar(written, year, month, day string) (string, error) {
	y, _ := strconv.Atoi(year) // the patterns let only digits through
	m, _ := strconv.Atoi(month)
	d, _ := strconv.Atoi(day)
	if len(year) == 2 {
		y += 1900
		if y < 1969 {
			y += 100
		}
	}
	t := time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC)
	if t.Year() != y || int(t.Month()) != m || t.Day() != d {
		return "", fmt.Errorf("%q is not a day in the calendar", written)
	}
	if y < 1850 || y > 2199 {
		return "", fmt.Errorf("%q is not a plausible year", written)
	}
	return t.Format(time.DateOnly), nil
}

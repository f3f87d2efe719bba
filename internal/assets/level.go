package assets

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// namedLevels are the ways in which registers write levels without a number, as foldWords returns
// them.
var namedLevels = map[string]string{
	"g": "G", "gf": "G", "gl": "G", "gnd": "G", "ground": "G", "ground floor": "G", "ground level": "G", "level g": "G",
	"level ground": "G",
	"lg":           "LG", "lower ground": "LG", "lower ground floor": "LG", "lower ground level": "LG",
	"ug": "UG", "upper ground": "UG", "upper ground floor": "UG", "upper ground level": "UG",
	"mezz": "Mezzanine", "mezzanine": "Mezzanine", "mezzanine level": "Mezzanine",
	"roof": "Roof", "rooftop": "Roof", "roof top": "Roof", "roof level": "Roof", "level roof": "Roof",
}

var (
	numberedLevel = regexp.MustCompile(`^(?:(?:l|lvl|lev|level|fl|flr|floor) ?)?0*(\d{1,3})([a-z]?)$`)
	ordinalLevel  = regexp.MustCompile(`^0*(\d{1,3})(?:st|nd|rd|th)(?: (?:floor|level))?$`)
	basementLevel = regexp.MustCompile(`^(?:b|bl|bsmt|basement)(?: ?level)? ?0*([1-9]\d?)$`)
)

// Level returns the register's form of a level: "L03" for "Level 3" and "3rd floor", "G" for
// "Ground", "B1" for "Basement 1". An unknown level ("Plant deck") only loses surplus space.
func Level(s string) string {
	key := foldWords(s)
	if named, ok := namedLevels[key]; ok {
		return named
	}
	if m := basementLevel.FindStringSubmatch(key); m != nil {
		return "B" + m[1]
	}
	// A sign would be lost with the other punctuation: "-1" is not level 1.
	if strings.HasPrefix(strings.TrimSpace(s), "-") {
		return oneLine(s)
	}
	if m := ordinalLevel.FindStringSubmatch(key); m != nil {
		return numbered(m[1], "")
	}
	if m := numberedLevel.FindStringSubmatch(key); m != nil {
		return numbered(m[1], m[2])
	}
	return oneLine(s)
}

func numbered(digits, suffix string) string {
	n, _ := strconv.Atoi(digits) // at most three digits
	return fmt.Sprintf("L%02d%s", n, strings.ToUpper(suffix))
}

package rules

import (
	"errors"
	"math/big"
	"regexp"
	"strconv"
	"strings"
)

// Bounds of a decimal, the same as for numbers in results.
const (
	MaxDigits   = 34 // of the mantissa, as written
	MaxExponent = 64 // either way
)

// Decimal is an exact decimal number. It never passes through a float.
type Decimal struct{ value big.Rat }

// ParseDecimal reads a number in JSON's grammar, of at most MaxDigits digits and an exponent of at most MaxExponent.
func ParseDecimal(s string) (Decimal, error) {
	const longest = MaxDigits + len("-.e-064")
	if len(s) > longest || !jsonNumber.MatchString(s) {
		return Decimal{}, errNotDecimal
	}
	mantissa, exponent, scientific := strings.Cut(strings.ToLower(s), "e")
	if len(strings.Trim(mantissa, "-"))-strings.Count(mantissa, ".") > MaxDigits {
		return Decimal{}, errNotDecimal
	}
	if e, err := strconv.Atoi(exponent); scientific && (err != nil || e > MaxExponent || e < -MaxExponent) {
		return Decimal{}, errNotDecimal
	}
	var d Decimal
	if _, ok := d.value.SetString(s); !ok {
		return Decimal{}, errNotDecimal
	}
	return d, nil
}

// Cmp is -1, 0 or 1 as d is less than, equal to (12.5 = 12.50) or greater than o.
func (d Decimal) Cmp(o Decimal) int { return d.value.Cmp(&o.value) }

var (
	jsonNumber    = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)
	errNotDecimal = errors.New("must be a number of at most 34 digits, with an exponent of at most 64")
)

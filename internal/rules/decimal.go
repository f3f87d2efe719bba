package rules

import (
	"errors"
	"strings"

	"firemode/internal/decimal"
)

// maxNumberLength is the number of bytes of the longest number that ParseDecimal accepts.
const maxNumberLength = decimal.MaxDigits + len("-.e-064")

var errNotDecimal = errors.New("must be a number of at most 34 digits, with an exponent of at most 64")

// ParseDecimal reads a number in JSON's grammar, of at most decimal.MaxDigits digits as written,
// leading zeros included, and an exponent of at most decimal.MaxExponent.
func ParseDecimal(s string) (decimal.Decimal, error) {
	d, err := decimal.Parse(s)
	mantissa, _, _ := strings.Cut(strings.ToLower(s), "e")
	digits := len(strings.Trim(mantissa, "-")) - strings.Count(mantissa, ".")
	if err != nil || len(s) > maxNumberLength || digits > decimal.MaxDigits {
		return decimal.Decimal{}, errNotDecimal
	}
	return d, nil
}

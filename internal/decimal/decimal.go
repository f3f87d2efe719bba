// Package decimal computes with exact decimal numbers as JSON writes them. No number passes through
// a float.
package decimal

import (
	"cmp"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// Limits of a number.
const (
	MaxDigits   = 34 // significant digits, without leading zeros
	MaxExponent = 64 // either way, as written
)

// Decimal is coefficient × 10^exponent. The coefficient has no trailing zero and zero has exponent 0,
// so equal numbers are equal values. The zero value is 0.
type Decimal struct {
	negative bool
	digits   string // of the coefficient, "" for zero
	exponent int
}

var errSyntax = errors.New("not a number")

// Parse reads a JSON number. It fails if text is not one or exceeds the limits.
func Parse(text string) (Decimal, error) {
	var d Decimal
	if !valid(text) {
		return d, errSyntax
	}
	mantissa := text
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		e, err := strconv.Atoi(strings.TrimPrefix(text[i+1:], "+"))
		if err != nil || e > MaxExponent || e < -MaxExponent {
			return d, fmt.Errorf("the exponent of %.40s is beyond ±%d", text, MaxExponent)
		}
		d.exponent, mantissa = e, text[:i]
	}
	mantissa, d.negative = strings.CutPrefix(mantissa, "-")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	d.exponent -= len(fraction)
	d.digits = strings.TrimLeft(whole+fraction, "0")
	if len(d.digits) > MaxDigits {
		return d, fmt.Errorf("%.40s… has more than %d digits", text, MaxDigits)
	}
	if d.exponent < -2*MaxExponent {
		return d, fmt.Errorf("%.40s… has more than %d decimal places", text, 2*MaxExponent)
	}
	trimmed := strings.TrimRight(d.digits, "0")
	d.exponent += len(d.digits) - len(trimmed)
	d.digits = trimmed
	if trimmed == "" {
		d = Decimal{}
	}
	return d, nil
}

// valid reports whether text is a number in JSON's grammar.
func valid(text string) bool {
	rest := strings.TrimPrefix(text, "-")
	whole, rest := cutDigits(rest)
	if whole == "" || len(whole) > 1 && whole[0] == '0' {
		return false
	}
	if after, found := strings.CutPrefix(rest, "."); found {
		var fraction string
		if fraction, rest = cutDigits(after); fraction == "" {
			return false
		}
	}
	if rest == "" {
		return true
	}
	if rest[0] != 'e' && rest[0] != 'E' {
		return false
	}
	rest = rest[1:]
	if rest != "" && (rest[0] == '+' || rest[0] == '-') {
		rest = rest[1:]
	}
	exponent, rest := cutDigits(rest)
	return exponent != "" && rest == ""
}

// cutDigits returns the digits that s begins with, and the rest.
func cutDigits(s string) (digits, rest string) {
	i := 0
	for i < len(s) && '0' <= s[i] && s[i] <= '9' {
		i++
	}
	return s[:i], s[i:]
}

// String returns the canonical text of d, the same for equal numbers: -125e-1 for -12.50.
func (d Decimal) String() string {
	if d.digits == "" {
		return "0"
	}
	text := d.digits
	if d.negative {
		text = "-" + text
	}
	if d.exponent == 0 {
		return text
	}
	return text + "e" + strconv.Itoa(d.exponent)
}

// Sign returns -1, 0 or 1 as d is negative, zero or positive.
func (d Decimal) Sign() int {
	switch {
	case d.digits == "":
		return 0
	case d.negative:
		return -1
	default:
		return 1
	}
}

// Cmp returns -1, 0 or 1 as d is less than, equal to or greater than e.
func (d Decimal) Cmp(e Decimal) int {
	if d.Sign() != e.Sign() || d.Sign() == 0 {
		return cmp.Compare(d.Sign(), e.Sign())
	}
	// Without leading and trailing zeros, digits before the point decide, then the digits
	// themselves, as text.
	magnitude := cmp.Or(
		cmp.Compare(len(d.digits)+d.exponent, len(e.digits)+e.exponent),
		strings.Compare(d.digits, e.digits),
	)
	return magnitude * d.Sign()
}

// IsInt reports whether d is a whole number.
func (d Decimal) IsInt() bool { return d.exponent >= 0 }

// Sum adds numbers exactly and returns the sum without an exponent, in JSON's grammar. The sum of
// none is 0.
func Sum(terms []Decimal) string {
	total := new(big.Int)
	scale := 0 // total is × 10^-scale
	for _, d := range terms {
		if d.digits == "" {
			continue
		}
		n, _ := new(big.Int).SetString(d.digits, 10)
		if d.negative {
			n.Neg(n)
		}
		if -d.exponent > scale {
			total.Mul(total, pow10(-d.exponent-scale))
			scale = -d.exponent
		}
		total.Add(total, n.Mul(n, pow10(scale+d.exponent)))
	}
	return plain(total, scale)
}

func pow10(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

// plain writes total × 10^-scale without an exponent and without trailing zeros.
func plain(total *big.Int, scale int) string {
	digits := new(big.Int).Abs(total).String()
	sign := ""
	if total.Sign() < 0 {
		sign = "-"
	}
	if scale == 0 {
		return sign + digits
	}
	if len(digits) <= scale {
		digits = strings.Repeat("0", scale-len(digits)+1) + digits
	}
	whole, fraction := digits[:len(digits)-scale], strings.TrimRight(digits[len(digits)-scale:], "0")
	if fraction == "" {
		return sign + whole
	}
	return sign + whole + "." + fraction
}

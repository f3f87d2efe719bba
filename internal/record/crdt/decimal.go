package crdt

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// Limits of a number: it never passes through float64, and two are equal as exact decimals.
const (
	MaxDigits   = 34
	MaxExponent = 64
)

// decimal is coefficient × 10^exponent. The coefficient has no trailing zero, and zero is 0 × 10^0, so that equal numbers are
// equal values.
type decimal struct {
	negative bool
	digits   string // of the coefficient, "0" for zero
	exponent int
}

// parseDecimal reads a JSON number token.
func parseDecimal(token string) (decimal, error) {
	var d decimal
	mantissa := token
	if i := strings.IndexAny(token, "eE"); i >= 0 {
		e, err := strconv.Atoi(strings.TrimPrefix(token[i+1:], "+"))
		if err != nil || e > MaxExponent || e < -MaxExponent {
			return d, fmt.Errorf("the exponent of %.40s is beyond ±%d", token, MaxExponent)
		}
		d.exponent, mantissa = e, token[:i]
	}
	mantissa, d.negative = strings.CutPrefix(mantissa, "-")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	d.exponent -= len(fraction)
	d.digits = strings.TrimLeft(whole+fraction, "0")
	if len(d.digits) > MaxDigits {
		return d, fmt.Errorf("%.40s… has more than %d digits", token, MaxDigits)
	}
	if d.exponent < -2*MaxExponent {
		return d, fmt.Errorf("%.40s… has more than %d decimal places", token, 2*MaxExponent)
	}
	trimmed := strings.TrimRight(d.digits, "0")
	d.exponent += len(d.digits) - len(trimmed)
	d.digits = trimmed
	if trimmed == "" {
		d = decimal{digits: "0"}
	}
	return d, nil
}

// canonical writes d so that equal numbers have equal texts: -125e-1 for -12.50.
func (d decimal) canonical() string {
	sign := ""
	if d.negative {
		sign = "-"
	}
	if d.exponent == 0 {
		return sign + d.digits
	}
	return sign + d.digits + "e" + strconv.Itoa(d.exponent)
}

// sumDecimals adds JSON number tokens exactly and writes the sum without an exponent.
func sumDecimals(tokens []string) string {
	total := new(big.Int)
	scale := 0 // total is × 10^-scale
	for _, token := range tokens {
		d, err := parseDecimal(token)
		if err != nil {
			continue // tokens were checked when they were accepted
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

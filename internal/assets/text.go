package assets

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// line makes a single line of s: no outer space, one space between words.
func line(s string) string { return strings.Join(strings.Fields(s), " ") }

// paragraphs keeps the lines of s, with \n between them whatever was there, and takes away outer space.
func paragraphs(s string) string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.TrimSpace(strings.ReplaceAll(s, "\r", "\n"))
}

// unfit says why s cannot be kept as text of at most limit characters, "" when it can.
func unfit(s string, limit int) string {
	if !utf8.ValidString(s) {
		return "is not valid UTF-8"
	}
	if n := utf8.RuneCountInString(s); n > limit {
		return fmt.Sprintf("is %d characters long; the limit is %d", n, limit)
	}
	for _, r := range s {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return fmt.Sprintf("holds the control character %U", r)
		}
	}
	return ""
}

// required is unfit for a field that may not be empty.
func required(s string, limit int) string {
	if s == "" {
		return "is required"
	}
	return unfit(s, limit)
}

// words is s in lower case with all but letters and digits taken as space: the form in which synonyms are compared.
func words(s string) string {
	return line(strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return ' '
	}, s))
}

package assets

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// oneLine returns s as a single line: no outer space, one space between words.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// paragraphs returns s without outer space, with \n as its line break.
func paragraphs(s string) string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.TrimSpace(strings.ReplaceAll(s, "\r", "\n"))
}

// textFault returns why s is not valid as text of at most limit characters, "" if it is.
func textFault(s string, limit int) string {
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

// requiredFault is textFault for a field that must not be empty.
func requiredFault(s string, limit int) string {
	if s == "" {
		return "is required"
	}
	return textFault(s, limit)
}

// foldWords returns the words of s in lower case, with everything but letters and digits as a
// space. Synonyms are compared in this form.
func foldWords(s string) string {
	return oneLine(strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return ' '
	}, s))
}

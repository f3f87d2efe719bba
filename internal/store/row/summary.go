package row

import "strings"

// Summary is what a statement does, in few words: its verb and, if it reads or writes rows, the
// first table it names. It is the name of the statement's spans, the same on both engines where the
// statement is.
func Summary(query string) string {
	words := strings.Fields(strings.ReplaceAll(query, ",", " "))
	verb := verbOf(words)
	for i, word := range words[:max(len(words)-1, 0)] {
		if !leads(verb, strings.ToUpper(strings.TrimLeft(word, "("))) {
			continue
		}
		name, rest, called := strings.Cut(words[i+1], "(")
		if name == "LATERAL" || called && (name == "" || verb != "INSERT" && rest != "") {
			continue // a query within, or a function that makes rows of a list
		}
		return verb + " " + strings.Trim(name, `";)`)
	}
	return verb
}

// leads reports whether a table follows word.
func leads(verb, word string) bool {
	switch verb {
	case "SELECT":
		return word == "FROM" || word == "JOIN"
	case "DELETE":
		return word == "FROM"
	case "INSERT":
		return word == "INTO"
	case "UPDATE":
		return word == "UPDATE"
	}
	return false
}

// verbOf is the first word, or what a statement does after the names it gives to parts of it.
func verbOf(words []string) string {
	if len(words) == 0 {
		return ""
	}
	first := strings.ToUpper(words[0])
	if first != "WITH" {
		return first
	}
	for _, word := range words {
		switch verb := strings.ToUpper(strings.Trim(word, "()")); verb {
		case "INSERT", "UPDATE", "DELETE":
			return verb
		}
	}
	return "SELECT"
}

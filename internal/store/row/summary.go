package row

import "strings"

// Summary is what a statement does, in few words: its verb and, if it reads or writes rows, the first table it names. It is the name of
// the statement's spans, the same on both engines where the statement is.
func Summary(query string) string {
	words := strings.FieldsFunc(query, func(r rune) bool { return strings.ContainsRune(" \t\n,()", r) })
	verb := verbOf(words)
	before := map[string]string{"SELECT": "FROM", "DELETE": "FROM", "INSERT": "INTO", "UPDATE": "UPDATE"}[verb]
	if before == "" {
		return verb
	}
	for i, word := range words[:max(len(words)-1, 0)] {
		if strings.EqualFold(word, before) {
			return verb + " " + strings.Trim(words[i+1], `";`)
		}
	}
	return verb
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
		switch verb := strings.ToUpper(word); verb {
		case "INSERT", "UPDATE", "DELETE":
			return verb
		}
	}
	return "SELECT"
}

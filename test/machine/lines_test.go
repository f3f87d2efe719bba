package machine

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"firemode/internal/record/crdt"
)

const mediaLines = "application/x-ndjson"

// lined writes a submission in lines, if other with a blank one between them and each spelt in
// another way. What has nothing to say of the whole has no first line.
func lined(text []byte, other bool) ([]byte, error) {
	var whole map[string]jsontext.Value
	var values []jsontext.Value
	if err := json.Unmarshal(text, &whole); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(whole["changes"], &values); err != nil {
		return nil, err
	}
	if delete(whole, "changes"); len(whole) > 1 || string(whole["_sync_meta"]) != "{}" {
		head, err := json.Marshal(whole, json.Deterministic(true))
		if err != nil {
			return nil, err
		}
		values = slices.Concat([]jsontext.Value{head}, values)
	}
	var out bytes.Buffer
	for _, v := range values {
		end := "\n"
		if other {
			respelt, err := respell(v)
			if err != nil {
				return nil, err
			}
			v, end = bytes.ReplaceAll(respelt, []byte{'\n'}, []byte{' '}), "\r\n\n"
		}
		out.Write(v)
		out.WriteString(end)
	}
	return out.Bytes(), nil
}

// answered are the lines that an answer has between its first and its last, in order, and the
// members that count them; of a document, and of a receipt.
var answered = map[string][][2]string{
	"head":    {{"leaf", "leaves"}, {"conflict", "conflicts"}, {"removed", "removed"}, {"late", "late"}},
	"receipt": {{"result", "results"}, {"conflict", "conflicts"}},
}

// unlined returns the JSON answer that an answer in lines must come to, byte for byte.
func unlined(text []byte) ([]byte, error) {
	var names []string
	lists := map[string][]jsontext.Value{}
	for line := range bytes.Lines(text) {
		var members map[string]jsontext.Value
		if err := json.Unmarshal(line, &members); err != nil || len(members) != 1 ||
			!bytes.HasSuffix(line, []byte{'\n'}) {
			return nil, fmt.Errorf("no line of an answer: %w: %s", err, line)
		}
		for name, value := range members {
			names = append(names, name)
			lists[name] = append(lists[name], value)
		}
	}
	if len(names) == 0 || len(lists["end"]) != 1 {
		return nil, fmt.Errorf("an answer in lines of %v", names)
	}
	order, counts, joined := []string{names[0]}, map[string]int{}, map[string]string{}
	for _, kind := range answered[names[0]] {
		one, many := kind[0], kind[1]
		order = append(order, slices.Repeat([]string{one}, len(lists[one]))...)
		counts[many] = len(lists[one])
		joined[many] = fmt.Sprintf("%q:[%s]", many, bytes.Join(asBytes(lists[one]), []byte{','}))
	}
	var end map[string]int
	if err := json.Unmarshal(lists["end"][0], &end); err != nil {
		return nil, err
	}
	if !slices.Equal(names, append(order, "end")) || fmt.Sprint(end) != fmt.Sprint(counts) {
		return nil, fmt.Errorf("an answer in lines of %v, counted as %v", names, end)
	}
	head := string(lists[names[0]][0])
	if names[0] == "receipt" {
		head = strings.Replace(head, `,"vector_clock":`, ","+joined["results"]+`,"vector_clock":`, 1)
		return []byte(strings.Replace(head, `,"checkpoint":`, ","+joined["conflicts"]+`,"checkpoint":`, 1)), nil
	}
	document, err := composed(lists["leaf"])
	return fmt.Appendf(
		nil, `%s,"document":%s,%s,%s,%s}`, strings.TrimSuffix(head, "}"), document, joined["conflicts"],
		joined["removed"], joined["late"],
	), err
}

// composed is the document of these leaves.
func composed(leaves []jsontext.Value) (string, error) {
	var out strings.Builder
	c := crdt.NewComposer(&out)
	for _, text := range leaves {
		var leaf struct {
			Path  crdt.Pointer   `json:"path"`
			Value jsontext.Value `json:"value"`
		}
		if err := json.Unmarshal(text, &leaf); err != nil {
			return "", err
		}
		if err := c.Leaf(crdt.Reading{Path: leaf.Path, Value: crdt.Value(leaf.Value)}); err != nil {
			return "", err
		}
	}
	err := c.End()
	return out.String(), err
}

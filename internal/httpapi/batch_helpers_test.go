package httpapi

import (
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// batch is one POST of results. What is zero is left out of it.
type batch struct {
	client, id, prev string
	number           int64 // the own entry of the clock, 0 for a client that does not count
	seen             map[string]int64
	changes          []string
	captured, sent   time.Time
	onBehalfOf, key  string
	atomic           bool
}

func (b batch) String() string {
	meta := map[string]any{}
	put := func(name, value string) {
		if value != "" {
			meta[name] = value
		}
	}
	put("client_id", b.client)
	put("batch_id", b.id)
	put("prev_batch_id", b.prev)
	put("on_behalf_of", b.onBehalfOf)
	for name, at := range map[string]time.Time{"captured_at": b.captured, "sent_at": b.sent} {
		if !at.IsZero() {
			meta[name] = at
		}
	}
	clock := maps.Clone(b.seen)
	if b.number > 0 {
		if clock == nil {
			clock = map[string]int64{}
		}
		clock[b.client] = b.number
	}
	if clock != nil {
		meta["vector_clock"] = clock
	}
	text, err := json.Marshal(meta, json.Deterministic(true))
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf(`{"changes":[%s],"_sync_meta":%s,"atomic":%t}`, strings.Join(b.changes, ","), text, b.atomic)
}

func set(path, value string) string {
	return `{"op":"set","path":"` + path + `","value":` + value + `}`
}

func setAt(path, value string, at time.Time) string {
	return fmt.Sprintf(`{"op":"set","path":%q,"value":%s,"captured_at":%q}`, path, value,
		at.UTC().Format(time.RFC3339Nano))
}

func remove(path string) string { return fmt.Sprintf(`{"op":"remove","path":%q}`, path) }

func appendTo(path, value string) string {
	return fmt.Sprintf(`{"op":"append","path":%q,"value":%s}`, path, value)
}

func increment(path, delta string) string {
	return fmt.Sprintf(`{"op":"increment","path":%q,"delta":%s}`, path, delta)
}

func correct(path, value, dot string) string {
	return fmt.Sprintf(`{"op":"correct","path":%q,"value":%s,"dot":%q,"reason":"misread"}`, path, value, dot)
}

// resolve settles c by naming the dots; value "" leaves the path absent.
func resolve(c conflict, value string, dots ...string) string {
	if value != "" {
		value = `,"value":` + value
	}
	return fmt.Sprintf(`{"op":"resolve","path":%q,"conflict_id":%q,"dots":["%s"],"reason":"looked again"%s}`, c.Path,
		c.ID, strings.Join(dots, `","`), value)
}

package sqlite

import "testing"

// Plans returns how SQLite carries out each statement that the readers of s have run, by its text.
func Plans(t *testing.T, s *Store) map[string][]string {
	t.Helper()
	var queries []string
	for range cap(s.readers.idle) {
		c := <-s.readers.idle
		if c != nil {
			for query := range c.stmts {
				queries = append(queries, query)
			}
		}
		s.readers.idle <- c
	}
	plans := map[string][]string{}
	for _, query := range queries {
		plans[query] = explain(t, s, query)
	}
	return plans
}

// Package archtest holds the tests that keep the shape of FireMode: who may import whom, who may
// read the clock, and that no package keeps state of its own (what tests alone import may). The
// tables in table_test.go are the import table of docs/ARCHITECTURE.md as data, each ban with its
// reason. A new package must be entered there before the tests pass.
package arch

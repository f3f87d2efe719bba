// Package promtest runs the real Prometheus in tests: promtool on rules, and a server that scrapes
// what is under test. Both programs are Debian's, which tools/setup takes out of its package.
package promtest

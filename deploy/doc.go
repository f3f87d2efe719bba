// Package deploy holds the tests of what operators are given beside the binary: the rules of
// prometheus/, each of which promtool tries on made-up series. That the rules and the dashboard of
// grafana/ ask for what a server really tells is tested in test/e2e.
package deploy

// Package app builds and runs a node: it turns settings into an open database, services and
// servers, and it stops them again. Backup, restore and migrations are here too, because they work
// on what a node owns: the data folder and the keys.
//
// The package reads no command line and no environment: the caller parses settings, and hands in
// the clock, the writer of the log and the lookup of OTEL_* variables. All wiring is in services.go
// and node.go, by hand.
package app

// Package upgrade holds the upgrade from release 1 to what is recorded of it: databases of release 1 after a busy day,
// on both engines, are migrated, verified and served, and the answers and the stored rows must be the bytes that they
// were. How the databases were made is in testdata/README.md.
package upgrade

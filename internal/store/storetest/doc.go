// Package storetest is the contract of package store as a test suite, which every engine runs, and
// stores for the tests of other packages.
package storetest

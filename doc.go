// Package firemode is the vocabulary of FireMode: identifiers, entities, error codes and the principal on whose behalf
// work is done. It promises to depend on nothing but the standard library, to do no I/O and to carry no wire format:
// how a thing is stored is decided in internal/store, how it is written as JSON in internal/httpapi.
//
// Words are the trade's. A building has assets; a session is one service visit to a building, made of items; an item
// carries checks, each pinned to a version of a rule; a condition that was observed is classified by that rule and
// becomes a defect. See docs/ARCHITECTURE.md.
package firemode

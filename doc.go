// Package firemode is the vocabulary of FireMode: identifiers, entities, error codes and the
// principal on whose behalf work is done. It depends only on the standard library and does no I/O.
// It has no wire format: internal/store decides how a value is stored, internal/httpapi how it is
// written as JSON.
//
// The words are those of the trade. A building has assets. A session is one service visit to a
// building, made of items. An item has checks, each pinned to a version of a rule. That rule
// classifies the conditions that were observed, and each becomes a defect. See
// docs/ARCHITECTURE.md.
package firemode

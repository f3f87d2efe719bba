package view

import (
	"context"
	"errors"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// Proof returns the proof that a change is in the log, as of the current checkpoint. Anyone with
// the public key of this installation can check it. Its cost is that of reading the hashes of the
// whole log. A change that is not in the log is CodeNotFound.
func (s *Service) Proof(
	ctx context.Context, id firemode.SessionID, dot crdt.Dot,
) (proof ledger.Proof, err error) {
	p, err := firemode.Caller(ctx)
	if err != nil {
		return proof, err
	}
	err = s.view(ctx, p, id, func(at snapshot) error {
		entry, err := at.entryOf(ctx, dot)
		if err != nil {
			return err
		}
		recorded := entry.Recorded()
		if dot.Index >= len(recorded) {
			return unknownChange(dot)
		}
		proof = ledger.Proof{Change: recorded[dot.Index], Entry: entry.Header(at.ref), Checkpoint: at.head.Checkpoint}
		changes, err := treeOf(entry.Leaves())
		if err != nil {
			return err
		}
		if proof.ChangePath, err = changes.Inclusion(int64(dot.Index)); err != nil {
			return err
		}
		log, err := at.logTree(ctx)
		if err != nil {
			return err
		}
		proof.EntryPath, err = log.Inclusion(entry.Seq - 1)
		return err
	})
	return proof, err
}

// Continuation returns the proof that the current log continues the log that the checkpoint of size
// from was made for. A size that the log never had is CodeInvalid.
func (s *Service) Continuation(
	ctx context.Context, id firemode.SessionID, from int64,
) (c ledger.Continuation, err error) {
	p, err := firemode.Caller(ctx)
	if err != nil {
		return c, err
	}
	err = s.view(ctx, p, id, func(at snapshot) error {
		if from < 1 || from > at.head.Seq {
			return firemode.InvalidField(
				"from", "must be the size of the log at a checkpoint; it has %d entries now", at.head.Seq)
		}
		log, err := at.logTree(ctx)
		if err != nil {
			return err
		}
		c = ledger.Continuation{From: from, Checkpoint: at.head.Checkpoint}
		c.Path, err = log.Consistency(from)
		return err
	})
	return c, err
}

// entryOf returns the log entry of a change, with its changes.
func (at snapshot) entryOf(ctx context.Context, dot crdt.Dot) (entry ledger.Entry, err error) {
	log := store.As[store.EntryReader](at.tx)
	known, err := log.Entries(ctx, at.ref, []ledger.BatchRef{{Actor: dot.Actor, Number: dot.Batch}})
	if err != nil {
		return entry, err
	}
	if len(known) == 0 {
		return entry, unknownChange(dot)
	}
	err = log.EachEntry(ctx, at.ref, known[0].Seq, func(e ledger.Entry) error {
		entry = e
		return store.ErrStop
	})
	if errors.Is(err, store.ErrStop) {
		err = nil
	}
	return entry, err
}

func unknownChange(dot crdt.Dot) error { return firemode.NotFound("there is no change %s", dot) }

// logTree returns the tree over the whole log.
func (at snapshot) logTree(ctx context.Context) (*ledger.Tree, error) {
	hashes, err := store.As[store.EntryReader](at.tx).EntryHashes(ctx, at.ref, at.head.Seq)
	if err != nil {
		return nil, err
	}
	return treeOf(hashes)
}

func treeOf(leaves [][]byte) (*ledger.Tree, error) {
	tree := &ledger.Tree{}
	for _, leaf := range leaves {
		if err := tree.Add(leaf); err != nil {
			return nil, err
		}
	}
	return tree, nil
}

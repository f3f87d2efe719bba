package sessions

import (
	"context"
	"errors"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// errFound ends a walk over the log.
var errFound = errors.New("found")

// Proof shows one recorded change to whoever holds the public key of this installation, as of the checkpoint of now. Its cost is
// that of reading the hashes of the whole log. A change that is not in the log is CodeNotFound.
func (s *Service) Proof(ctx context.Context, id firemode.SessionID, dot crdt.Dot) (proof ledger.Proof, err error) {
	err = s.viewLog(ctx, id, func(tx store.ReadTx, at ledger.SessionRef, head ledger.Head) error {
		b, err := loggedBatch(ctx, tx, at, dot)
		if err != nil {
			return err
		}
		recorded := b.Recorded()
		if dot.Index >= len(recorded) {
			return firemode.NotFound("there is no change %s", dot)
		}
		proof = ledger.Proof{Change: recorded[dot.Index], Entry: b.Header(at), Checkpoint: head.Checkpoint}
		changes, err := treeOf(b.Leaves())
		if err != nil {
			return err
		}
		if proof.ChangePath, err = changes.Inclusion(int64(dot.Index)); err != nil {
			return err
		}
		log, err := logTree(ctx, tx, at, head.Seq)
		if err != nil {
			return err
		}
		proof.EntryPath, err = log.Inclusion(b.Seq - 1)
		return err
	})
	return proof, err
}

// Continuation shows to whoever holds the checkpoint of size from that the log of now is that one with more behind it. A size
// that the log never had is CodeInvalid.
func (s *Service) Continuation(ctx context.Context, id firemode.SessionID, from int64) (c ledger.Continuation, err error) {
	err = s.viewLog(ctx, id, func(tx store.ReadTx, at ledger.SessionRef, head ledger.Head) error {
		if from < 1 || from > head.Seq {
			return firemode.InvalidField("from", "must be the size of the log at a checkpoint; it has %d entries now", head.Seq)
		}
		log, err := logTree(ctx, tx, at, head.Seq)
		if err != nil {
			return err
		}
		c = ledger.Continuation{From: from, Checkpoint: head.Checkpoint}
		c.Path, err = log.Consistency(from)
		return err
	})
	return c, err
}

// viewLog runs fn on the log of a session that the caller may see.
func (s *Service) viewLog(ctx context.Context, id firemode.SessionID, fn func(store.ReadTx, ledger.SessionRef, ledger.Head) error) error {
	p, err := firemode.Caller(ctx)
	if err != nil {
		return err
	}
	return s.store.View(ctx, func(tx store.ReadTx) error {
		session, err := visible(ctx, tx, p, id)
		if err != nil {
			return err
		}
		head, err := store.As[store.HeadReader](tx).Head(ctx, ref(session))
		if err != nil {
			return err
		}
		return fn(tx, ref(session), head)
	})
}

// loggedBatch returns the log entry of a change, with its changes.
func loggedBatch(ctx context.Context, tx store.ReadTx, at ledger.SessionRef, dot crdt.Dot) (b ledger.Entry, err error) {
	known, err := store.As[store.EntryReader](tx).Entries(ctx, at, []ledger.BatchRef{{Actor: dot.Actor, Number: dot.Batch}})
	if err != nil {
		return b, err
	}
	if len(known) == 0 {
		return b, firemode.NotFound("there is no change %s", dot)
	}
	err = store.As[store.EntryReader](tx).EachEntry(ctx, at, known[0].Seq, func(entry ledger.Entry) error {
		b = entry
		return errFound
	})
	if errors.Is(err, errFound) {
		err = nil
	}
	return b, err
}

func logTree(ctx context.Context, tx store.ReadTx, at ledger.SessionRef, size int64) (*ledger.Tree, error) {
	hashes, err := store.As[store.EntryReader](tx).EntryHashes(ctx, at, size)
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

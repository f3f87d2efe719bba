package row

import (
	"context"
	"errors"
	"time"

	"firemode"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// HeadColumns are those of table session_heads after org and session_id.
const HeadColumns = "seq, hash, epoch, secret, changed_at, changed_seq, done, conflicts, gaps, batches, late, " +
	"frontier, checkpoint, tallied_seq"

// HeadValues are in the order of HeadColumns.
func HeadValues(h ledger.Head) []any {
	return []any{
		h.Seq, blob(h.Hash), h.Epoch, blob(h.Key), store.Micros(h.ChangedAt), h.ChangedSeq, h.Done, h.Conflicts, h.Gaps,
		h.Batches, h.Late, blob(h.Frontier), h.Checkpoint, h.Tallied,
	}
}

func headDest(h *ledger.Head) []any {
	return []any{
		&h.Seq, &h.Hash, &h.Epoch, &h.Key,
		store.TimeColumn{Into: &h.ChangedAt},
		&h.ChangedSeq, &h.Done, &h.Conflicts, &h.Gaps,
		&h.Batches, &h.Late, &h.Frontier, &h.Checkpoint, &h.Tallied,
	}
}

// ScanHead reads HeadColumns.
func ScanHead(r Scanner) (h ledger.Head, err error) {
	err = scan(r, "session_heads", headDest(&h)...)
	return h, err
}

// Head implements store.HeadReader.
func (r Reader) Head(ctx context.Context, s ledger.SessionRef) (ledger.Head, error) {
	h, err := One(ctx, r.sql, ScanHead, "SELECT "+HeadColumns+" FROM session_heads WHERE org = ? AND session_id = ?",
		s.Org, s.Session)
	return Found(h, err, "session")
}

// SeqAt implements store.HeadReader.
func (r Reader) SeqAt(ctx context.Context, s ledger.SessionRef, at time.Time) (int64, error) {
	n, err := One(ctx, r.sql, Int, `SELECT seq FROM batches WHERE org = ? AND session_id = ? AND received_at <= ?
		ORDER BY seq DESC LIMIT 1`, s.Org, s.Session, store.Micros(at))
	if errors.Is(err, ErrNone) {
		return 0, nil
	}
	return n, err
}

// SaveHead implements store.SessionWriter.
func (w Writer) SaveHead(ctx context.Context, org firemode.OrgID, id firemode.SessionID, h ledger.Head) error {
	n, err := w.sql.Write(ctx, Taken{}, "UPDATE session_heads SET ("+HeadColumns+") = ("+parameters(HeadColumns)+`)
		WHERE org = ? AND session_id = ?`, append(HeadValues(h), org, id)...)
	if err == nil && n == 0 {
		err = w.sql.Fail(firemode.NotFound("there is no such session"))
	}
	return err
}

package sqlite

import (
	"context"

	"firemode/internal/groupcommit"
)

// enqueue hands u to the writer. It fails if the writer is closed or dead.
func (w *writer) enqueue(u *update) error {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return errClosed()
	}
	down := w.liveness.Down()
	select {
	case <-down: // even if there is room in the queue
		return groupcommit.ErrDown
	default:
	}
	if w.busy.Load() {
		u.since = w.now()
	}
	select {
	case w.queue <- u:
		return nil
	case <-down:
		return groupcommit.ErrDown
	}
}

// run serves group after group until the writer is stopped, or ctx ends.
func (w *writer) run(ctx context.Context) error {
	w.liveness.Started()
	ended := false
	defer func() {
		if ended {
			close(w.idle)
		} else {
			w.liveness.Died(w.clear)
		}
	}()
	stop := context.AfterFunc(ctx, w.shut)
	defer stop()
	for u := range w.queue {
		w.serve(u)
		w.checkpoint()
	}
	w.drop()
	ended = true
	return nil
}

// clear ends the calls that wait for a goroutine that died: nothing was done for them.
func (w *writer) clear() {
	w.mu.Lock() // until callers that are sending have noticed, too
	defer w.mu.Unlock()
	for {
		select {
		case u, open := <-w.queue:
			if !open {
				return
			}
			u.ticket.Leave()
			u.err = groupcommit.ErrDown
			close(u.done)
		default:
			return
		}
	}
}

// shut refuses new updates and lets the queue drain.
func (w *writer) shut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.closed {
		w.closed = true
		close(w.queue)
	}
}

// stop waits until the queue is empty.
func (w *writer) stop() {
	w.shut()
	select {
	case <-w.idle:
	case <-w.liveness.Down(): // nothing is left in the queue
	}
}

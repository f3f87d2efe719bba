package client

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"time"

	"firemode"
)

// Device is a phone or tablet in one session: its State and the network. It is not safe for
// concurrent use.
type Device struct {
	State
	api   *Client
	now   func() time.Time
	newID func() string
	page  int
	keep  time.Duration
}

// DeviceConfig configures a Device. The zero value is ready to use.
type DeviceConfig struct {
	Now   func() time.Time // the clock of the device, which may be wrong; nil for time.Now
	NewID func() string    // returns a new id of a client or a batch at each call; nil for random ids
	Page  int              // changes on a page of a delta, 0 for the server's default
	// Keep is how long acknowledged batches are kept for a server that is restored from a backup, 0
	// for permanently. It must exceed the interval between backups of the server.
	Keep time.Duration
}

// NewDevice returns a device that joins a session under a client id of its own. It has been shown
// nothing yet.
func NewDevice(api *Client, session firemode.SessionID, c DeviceConfig) *Device {
	d := RestoreDevice(api, State{Session: session}, c)
	d.Client = d.newID()
	return d
}

// RestoreDevice returns a device that continues from a stored state.
func RestoreDevice(api *Client, s State, c DeviceConfig) *Device {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.NewID == nil {
		c.NewID = rand.Text
	}
	return &Device{State: s, api: api, now: c.Now, newID: c.NewID, page: c.Page, keep: c.Keep}
}

// Record queues changes. They survive a restart once the State is stored, and the loss of the
// device once Sync has pushed them.
func (d *Device) Record(changes ...Change) { d.Queue(changes, d.now(), d.newID) }

// Report is what a Sync did, complete or not.
type Report struct {
	Receipts []Receipt // of each batch that was posted, in order
	Forks    []string  // the fresh client ids under which the device continued because it was a copy
	Restored bool      // the server was restored from a backup, and has been sent what it had lost
}

// Bundle fetches everything that is needed without a network, and shows its results.
func (d *Device) Bundle(ctx context.Context) (Bundle, error) {
	b, err := d.api.Bundle(ctx, d.Session, BundleQuery{Client: d.Client})
	if err != nil {
		return b, err
	}
	return b, d.Show(b.Data.Results, true)
}

// Sync pushes the pending batches, oldest first, then pulls what has changed. After an error it can
// be called again at any time, also after a restart: the State knows what was acknowledged.
func (d *Device) Sync(ctx context.Context) (Report, error) {
	var r Report
	if err := d.Push(ctx, &r); err != nil {
		return r, err
	}
	epoch := d.Epoch
	err := d.Pull(ctx)
	if StatusOf(err) == http.StatusGone { // the cursor is from before a restore
		d.Cursor = ""
		err = d.Pull(ctx)
	}
	if err != nil {
		return r, err
	}
	if r.Restored = epoch != 0 && d.Epoch != epoch; d.Epoch != epoch {
		err = d.Push(ctx, &r)
	}
	if d.keep > 0 {
		d.Forget(d.keep)
	}
	return r, err
}

// maxForks is how often one Push continues under a fresh id. Nobody else has a fresh id, so one
// fork is enough; the limit stops a server that never accepts one.
const maxForks = 3

// Push posts the pending batches and adds the outcome to r.
func (d *Device) Push(ctx context.Context, r *Report) error {
	tried := map[string]bool{}
	for {
		b, ok := d.next(tried)
		if !ok {
			return nil
		}
		receipt, err := d.api.SubmitResults(ctx, d.Session, b.Key(), b.Submission(d.now()))
		if fresh := freshID(err); fresh != "" && len(r.Forks) < maxForks {
			d.Disown(b)
			d.Fork(fresh)
			r.Forks = append(r.Forks, fresh)
			continue
		}
		if err != nil {
			return fmt.Errorf("batch %d of %s: %w", b.Number, b.Client, err)
		}
		tried[b.Key()] = true
		d.Acknowledge(b, receipt)
		r.Receipts = append(r.Receipts, receipt)
	}
}

// next returns the oldest batch that is pending or doubted and has not been tried.
func (d *Device) next(tried map[string]bool) (Batch, bool) {
	for _, b := range d.Batches {
		if (!b.Acknowledged || b.Doubted) && !tried[b.Key()] {
			return b, true
		}
	}
	return Batch{}, false
}

func freshID(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.FreshClientID
	}
	return ""
}

// Pull fetches and shows what has changed since the last pull, page by page.
func (d *Device) Pull(ctx context.Context) error {
	for {
		whole := d.Cursor == ""
		page, err := d.api.Results(ctx, d.Session, ResultsQuery{Client: d.Client, Since: d.Cursor, Limit: d.page})
		if err != nil {
			return err
		}
		if err := d.Show(page, whole); err != nil {
			return err
		}
		if page.Complete {
			return nil
		}
	}
}

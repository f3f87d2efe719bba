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

// Device is a phone in one session: its State, and the network. It is for one goroutine at a time.
type Device struct {
	State
	api   *Client
	now   func() time.Time
	newID func() string
	page  int
	keep  time.Duration
}

// DeviceConfig is what a Device may be told; all of it may be left out.
type DeviceConfig struct {
	Now   func() time.Time // the phone's clock, which may be wrong; nil for time.Now
	NewID func() string    // makes ids of clients and batches, each once; nil for random ones
	Page  int              // changes on a page of a delta, 0 for the server's default
	// Keep is how long what was acknowledged is kept for a server that is restored from a backup; 0 for ever. It must be longer
	// than the server's backups are apart.
	Keep time.Duration
}

// NewDevice returns a phone that has not seen anything of the session yet, under a client id of its own.
func NewDevice(api *Client, session firemode.SessionID, c DeviceConfig) *Device {
	d := RestoreDevice(api, State{Session: session}, c)
	d.Client = d.newID()
	return d
}

// RestoreDevice returns a phone that goes on from a stored state.
func RestoreDevice(api *Client, s State, c DeviceConfig) *Device {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.NewID == nil {
		c.NewID = rand.Text
	}
	return &Device{State: s, api: api, now: c.Now, newID: c.NewID, page: c.Page, keep: c.Keep}
}

// Record queues changes. They are safe as soon as State is stored, and with the server once a Sync says so.
func (d *Device) Record(changes ...Change) { d.Queue(changes, d.now(), d.newID) }

// Report says what a Sync did.
type Report struct {
	Receipts []Receipt // of each batch that was posted, in order
	Forks    []string  // fresh ids under which this phone went on, since it turned out to be a copy
	Restored bool      // the server was restored from a backup, and was given what it had lost
}

// Bundle fetches everything that is needed with no network, and shows its results.
func (d *Device) Bundle(ctx context.Context) (Bundle, error) {
	b, err := d.api.Bundle(ctx, d.Session, BundleQuery{Client: d.Client})
	if err != nil {
		return b, err
	}
	return b, d.Show(b.Data.Results, true)
}

// Sync posts what is pending, oldest first, then pulls what has changed. Stopped by an error it can be called again at any
// time, also after a restart: what has been acknowledged is noted in State and is not posted again.
func (d *Device) Sync(ctx context.Context) (Report, error) {
	var r Report
	if err := d.Push(ctx, &r); err != nil {
		return r, err
	}
	epoch := d.Epoch
	err := d.Pull(ctx)
	if StatusOf(err) == http.StatusGone {
		d.Cursor = ""
		err = d.Pull(ctx)
	}
	if err != nil {
		return r, err
	}
	if r.Restored = epoch != 0 && d.Epoch != epoch; d.Epoch != epoch {
		err = d.Push(ctx, &r) // Show has put back what the server lost
	}
	if d.keep > 0 {
		d.Forget(d.keep)
	}
	return r, err
}

// maxForks is how often one Push goes on under a fresh id. A fresh id is nobody else's, so once is what happens.
const maxForks = 3

// Push posts what is pending, and adds what became of it to r.
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

// next returns the oldest batch that is pending or in doubt and has not been tried.
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

// Pull takes over what has changed since the last one, page by page until it is complete.
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

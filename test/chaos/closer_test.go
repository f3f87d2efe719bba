package chaos

import (
	"context"
	"fmt"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"firemode"
	"firemode/client"
)

// closing is the session that a closer has to itself.
const closing = firemode.SessionID("closing")

// closer is a phone and a manager who completes and reopens its session, so that half of what the
// phone sends comes late.
type closer struct {
	*client.Device
	journal *journal
	manager *client.Client
}

// addCloser has a closer work beside the others. Its building is bare and its visit one at which
// nothing is due, so nothing hinders completion.
func (c *crew) addCloser(t *testing.T, s *site) {
	t.Helper()
	b, err := s.admin.CreateBuilding(t.Context(), client.NewBuilding{ID: "shed", Name: "Shed", Address: "2 Quay St"})
	check(t, err)
	_, err = s.admin.CreateSession(t.Context(),
		client.NewSession{ID: closing, Building: b.ID, Name: "Weekly", Frequency: firemode.Weekly})
	check(t, err)
	s.sessions = append(s.sessions, closing)
	one := &closer{
		Device: client.NewDevice(s.techs[0], closing, client.DeviceConfig{}), journal: c.journal,
		manager: s.admin,
	}
	c.steps = append(c.steps, one.step)
}

// step records a reading before the completion and one after it. The second is kept beside the
// document until the session is open again, and is in it then.
func (c *closer) step(ctx context.Context) error {
	early, err := c.write(ctx, "merged")
	if err != nil {
		return err
	}
	if err := c.move(ctx, client.SessionPatch{Status: firemode.SessionCompleted}); err != nil {
		return err
	}
	late, err := c.write(ctx, "late")
	if err != nil {
		return err
	}
	if err := c.look(ctx, early, 1); err != nil {
		return err
	}
	if err := c.move(ctx, client.SessionPatch{Status: firemode.SessionReopened, Reason: "late readings"}); err != nil {
		return err
	}
	return c.look(ctx, late, 0)
}

// write sends a reading, which must be answered with status.
func (c *closer) write(ctx context.Context, status string) (int64, error) {
	n := c.journal.send()
	c.Record(client.Set(client.ItemPath("found-on-site", "note"), jsontext.Value(fmt.Sprint(n))))
	var report client.Report
	if err := c.Push(ctx, &report); err != nil {
		return n, err
	}
	c.journal.ack(n)
	last := report.Receipts[len(report.Receipts)-1] // the first push after a pull sends again what was sent before it
	if len(report.Forks) > 0 || last.Status != status || last.Results[0].Status == "rejected" {
		c.journal.problem("%s: change %d was answered as %s, %+v, want %s", closing, n, last.Status, last.Results,
			status)
	}
	return n, nil
}

// move goes by no version: a move whose answer was lost is made again.
func (c *closer) move(ctx context.Context, to client.SessionPatch) error {
	_, err := c.manager.PatchSession(ctx, closing, "*", to)
	return err
}

// look wants the document to show a reading, and so many batches to wait beside it.
func (c *closer) look(ctx context.Context, shown int64, late int) error {
	if err := c.Pull(ctx); err != nil {
		return err
	}
	text, err := c.Document.MarshalJSON()
	if want := fmt.Sprintf(`{"items":{"found-on-site":{"note":%d}}}`, shown); string(text) != want ||
		len(c.Late) != late {
		c.journal.problem("%s: the document is %s with %d late batches, want %s with %d", closing, text, len(c.Late),
			want, late)
	}
	return err
}

package httpapi

import (
	"strconv"
	"strings"

	"firemode"
	"firemode/internal/httpkit"
	"firemode/internal/record/view"
)

// sealSyncCursor returns a signed cursor for a position in a session's log.
func sealSyncCursor(cursors httpkit.Cursors, org firemode.OrgID, c view.Cursor) string {
	return cursors.Seal(org, "sync "+string(c.Session), strings.Join([]string{
		strconv.FormatInt(c.Epoch, 10), strconv.FormatInt(c.Seq, 10), strconv.FormatInt(c.From, 10), c.Client, string(c.Hash),
	}, "|"))
}

// openSyncCursor returns the position in a cursor that sealSyncCursor made for the same session. Any
// other cursor is CodeMalformed.
func (a *API) openSyncCursor(org firemode.OrgID, session firemode.SessionID, cursor string) (c view.Cursor, err error) {
	after, err := a.cursors.Open(org, "sync "+string(session), cursor)
	if err != nil {
		return c, err
	}
	parts := strings.SplitN(after, "|", 5)
	if len(parts) != 5 {
		return c, httpkit.BadCursor()
	}
	c = view.Cursor{Session: session, Client: parts[3], Hash: []byte(parts[4])}
	for i, n := range []*int64{&c.Epoch, &c.Seq, &c.From} {
		if *n, err = strconv.ParseInt(parts[i], 10, 64); err != nil {
			return c, httpkit.BadCursor()
		}
	}
	return c, nil
}

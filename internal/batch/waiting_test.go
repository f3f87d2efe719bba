package batch_test

import (
	"context"
	"testing"
	"testing/synctest"

	"firemode/internal/batch"
)

func TestWaitingCountsWhatIsInNoGroupYet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{gate: make(chan struct{})}
		c := batch.New(10, r.run)
		wants := func(want int) {
			t.Helper()
			synctest.Wait()
			if got := c.Waiting(); got != want {
				t.Errorf("%d wait, want %d", got, want)
			}
		}
		wants(0)
		ctx, leave := context.WithCancel(t.Context())
		answers := queueUp(t.Context(), c, 1, 2, 3)
		left := queueUp(ctx, c, 4)
		wants(3) // the first is in a group
		leave()
		<-left[0]
		wants(2)
		close(r.gate)
		for _, a := range answers {
			<-a
		}
		wants(0)
		c.Close()
	})
}

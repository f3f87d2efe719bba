package catalogue_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"firemode"
	"firemode/internal/catalogue"
)

// The clock of synctest advances only when all goroutines wait.
func TestRun_WriteOnAnotherNode_SeenWithinHalfASecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		node2 := newService(t, w.store, "b")
		ctx := as(t, "acme")
		wantInForce(ctx, t, node2, "0.1.0")
		running, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- node2.Run(running) }()
		if _, err := w.Create(ctx, rule("1.0.0", firemode.ClassCritical)); err != nil {
			t.Fatal(err)
		}
		wantInForce(ctx, t, w.Service, "1.0.0")
		wantInForce(ctx, t, node2, "0.1.0")
		time.Sleep(500 * time.Millisecond)
		synctest.Wait()
		wantInForce(ctx, t, node2, "1.0.0")
		stop()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

// After Changed, Run polls immediately: the clock does not advance.
func TestRun_Changed_SeesTheWriteImmediately(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		node2, err := catalogue.New(w.store, catalogue.Config{
			NewID: func() string { return "b" }, OnError: func(err error) { t.Error(err) }, Poll: 24 * time.Hour,
		})
		if err != nil {
			t.Fatal(err)
		}
		defer node2.Close()
		ctx := as(t, "acme")
		wantInForce(ctx, t, node2, "0.1.0")
		running, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- node2.Run(running) }()
		if _, err := w.Create(ctx, rule("1.0.0", firemode.ClassCritical)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		wantInForce(ctx, t, node2, "0.1.0")
		node2.Changed()
		synctest.Wait()
		wantInForce(ctx, t, node2, "1.0.0")
		if _, err := w.Deactivate(ctx, fe01, "1.0.0"); err != nil {
			t.Fatal(err)
		}
		node2.Changed()
		synctest.Wait()
		wantInForce(ctx, t, node2, "0.1.0")
		stop()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

func wantInForce(ctx context.Context, t *testing.T, svc *catalogue.Service, version string) {
	t.Helper()
	if r, err := svc.Rule(ctx, fe01); err != nil || r.Version != version {
		t.Errorf("in force is %s, %v, want %s", r.Version, err, version)
	}
}

package supervisor

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestGroup_FailedService_RestartsAlone(t *testing.T) {
	for name, die := range map[string]func() error{
		"error":  func() error { return errors.New("no") },
		"panic":  func() error { panic("no") },
		"goexit": func() error { runtime.Goexit(); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g, r := newGroup(t)
				var runs, others int
				start(t, g, "other", func(ctx context.Context) error { others++; return untilDone(ctx) })
				start(t, g, "weak", func(ctx context.Context) error {
					if runs++; runs == 1 {
						return die()
					}
					return untilDone(ctx)
				})
				synctest.Wait()
				down := g.Status("weak")
				if down.Up || down.Err == nil || down.Restarts != 0 || !down.Retry.Equal(time.Now().Add(time.Second)) {
					t.Errorf("after the failure: %+v", down)
				}
				time.Sleep(time.Second) // half of First: there is no jitter
				synctest.Wait()
				if up := g.Status("weak"); !up.Up || up.Restarts != 1 || !up.Retry.IsZero() {
					t.Errorf("after the pause: %+v", up)
				}
				if runs != 2 || others != 1 || !g.Status("other").Up {
					t.Errorf("%d runs, %d of the other", runs, others)
				}
				stop(t, g)
				want := []string{
					"other up true", "weak up true", "weak up false", "weak failed", "weak restarted", "weak up true",
					"weak up false", "other up false",
				}
				if got := r.seen(); !slices.Equal(got, want) {
					t.Errorf("observed %v, want %v", got, want)
				}
			})
		})
	}
}

func TestGroup_RepeatedFailures_PausesDoubleUntilSteadyRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, r := newGroup(t)
		runs := 0
		start(t, g, "weak", func(ctx context.Context) error {
			if runs++; runs == 6 {
				time.Sleep(time.Minute)
			}
			if runs == 8 {
				return untilDone(ctx)
			}
			return errors.New("no")
		})
		time.Sleep(time.Hour)
		synctest.Wait()
		want := []time.Duration{1, 2, 4, 8, 8, 1, 2}
		for i := range want {
			want[i] *= time.Second
		}
		if !slices.Equal(r.pauses, want) {
			t.Errorf("pauses %v, want %v", r.pauses, want)
		}
		stop(t, g)
	})
}

// By default suture pauses all services after five failures within 30 s.
func TestGroup_ManyFailures_SutureNeverPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, _ := newGroup(t)
		g.Backoff = Backoff{First: 2, Max: 2, Steady: time.Hour}
		runs := 0
		start(t, g, "weak", func(ctx context.Context) error {
			if runs++; runs == 1000 {
				return untilDone(ctx)
			}
			return errors.New("no")
		})
		time.Sleep(time.Millisecond)
		synctest.Wait()
		if s := g.Status("weak"); runs != 1000 || !s.Up || s.Restarts != 999 {
			t.Errorf("%d runs, %+v", runs, s)
		}
		stop(t, g)
	})
}

func TestBackoff_Jitter_BetweenHalfAndWhole(t *testing.T) {
	b := DefaultBackoff()
	if least, most := b.after(1, 0), b.after(1, 0.999); least != b.First/2 || most >= b.First || most < b.First*9/10 {
		t.Errorf("pauses from %s to %s", least, most)
	}
	if longest := b.after(1000, 0.5); longest != b.Max*3/4 {
		t.Errorf("after 1000 failures %s", longest)
	}
}

func TestStop_ReverseOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, _ := newGroup(t)
		var ended []string
		for _, name := range []string{"first", "second", "third"} {
			start(t, g, name, func(ctx context.Context) error {
				<-ctx.Done()
				time.Sleep(time.Second) // finishing its work
				ended = append(ended, name)
				return nil
			})
		}
		begun := time.Now()
		stop(t, g)
		want := []string{"third", "second", "first"}
		if !slices.Equal(ended, want) || time.Since(begun) != 3*time.Second {
			t.Errorf("%v ended in %s, one after the other", ended, time.Since(begun))
		}
		if err := g.Start(Service{Name: "late", Run: untilDone}); err == nil {
			t.Error("a service was started after the stop")
		}
		stop(t, g) // a second stop has nothing to do
	})
}

func TestStop_ServiceDoesNotEnd_Named(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, _ := newGroup(t)
		release := make(chan struct{})
		start(t, g, "good", untilDone)
		start(t, g, "stubborn", func(context.Context) error { <-release; return errors.New("late") })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := g.Stop(ctx)
		var running *RunningError
		if !errors.As(err, &running) || !slices.Contains(running.Services, "stubborn") {
			t.Errorf("got %v", err)
		}
		synctest.Wait()
		if g.Status("good").Up {
			t.Error("the other service was not stopped")
		}
		close(release)
		if err := g.Stop(t.Context()); err == nil || err.Error() != "stubborn: late" {
			t.Errorf("the second stop returned %v", err)
		}
		stop(t, g)
	})
}

func TestStop_DuringPause_EndsImmediately(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, _ := newGroup(t)
		runs := 0
		start(t, g, "weak", func(context.Context) error { runs++; panic("no") })
		synctest.Wait()
		begun := time.Now()
		stop(t, g)
		if runs != 1 || time.Since(begun) != 0 {
			t.Errorf("%d runs, stopped in %s", runs, time.Since(begun))
		}
	})
}

func TestGroup_ServiceReturnsNil_NotRestarted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, r := newGroup(t)
		start(t, g, "short", func(context.Context) error { return nil })
		time.Sleep(time.Hour)
		synctest.Wait()
		if s := g.Status("short"); s.Up || s.Restarts != 0 || s.Err != nil {
			t.Errorf("%+v", s)
		}
		if got := r.seen(); !slices.Equal(got, []string{"short up true", "short up false"}) {
			t.Errorf("observed %v", got)
		}
		stop(t, g)
	})
}

func TestGroup_Panic_ReportedWithStack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, r := newGroup(t)
		start(t, g, "weak", func(context.Context) error { panic("boom") })
		synctest.Wait()
		stop(t, g)
		text := fmt.Sprint(r.errs)
		if len(r.errs) != 1 || !strings.Contains(text, "panic: boom") || !strings.Contains(text, "group_test.go") {
			t.Errorf("observed %v", r.errs)
		}
	})
}

func TestStart_NameTaken_Error(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, _ := newGroup(t)
		start(t, g, "one", untilDone)
		if err := g.Start(Service{Name: "one", Run: untilDone}); err == nil {
			t.Error("a name was taken twice")
		}
		if names := g.Statuses(); len(names) != 1 || names[0].Name != "one" || !names[0].Up {
			t.Errorf("%+v", names)
		}
		if g.Status("nobody").Up {
			t.Error("a service that was never started is up")
		}
		stop(t, g)
	})
}

func TestNew_NoClock_Error(t *testing.T) {
	if _, err := New(Config{}); err == nil {
		t.Error("New accepted a config without a clock")
	}
}

// record is an Observer that keeps the events.
type record struct {
	mu     sync.Mutex
	events []string
	pauses []time.Duration
	errs   []error
}

func (r *record) note(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, fmt.Sprintf(format, args...))
}

func (r *record) ServiceUp(name string, up bool) { r.note("%s up %t", name, up) }

func (r *record) ServiceRestarted(name string) { r.note("%s restarted", name) }

func (r *record) ServiceFailed(name string, err error, pause time.Duration) {
	r.note("%s failed", name)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pauses, r.errs = append(r.pauses, pause), append(r.errs, err)
}

func (r *record) seen() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.events)
}

// newGroup returns a group without jitter. In a synctest bubble it uses the clock of the bubble.
func newGroup(t *testing.T) (*Group, *record) {
	t.Helper()
	r := &record{}
	g, err := New(Config{
		Now: time.Now, Jitter: func() float64 { return 0 }, Observer: r,
		Backoff: Backoff{First: 2 * time.Second, Max: 16 * time.Second, Steady: time.Minute},
	})
	if err != nil {
		t.Fatal(err)
	}
	return g, r
}

func start(t *testing.T, g *Group, name string, run func(context.Context) error) {
	t.Helper()
	if err := g.Start(Service{Name: name, Run: run}); err != nil {
		t.Fatal(err)
	}
}

func stop(t *testing.T, g *Group) {
	t.Helper()
	if err := g.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

func untilDone(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

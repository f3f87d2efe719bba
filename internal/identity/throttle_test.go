package identity

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"firemode"
)

func TestNetwork_FormsOfAddresses(t *testing.T) {
	t.Parallel()
	for remote, want := range map[string]string{
		"":                          "",
		"192.0.2.7":                 "192.0.2.7",
		"192.0.2.7:4431":            "192.0.2.7",
		"::ffff:192.0.2.7":          "192.0.2.7",
		"[::ffff:192.0.2.7]:80":     "192.0.2.7",
		"2001:db8:1:2:3:4:5:6":      "2001:db8:1:2::/64",
		"[2001:db8:1:2::9]:443":     "2001:db8:1:2::/64",
		"fe80::1%eth0":              "fe80::/64",
		"@":                         "@",
		"a host that has no number": "a host that has no number",
	} {
		if got := network(remote); got != want {
			t.Errorf("network(%q) = %q, want %q", remote, got, want)
		}
	}
}

// The model keeps all failures and counts those in the window.
func TestFailures_AnyOrder_WaitAsTheModelDoes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 4).Draw(t, "limit")
		f := newFailures(limit)
		model := make(map[string][]time.Time)
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 120).Draw(t, "seconds")) * time.Second)
			key := rapid.SampledFrom([]string{"ada", "tom", ""}).Draw(t, "key")
			var inWindow []time.Time
			for _, at := range model[key] {
				if now.Sub(at) < failureWindow {
					inWindow = append(inWindow, at)
				}
			}
			var want time.Duration
			if len(inWindow) >= limit {
				want = inWindow[len(inWindow)-limit].Add(failureWindow).Sub(now)
			}
			if got := max(0, f.wait(key, now)); got != want {
				t.Fatalf("wait(%q) = %s, want %s; failures %v, now %s", key, got, want, model[key], now)
			}
			if rapid.Bool().Draw(t, "fails") {
				f.add(key, now)
				if key != "" {
					model[key] = append(model[key], now)
				}
			}
		}
	})
}

func TestThrottle_CountsNamesAndAddressesApart(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	th := newThrottle()
	for range userFailures {
		th.fail(attempt{username: "Ada", remote: "192.0.2.1"}, now)
	}
	for i := range remoteFailures {
		th.fail(attempt{username: fmt.Sprint("guess", i), remote: "[2001:db8::1]:99"}, now)
	}
	for _, tc := range []struct {
		name string
		a    attempt
		want firemode.Code
	}{
		{"the name from elsewhere", attempt{"ada", "192.0.2.2"}, firemode.CodeRateLimited},
		{"the name from nowhere", attempt{"ADA", ""}, firemode.CodeRateLimited},
		{"another name from the same address", attempt{"tom", "192.0.2.1:7"}, 0},
		{"a new name from the guesser's network", attempt{"tom", "2001:db8::2"}, firemode.CodeRateLimited},
		{"a name that was guessed once", attempt{"guess3", "192.0.2.2"}, 0},
	} {
		err := th.wait(tc.a, now)
		if got := firemode.CodeOf(err); got != tc.want || (err == nil) != (tc.want == 0) {
			t.Errorf("%s: %v, want code %d", tc.name, err, tc.want)
		}
	}
	if err := th.wait(attempt{"ada", "2001:db8::2"}, now.Add(failureWindow)); err != nil {
		t.Errorf("after the window: %v", err)
	}
}

func TestFailures_TooManyKeys_DropsTheLeastRecentlyUsed(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	f := newFailures(1)
	for i := range keysTracked + 1 {
		f.add(fmt.Sprint("key", i), now)
	}
	if got := f.seen.Len(); got != keysTracked {
		t.Errorf("remembers %d keys, want %d", got, keysTracked)
	}
	if got := f.wait("key0", now); got != 0 {
		t.Errorf("the oldest key still waits %s", got)
	}
	if got := f.wait("key1", now); got != failureWindow {
		t.Errorf("the second oldest key waits %s, want %s", got, failureWindow)
	}
}

// Successful logins from one address are never throttled; failures between them still count.
func TestLogin_ThousandOfOneAddress_AreNotThrottled(t *testing.T) {
	t.Parallel()
	p := newFixture(t)
	const remote = "192.0.2.7:4431"
	try := func(password string) error {
		_, err := p.Login(t.Context(), Credentials{Username: "tom@acme", Password: password, Remote: remote})
		return err
	}
	for i := range 1000 {
		if err := try(password); err != nil {
			t.Fatalf("login %d: %v", i+1, err)
		}
		if i%250 == 0 { // fewer than the limit of a user
			refused(t, try("a wrong guess"), firemode.CodeUnauthenticated, "username or password is wrong")
		}
	}
	for range userFailures - 4 {
		refused(t, try("a wrong guess"), firemode.CodeUnauthenticated, "username or password is wrong")
	}
	if err := try(password); firemode.CodeOf(err) != firemode.CodeRateLimited {
		t.Errorf("after %d failures: %v, want CodeRateLimited", userFailures, err)
	}
	p.clock.advance(5 * time.Minute)
	if err := try(password); err != nil {
		t.Errorf("after the window: %v", err)
	}
}

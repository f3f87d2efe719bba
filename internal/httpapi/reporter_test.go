package httpapi

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestSlowRequest_LoggedOnce says how long it took, which one it was, and where the time went.
func TestSlowRequest_LoggedOnce(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, path, body string
		stages           string
	}{
		{
			"results", "/v1/tests/sessions/s1/results", `{"changes":[{"op":"set","path":"/a","value":1}]}`,
			"body queue merge commit other",
		},
		{
			"classify", "/v1/classify", `{"item_code":"AS1851-2012-FE-01","observed_condition":"pressure_low"}`,
			"body queue record commit other",
		},
	} {
		for _, slow := range []bool{false, true} {
			at := &slowClock{now: time.Now()}
			w := newWorld(t, func(c *Config) { c.Now = at.Now })
			w.get(http.StatusCreated, as("manager", "POST", "/v1/buildings",
				`{"building_id":"b","site_name":"B","site_address":"S"}`))
			w.session(t, "s1")
			if slow {
				at.step = 50 * time.Millisecond
			}
			q := as("admin", "POST", c.path, c.body)
			q.header = map[string]string{"Idempotency-Key": "k", "X-Request-ID": "slow-one"}
			w.get(http.StatusOK, q)
			warnings := regexp.MustCompile(`(?m)^.*Performance violation.*$`).FindAllString(w.logs.String(), -1)
			if !slow {
				if len(warnings) > 0 {
					t.Errorf("%s: a quick request is warned of: %v", c.name, warnings)
				}
				continue
			}
			if len(warnings) != 1 {
				t.Fatalf("%s: %d warnings, want 1: %v", c.name, len(warnings), warnings)
			}
			line := warnings[0]
			seen := w.seen.Took()
			took := seen[len(seen)-1]
			for _, part := range []string{
				fmt.Sprintf(`level=WARN msg="Performance violation: %.3fs > 300ms requirement" method=POST route=`, took.Seconds()),
				"transaction_id=slow-one",
			} {
				if !strings.Contains(line, part) {
					t.Errorf("%s: the warning lacks %q: %s", c.name, part, line)
				}
			}
			var names []string
			var sum time.Duration
			for _, m := range regexp.MustCompile(`(body|queue|merge|record|commit|other)=(\S+)`).FindAllStringSubmatch(line,
				-1) {
				d, err := time.ParseDuration(m[2])
				must(t, err)
				names, sum = append(names, m[1]), sum+d
			}
			if got := strings.Join(names, " "); got != c.stages || sum != took {
				t.Errorf("%s: stages %s that sum up to %s, want %s and %s: %s", c.name, got, sum, c.stages, took, line)
			}
		}
	}
}

// TestSlowRequest_CriticalRoutesOnly, by the limit that is set.
func TestSlowRequest_CriticalRoutesOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) { c.Report.SlowAfter = time.Nanosecond })
	w.get(http.StatusOK, as("admin", "GET", "/v1/users/me"))
	if text := w.logs.String(); strings.Contains(text, "Performance violation") {
		t.Errorf("there is no requirement on this: %s", text)
	}
	w.get(http.StatusOK, as("admin", "POST", "/v1/classify",
		`{"item_code":"AS1851-2012-FE-01","observed_condition":"pressure_low"}`))
	if text := w.logs.String(); strings.Count(text, "Performance violation") != 1 {
		t.Errorf("one warning was to come: %s", text)
	}
	for _, rt := range routes() {
		if want := rt.ID == "classify" || rt.ID == "submit-results"; rt.Critical != want {
			t.Errorf("%s: critical is %v", rt.ID, rt.Critical)
		}
	}
}

// slowClock goes on by a step each time it is asked.
type slowClock struct {
	mu   sync.Mutex
	now  time.Time
	step time.Duration
}

func (c *slowClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(c.step)
	return c.now
}

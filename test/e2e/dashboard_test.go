package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"firemode/client"
	"firemode/test/promtest"
)

const (
	rulesFile     = "../../deploy/prometheus/firemode.rules.yml"
	dashboardFile = "../../deploy/grafana/firemode.json"
)

// awaited are metrics that rules and dashboard use and that no server tells yet. One that is there
// must be taken out of this list: then it is tested like the others.
func awaited() []string {
	return nil
}

// A question is an expression of the rules or the dashboard, and where it stands.
type question struct{ where, expression string }

// A real Prometheus scrapes a real server under load. Every query of the dashboard and every rule
// must return data.
func TestDashboardAndRules_BusyServer_EveryQueryHasData(t *testing.T) {
	panels, rules := panelsOf(t), rulesOf(t)
	if len(panels) < 40 || len(rules) < 35 {
		t.Fatalf("%d queries and %d rules were found", len(panels), len(rules))
	}
	onEachEngine(t, func(t *testing.T, storage []string) {
		s := start(t, "demo", storage)
		keepBusy(t, s)
		p := promtest.Start(t, strings.TrimPrefix(s.url, "http://"), rulesFile)
		p.Await(t, "three scrapes", func() bool {
			up := p.Query(t, `sum_over_time(up{job="firemode"}[5m]) >= 3`)
			return len(up) == 1
		})
		for _, q := range unanswered(t, p, slices.DeleteFunc(slices.Clone(panels), isAwaited)) {
			t.Errorf("%s: nothing answers %s", q.where, q.expression)
		}
		allThere(t, p, slices.Concat(panels, rules))
		evaluated(t, p, len(rules))
	})
}

// panelsOf returns the queries of the dashboard as Grafana would put them.
func panelsOf(t *testing.T) (all []question) {
	t.Helper()
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(readFile(t, dashboardFile), &dashboard); err != nil {
		t.Fatal(err)
	}
	variables := strings.NewReplacer("$__rate_interval", "1m", "$instance", ".*")
	for _, p := range dashboard.Panels {
		for _, target := range p.Targets {
			expression := variables.Replace(target.Expr)
			if strings.Contains(expression, "$") {
				t.Errorf("panel %s has a variable that this test does not know: %s", p.Title, expression)
			}
			all = append(all, question{"panel " + p.Title, expression})
		}
	}
	return all
}

func rulesOf(t *testing.T) (all []question) {
	t.Helper()
	var file struct {
		Groups []struct {
			Rules []struct{ Record, Alert, Expr string }
		}
	}
	if err := yaml.Unmarshal(readFile(t, rulesFile), &file); err != nil {
		t.Fatal(err)
	}
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			all = append(all, question{"rule " + r.Record + r.Alert, r.Expr})
		}
	}
	return all
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// metricsOf returns the names in an expression: those before a brace, and the recorded ones.
func metricsOf(expression string) (names []string) {
	metric := regexp.MustCompile(`([a-z_][a-z0-9_]*)\{|(firemode:[a-z0-9_:]+)`)
	for _, m := range metric.FindAllStringSubmatch(expression, -1) {
		names = append(names, m[1]+m[2])
	}
	return names
}

func isAwaited(q question) bool {
	return slices.ContainsFunc(
		metricsOf(q.expression), func(name string) bool { return slices.Contains(awaited(), name) },
	)
}

// unanswered returns the questions that have no number for an answer, not even half a minute of
// scrapes later.
func unanswered(t *testing.T, p promtest.Server, questions []question) []question {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); len(questions) > 0 && time.Now().Before(deadline); {
		questions = slices.DeleteFunc(questions, func(q question) bool {
			return slices.ContainsFunc(
				p.Query(t, q.expression), func(s promtest.Sample) bool { return s.Value != "NaN" },
			)
		})
	}
	return questions
}

// allThere wants every metric by its name, the awaited ones apart.
func allThere(t *testing.T, p promtest.Server, questions []question) {
	t.Helper()
	names := map[string]bool{}
	for _, q := range questions {
		found := metricsOf(q.expression)
		if len(found) == 0 {
			t.Errorf("%s: there is no metric in %s", q.where, q.expression)
		}
		for _, name := range found {
			names[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		there := len(p.Query(t, fmt.Sprintf("count({__name__=%q, job=~\"firemode|\"})", name))) > 0
		if want := !slices.Contains(awaited(), name); there != want {
			t.Errorf("metric %s is there: %v, want %v", name, there, want)
		}
	}
}

// evaluated wants Prometheus to have evaluated every rule without an error.
func evaluated(t *testing.T, p promtest.Server, want int) {
	t.Helper()
	p.Await(t, "evaluation of every rule", func() bool {
		var data struct {
			Groups []struct {
				Rules []struct{ Name, Health, LastError string }
			}
		}
		p.Get(t, "rules", &data)
		evaluated := 0
		for _, g := range data.Groups {
			for _, r := range g.Rules {
				if r.LastError != "" {
					t.Fatalf("rule %s: %s", r.Name, r.LastError)
				}
				if r.Health == "ok" {
					evaluated++
				}
			}
		}
		return evaluated == want
	})
}

// keepBusy has two technicians work on the demo's session, and disagree, until the test ends.
func keepBusy(t *testing.T, s server) {
	t.Helper()
	one, two := demoLogin(t, s, "tech1@demo"), demoLogin(t, s, "tech2@demo")
	ctx, stop := context.WithCancel(context.Background())
	var busy sync.WaitGroup
	busy.Go(func() {
		tick := time.NewTicker(50 * time.Millisecond) // enough for a rate, and little to do for the machine
		defer tick.Stop()
		for n := 0; ctx.Err() == nil; n++ {
			if err := visitOnce(ctx, n, one, two); err != nil && ctx.Err() == nil {
				t.Errorf("round %d: %v", n, err)
				return
			}
			select {
			case <-ctx.Done():
			case <-tick.C:
			}
		}
	})
	t.Cleanup(func() { stop(); busy.Wait() })
}

func demoLogin(t *testing.T, s server, username string) *client.Client {
	t.Helper()
	c := must(client.New(client.Config{BaseURL: s.url}))(t)
	if err := c.Login(t.Context(), username, "firemode-demo"); err != nil {
		t.Fatal(err)
	}
	return c
}

// visitOnce classifies, takes a bundle, and has both technicians read the same thing differently,
// one of them twice.
func visitOnce(ctx context.Context, n int, one, two *client.Client) error {
	if _, err := one.Classify(ctx, client.Finding{Code: "AS1851-2012-FE-01", Condition: "pressure_low"}); err != nil {
		return err
	}
	if _, err := one.Bundle(ctx, "123", client.BundleQuery{}); err != nil {
		return err
	}
	key := fmt.Sprintf("round-%d", n)
	reading := func(value string) client.Submission {
		return client.Submission{
			Changes: []client.Change{
				client.Set(client.Pointer(fmt.Sprintf("/test/%d", n)), []byte(value)),
			},
			Meta: client.Meta{ClientType: "web"},
		}
	}
	if _, err := one.SubmitResults(ctx, "123", key, reading("1")); err != nil {
		return err
	}
	if _, err := one.SubmitResults(ctx, "123", key, reading("1")); err != nil {
		return err
	}
	_, err := two.SubmitResults(ctx, "123", key+"-other", reading("2"))
	return err
}

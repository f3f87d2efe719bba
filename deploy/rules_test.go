package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"firemode/test/promtest"
)

// promtool runs it in folder prometheus.
func promtool(t *testing.T, args ...string) {
	t.Helper()
	c := exec.CommandContext(t.Context(), promtest.Tool(t, "promtool"), args...)
	c.Dir = "prometheus"
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func TestRulesAndExampleAreValid(t *testing.T) {
	promtool(t, "check", "rules", "firemode.rules.yml")
	promtool(t, "check", "config", "prometheus.yml")
	if !strings.Contains(read(t, "prometheus/prometheus.yml"), "job_name: firemode\n") {
		t.Error("the example's job is not the one that the rules go by")
	}
}

func TestAlertsFireAndDoNot(t *testing.T) {
	files, err := filepath.Glob("prometheus/*.test.yml")
	if err != nil || len(files) != 2 {
		t.Fatalf("%v %v, want two files of tests", files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			promtool(t, "test", "rules", filepath.Base(file))
		})
	}
}

// alert is a rule that is one.
type alert struct {
	Alert       string
	Labels      map[string]string
	Annotations map[string]string
}

func alerts(t *testing.T) []alert {
	t.Helper()
	var file struct {
		Groups []struct{ Rules []alert }
	}
	decode(t, "prometheus/firemode.rules.yml", &file)
	var all []alert
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			if r.Alert != "" {
				all = append(all, r)
			}
		}
	}
	return all
}

func decode(t *testing.T, path string, into any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(read(t, path)), into); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// tested counts, for each alert, the looks at it that expect it to fire and those that expect it
// not to.
func tested(t *testing.T) (fires, silent map[string]int) {
	t.Helper()
	fires, silent = map[string]int{}, map[string]int{}
	for _, path := range []string{"prometheus/firemode.rules.test.yml", "prometheus/firemode.days.test.yml"} {
		var file struct {
			Tests []struct {
				Looks []struct {
					Alert    string `yaml:"alertname"`
					Expected []any  `yaml:"exp_alerts"`
				} `yaml:"alert_rule_test"`
			}
		}
		decode(t, path, &file)
		for _, one := range file.Tests {
			for _, look := range one.Looks {
				if len(look.Expected) > 0 {
					fires[look.Alert]++
				} else {
					silent[look.Alert]++
				}
			}
		}
	}
	return fires, silent
}

func TestEveryAlertIsTestedBothWaysAndHasARunbook(t *testing.T) {
	fires, silent := tested(t)
	headings := regexp.MustCompile(`(?m)^## (\S+)$`).FindAllStringSubmatch(read(t, "../docs/runbooks/alerts.md"), -1)
	var written, named []string
	for _, h := range headings {
		written = append(written, h[1])
	}
	for _, a := range alerts(t) {
		named = append(named, a.Alert)
		if fires[a.Alert] == 0 || silent[a.Alert] == 0 {
			t.Errorf("%s is expected to fire in %d tests and not to in %d, want both", a.Alert, fires[a.Alert],
				silent[a.Alert])
		}
		if want := "docs/runbooks/alerts.md#" + strings.ToLower(a.Alert); a.Annotations["runbook"] != want {
			t.Errorf("%s names the runbook %q, want %q", a.Alert, a.Annotations["runbook"], want)
		}
		if s := a.Labels["severity"]; s != "page" && s != "ticket" {
			t.Errorf("%s has severity %q", a.Alert, s)
		}
		if a.Annotations["summary"] == "" || a.Annotations["description"] == "" {
			t.Errorf("%s says too little", a.Alert)
		}
	}
	if !slices.Equal(written, named) {
		t.Errorf("docs/runbooks/alerts.md has sections\n%q,\nthe rules have alerts\n%q,\n"+
			"want the same in the same order", written, named)
	}
}

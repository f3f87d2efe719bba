package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// step is a block of commands of the quickstart, and the output that is printed below it.
type step struct {
	line           int // of the document
	commands, want string
}

// TestQuickstart runs the commands of docs/quickstart.md, in order and in one shell, against the
// demo, and compares what they print with what the document says that they print.
func TestQuickstart_Commands_PrintWhatThePageSays(t *testing.T) {
	needTools(t, "bash", "curl", "jq")
	text, err := os.ReadFile("../../docs/quickstart.md")
	if err != nil {
		t.Fatal(err)
	}
	steps := stepsOf(string(text))
	if len(steps) != 12 {
		t.Fatalf("the document has %d blocks of commands, each followed by its output; want 12", len(steps))
	}
	onEachEngine(t, func(t *testing.T, storage []string) {
		outputs := runSteps(t, []string{"API=" + start(t, "demo", storage).url}, steps)
		for i, s := range steps {
			compareStep(t, s, outputs[i])
		}
	})
}

func needTools(t *testing.T, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("%v; `make setup` installs it", err)
		}
	}
}

// stepsOf returns the bash blocks that are followed by a block of text.
func stepsOf(document string) []step {
	var steps []step
	blocks := regexp.MustCompile("(?ms)^```bash\n(.*?)^```\n```text\n(.*?)^```$")
	for _, at := range blocks.FindAllStringSubmatchIndex(document, -1) {
		steps = append(steps, step{
			line:     1 + strings.Count(document[:at[0]], "\n"),
			commands: document[at[2]:at[3]],
			want:     document[at[4]:at[5]],
		})
	}
	return steps
}

const stepEnd = "--- end of step ---"

// runSteps returns what each step prints.
func runSteps(t *testing.T, env []string, steps []step) []string {
	t.Helper()
	var script strings.Builder
	script.WriteString("set -euo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n")
	for _, s := range steps {
		fmt.Fprintf(&script, "%s\necho '%s'\n", s.commands, stepEnd)
	}
	shell := exec.CommandContext(t.Context(), "bash")
	shell.Dir, shell.Stdin = t.TempDir(), strings.NewReader(script.String())
	shell.Env = append(append(os.Environ(), "no_proxy=127.0.0.1,localhost"), env...)
	var stderr bytes.Buffer
	shell.Stderr = &stderr
	out, err := shell.Output()
	outputs := strings.Split(string(out), stepEnd+"\n")
	if err != nil || len(outputs) != len(steps)+1 {
		t.Fatalf(
			"%v in the block at line %d:\n%s%s", err, steps[min(len(outputs), len(steps))-1].line,
			outputs[len(outputs)-1], stderr.String(),
		)
	}
	return outputs[:len(steps)]
}

// compareStep compares line by line; … in the document stands for anything.
func compareStep(t *testing.T, s step, got string) {
	t.Helper()
	pattern := strings.ReplaceAll(regexp.QuoteMeta(s.want), "…", "[^\n]*")
	if !regexp.MustCompile("^" + pattern + "$").MatchString(got) {
		t.Errorf("the block at line %d prints\n%s\nthe document says\n%s", s.line, got, s.want)
	}
}

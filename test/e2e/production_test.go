package e2e

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"firemode/internal/store/storetest/pgtest"
)

// The test runs the commands of docs/production-readiness.md, in order and in one shell, and
// compares their output with the page. The speed of this machine is not tested, so the latency
// limit is high.
func TestProductionReadiness_Commands_PrintWhatThePageSays(t *testing.T) {
	needTools(t, "bash", "curl", "jq", "openssl")
	text := string(must(os.ReadFile("../../docs/production-readiness.md"))(t))
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		walkThrough(t, text, "With PostgreSQL")
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		secret := filepath.Join(t.TempDir(), "db-url")
		must(0, os.WriteFile(secret, []byte(pgtest.Empty(t)+"\n"), 0o600))(t)
		walkThrough(t, text, "With SQLite", "FIREMODE_DB_URL_FILE="+secret)
	})
}

// walkThrough runs all but the section about the other engine.
func walkThrough(t *testing.T, document, other string, env ...string) {
	t.Helper()
	document = withoutSection(t, document, other)
	steps := stepsOf(document)
	if len(steps) < 15 {
		t.Fatalf("the document has %d blocks of commands, each followed by its output", len(steps))
	}
	l := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	l.Close()
	outputs := runSteps(t, append(env,
		"FIREMODE_DATA="+filepath.Join(t.TempDir(), "data"), "FIREMODE_ADDR="+l.Addr().String(), "P95=1m",
		"PATH="+filepath.Dir(program)+string(os.PathListSeparator)+os.Getenv("PATH")), steps)
	for i, s := range steps {
		compareStep(t, s, outputs[i])
	}
}

// withoutSection blanks a section out, so that lines keep their numbers.
func withoutSection(t *testing.T, document, title string) string {
	t.Helper()
	at := regexp.MustCompile(fmt.Sprintf("(?ms)^## %s$.*?^## ", title)).FindStringIndex(document)
	if at == nil {
		t.Fatalf("the document has no section %q", title)
	}
	section := document[at[0] : at[1]-len("## ")]
	return document[:at[0]] + strings.Repeat("\n", strings.Count(section, "\n")) + document[at[1]-len("## "):]
}

package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"firemode/internal/store/storetest/pgtest"
)

func TestMain(m *testing.M) {
	testscript.Main(withCluster{m}, map[string]func(){"firemode": main})
}

// TestScripts runs the scripts in testdata/script, in which the program is the command firemode.
func TestScripts(t *testing.T) {
	t.Parallel()
	p := scripts("sqlite")
	p.Dir = "testdata/script"
	testscript.Run(t, p)
}

// TestScriptsOnPostgres runs the scripts that use the database on PostgreSQL.
func TestScriptsOnPostgres(t *testing.T) {
	t.Parallel()
	p := scripts("postgres")
	for _, name := range []string{"setup", "rules", "assets", "serve", "demo", "mark"} {
		p.Files = append(p.Files, "testdata/script/"+name+".txtar")
	}
	p.Setup = func(env *testscript.Env) error {
		skipRaceSleep(env)
		env.Setenv("FIREMODE_DB_URL", pgtest.Empty(env.T().(testing.TB)))
		return nil
	}
	testscript.Run(t, p)
}

// withCluster runs the tests, and stops the PostgreSQL cluster of pgtest.
type withCluster struct{ tests *testing.M }

func (c withCluster) Run() int { return pgtest.Main(c.tests) }

func scripts(engine string) testscript.Params {
	return testscript.Params{
		Setup:               func(env *testscript.Env) error { skipRaceSleep(env); return nil },
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Condition:           func(name string) (bool, error) { return name == engine, nil },
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"await": await, "keep": keep, "http": httpOnce, "until": httpUntil, "failing": failing,
		},
	}
}

// skipRaceSleep disables the pause of one second that the race detector makes at the exit of a
// process.
func skipRaceSleep(env *testscript.Env) { env.Setenv("GORACE", "atexit_sleep_ms=0") }

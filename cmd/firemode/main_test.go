package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"firemode/internal/store/storetest/pgtest"
)

func TestMain(m *testing.M) {
	testscript.Main(withCluster{m}, map[string]func(){"firemode": main})
}

// withCluster runs the tests with a PostgreSQL for those that want one.
type withCluster struct{ tests *testing.M }

func (c withCluster) Run() int { return pgtest.Main(c.tests) }

// TestScripts runs the command line as text: testdata/script, where the program is firemode.
func TestScripts(t *testing.T) {
	p := scripts("sqlite")
	p.Dir = "testdata/script"
	testscript.Run(t, p)
}

// TestScriptsOnPostgres runs those scripts again that touch the database.
func TestScriptsOnPostgres(t *testing.T) {
	p := scripts("postgres")
	for _, name := range []string{"setup", "rules", "assets", "serve", "demo", "mark"} {
		p.Files = append(p.Files, "testdata/script/"+name+".txtar")
	}
	p.Setup = func(env *testscript.Env) error {
		hurry(env)
		env.Setenv("FIREMODE_DB_URL", pgtest.Empty(env.T().(testing.TB)))
		return nil
	}
	testscript.Run(t, p)
}

func scripts(engine string) testscript.Params {
	return testscript.Params{
		Setup:               func(env *testscript.Env) error { hurry(env); return nil },
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Condition:           func(name string) (bool, error) { return name == engine, nil },
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"await": await, "keep": keep, "http": httpOnce, "until": httpUntil, "failing": failing,
		},
	}
}

// hurry keeps the race detector from its habit of sleeping for a second at the end of each process.
func hurry(env *testscript.Env) { env.Setenv("GORACE", "atexit_sleep_ms=0") }

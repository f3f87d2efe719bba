package main

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestReport(t *testing.T) {
	for _, c := range []struct{ name, events, want string }{
		{
			"the output of passed tests is not printed",
			`{"Action":"start","Package":"m/a"}
{"Action":"run","Package":"m/a","Test":"TestA"}
{"Action":"output","Package":"m/a","Test":"TestA","Output":"=== RUN   TestA\n"}
{"Action":"output","Package":"m/a","Test":"TestA","Output":"    a_test.go:5: a note\n"}
{"Action":"pass","Package":"m/a","Test":"TestA/sub","Elapsed":9}
{"Action":"pass","Package":"m/a","Test":"TestA","Elapsed":1.24}
{"Action":"skip","Package":"m/a","Test":"TestB","Elapsed":0}
{"Action":"output","Package":"m/a","Output":"PASS\n"}
{"Action":"output","Package":"m/a","Output":"ok  \tm/a\t1.300s\n"}
{"Action":"pass","Package":"m/a","Elapsed":1.3}
`,
			"ok  \tm/a\t1.300s\n\nslowest tests:\n    1.2s  m/a TestA\n    0.0s  m/a TestB\n" +
				"total: 3s\n\n2 passed, 0 failed, 1 skipped\n",
		},
		{
			"a failed test is printed in full",
			`{"Action":"output","Package":"m/a","Test":"TestA/sub","Output":"    === RUN   TestA/sub\n"}
{"Action":"output","Package":"m/a","Test":"TestA/sub","Output":"    a_test.go:5: wrong\n"}
{"Action":"output","Package":"m/a","Test":"TestA/sub","Output":"    --- FAIL: TestA/sub (0.00s)\n"}
{"Action":"fail","Package":"m/a","Test":"TestA/sub","Elapsed":0}
{"Action":"output","Package":"m/a","Test":"TestA","Output":"--- FAIL: TestA (0.10s)\n"}
{"Action":"fail","Package":"m/a","Test":"TestA","Elapsed":0.1}
{"Action":"output","Package":"m/a","Output":"FAIL\n"}
{"Action":"output","Package":"m/a","Output":"FAIL\tm/a\t0.200s\n"}
{"Action":"fail","Package":"m/a","Elapsed":0.2}
`,
			"    a_test.go:5: wrong\n    --- FAIL: TestA/sub (0.00s)\n--- FAIL: TestA (0.10s)\n" +
				"FAIL\nFAIL\tm/a\t0.200s\n\nslowest tests:\n    0.1s  m/a TestA\ntotal: 3s\n\n0 passed, 2 failed, 0 skipped\n",
		},
		{
			"a package that does not compile counts as a failure",
			`{"ImportPath":"m/a [m/a.test]","Action":"build-output","Output":"./a_test.go:5: undefined: x\n"}
{"ImportPath":"m/a [m/a.test]","Action":"build-fail"}
{"Action":"output","Package":"m/a","Output":"FAIL\tm/a [build failed]\n"}
{"Action":"fail","Package":"m/a","Elapsed":0,"FailedBuild":"m/a [m/a.test]"}
`,
			"./a_test.go:5: undefined: x\nFAIL\tm/a [build failed]\n" +
				"\nslowest tests:\ntotal: 3s\n\n0 passed, 1 failed, 0 skipped\n",
		},
		{
			"a test that panics or times out has no last event",
			`{"Action":"output","Package":"m/a","Test":"TestA","Output":"panic: test timed out after 1s\n"}
{"Action":"output","Package":"m/a","Output":"FAIL\tm/a\t1.200s\n"}
{"Action":"fail","Package":"m/a","Elapsed":1.2}
`,
			"--- unfinished: TestA\npanic: test timed out after 1s\nFAIL\tm/a\t1.200s\n" +
				"\nslowest tests:\ntotal: 3s\n\n0 passed, 1 failed, 0 skipped\n",
		},
		{
			"a line that is not an event is printed",
			"go: no such tool\n",
			"go: no such tool\n\nslowest tests:\ntotal: 3s\n\n0 passed, 0 failed, 0 skipped\n",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out strings.Builder
			r := newReport(&out)
			if err := r.read(strings.NewReader(c.events)); err != nil {
				t.Fatal(err)
			}
			r.finish(3 * time.Second)
			if out.String() != c.want {
				t.Errorf("printed\n%s\nwant\n%s", out.String(), c.want)
			}
		})
	}
}

func TestReport_TwelveTests_TenSlowestShown(t *testing.T) {
	var out strings.Builder
	r := newReport(&out)
	for i := range 12 {
		r.addTest(event{Action: "pass", Package: "m/a", Test: "Test" + string(rune('A'+i)), Elapsed: float64(i)})
	}
	r.finish(time.Second)
	if n := strings.Count(out.String(), "m/a"); n != slowestShown || strings.Contains(out.String(), "TestB") {
		t.Errorf("%d tests shown:\n%s", n, out.String())
	}
}

func TestSplit(t *testing.T) {
	passes := split(strings.Fields("-race ./... -- -run Long ./a"))
	if got := fmt.Sprint(passes); got != "[[-race ./...] [-run Long ./a]]" {
		t.Errorf("split into %q", passes)
	}
}

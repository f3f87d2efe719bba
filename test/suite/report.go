package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// slowestShown is how many of the slowest tests a report ends with.
const slowestShown = 10

// event is a line that go test -json prints; see go doc test2json.
type event struct {
	Action  string
	Package string
	Test    string // "" in events of a package
	Elapsed float64
	Output  string
}

// report turns the events of go test -json into what go test prints without -v, and counts.
type report struct {
	out                     io.Writer
	outputs                 map[[2]string][]string // lines by package and test, until the test has ended
	failedIn                map[string]bool        // packages with a failed test
	tests                   []event                // the last event of each test that is not a subtest
	passed, failed, skipped int                    // tests and subtests
}

func newReport(out io.Writer) *report {
	return &report{out: out, outputs: map[[2]string][]string{}, failedIn: map[string]bool{}}
}

// read reads events to their end. A line that is not an event is printed unchanged.
func (r *report) read(events io.Reader) error {
	lines := bufio.NewReader(events)
	for {
		line, err := lines.ReadString('\n')
		var e event
		switch {
		case line == "":
		case json.Unmarshal([]byte(line), &e) != nil:
			fmt.Fprint(r.out, line)
		case e.Test == "":
			r.addPackage(e)
		default:
			r.addTest(e)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (r *report) addTest(e event) {
	key := [2]string{e.Package, e.Test}
	switch e.Action {
	case "output":
		if !strings.HasPrefix(strings.TrimLeft(e.Output, " "), "=== ") {
			r.outputs[key] = append(r.outputs[key], e.Output)
		}
		return
	case "pass":
		r.passed++
	case "skip":
		r.skipped++
	case "fail":
		r.failed++
		r.failedIn[e.Package] = true
		r.print(key)
	default:
		return
	}
	delete(r.outputs, key)
	if !strings.Contains(e.Test, "/") {
		r.tests = append(r.tests, e)
	}
}

func (r *report) addPackage(e event) {
	key := [2]string{e.Package, ""}
	switch e.Action {
	case "build-output":
		fmt.Fprint(r.out, e.Output)
	case "output":
		r.outputs[key] = append(r.outputs[key], e.Output)
	case "pass", "skip":
		for _, line := range r.outputs[key] {
			if strings.HasPrefix(line, "ok  ") || strings.HasPrefix(line, "?   ") {
				fmt.Fprint(r.out, line)
			}
		}
		delete(r.outputs, key)
	case "fail":
		if !r.failedIn[e.Package] { // for example it did not compile, or it timed out
			r.failed++
		}
		delete(r.failedIn, e.Package)
		r.printUnfinished(e.Package)
		r.print(key)
		delete(r.outputs, key)
	}
}

// printUnfinished prints the output of tests that were running when their package failed.
func (r *report) printUnfinished(path string) {
	var keys [][2]string
	for key := range r.outputs {
		if key[0] == path && key[1] != "" {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, func(a, b [2]string) int { return cmp.Compare(a[1], b[1]) })
	for _, key := range keys {
		fmt.Fprintf(r.out, "--- unfinished: %s\n", key[1])
		r.print(key)
		delete(r.outputs, key)
	}
}

func (r *report) print(key [2]string) {
	for _, line := range r.outputs[key] {
		fmt.Fprint(r.out, line)
	}
}

// finish prints the slowest tests, without their subtests, and the counts.
func (r *report) finish(took time.Duration) {
	slices.SortStableFunc(r.tests, func(a, b event) int { return cmp.Compare(b.Elapsed, a.Elapsed) })
	fmt.Fprintf(r.out, "\nslowest tests:\n")
	for _, e := range r.tests[:min(slowestShown, len(r.tests))] {
		fmt.Fprintf(r.out, "%7.1fs  %s %s\n", e.Elapsed, e.Package, e.Test)
	}
	fmt.Fprintf(r.out, "total: %s\n\n", took.Round(time.Second))
	fmt.Fprintf(r.out, "%d passed, %d failed, %d skipped\n", r.passed, r.failed, r.skipped)
}

package groupcommit_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"firemode"
	"firemode/internal/groupcommit"
)

// TestSpan_GroupAndSampledCallers_LinkToEachOther: the group is a child of the first.
func TestSpan_GroupAndSampledCallers_LinkToEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		spans := tracetest.NewSpanRecorder()
		provider := sdk.NewTracerProvider(sdk.WithSpanProcessor(spans), sdk.WithSampler(sdk.ParentBased(sampledOdd{})))
		tracer := provider.Tracer("test")
		r := &recorder{gate: make(chan struct{})}
		inside := make(chan trace.SpanContext, 2)
		c := groupcommit.NewTraced(10, tracer, "group", func(ctx context.Context, items []int) []error {
			inside <- trace.SpanContextFromContext(ctx)
			return r.run(ctx, items)
		})
		callers := map[string]trace.Span{}
		var results []chan error
		for i, name := range []string{"even 0", "even 1", "odd 2", "odd 3", "even 4", "odd 5"} {
			ctx, span := tracer.Start(t.Context(), name)
			callers[name] = span
			results = append(results, queueUp(ctx, c, i)...)
		}
		close(r.gate)
		for _, a := range results {
			if err := <-a; err != nil {
				t.Error(err)
			}
		}
		c.Close()
		for _, s := range callers {
			s.End()
		}
		provider.Shutdown(t.Context())
		if (<-inside).IsValid() {
			t.Error("the group of one caller that is not sampled has a span")
		}
		ended := map[string]sdk.ReadOnlySpan{}
		for _, s := range spans.Ended() {
			ended[s.Name()] = s
		}
		group := ended["group"]
		if len(ended) != 4 || group == nil {
			t.Fatalf("spans %v, want the group and the three that are odd", ended)
		}
		if got := <-inside; got.SpanID() != group.SpanContext().SpanID() {
			t.Errorf("run works under %s, the group is %s", got.SpanID(), group.SpanContext().SpanID())
		}
		if group.Parent().SpanID() != callers["odd 2"].SpanContext().SpanID() {
			t.Errorf("the parent of the group is %s, want odd 2", group.Parent().SpanID())
		}
		if size := group.Attributes()[0].Value.AsInt64(); size != 5 {
			t.Errorf("its size is %d, want all 5", size)
		}
		if links := group.Links(); len(links) != 2 || links[0].SpanContext.SpanID() != callers["odd "+
			"3"].SpanContext().SpanID() ||
			links[1].SpanContext.SpanID() != callers["odd 5"].SpanContext().SpanID() {
			t.Errorf("it links to %v, want odd 3 and odd 5", links)
		}
		for name, links := range map[string]int{"odd 2": 0, "odd 3": 1, "odd 5": 1} {
			got := ended[name].Links()
			if len(got) != links || links == 1 && got[0].SpanContext.SpanID() != group.SpanContext().SpanID() {
				t.Errorf("%s links to %v, want %d link to the group", name, got, links)
			}
		}
	})
}

func TestSpan_GroupFails_HasAnErrorStatus(t *testing.T) {
	spans := tracetest.NewSpanRecorder()
	tracer := sdk.NewTracerProvider(sdk.WithSpanProcessor(spans)).Tracer("test")
	c := groupcommit.NewTraced(10, tracer, "group", func(_ context.Context, items []int) []error {
		if items[0] == 1 {
			panic("one")
		}
		return groupcommit.Undone(len(items), errors.New("bad"))
	})
	ctx, span := tracer.Start(t.Context(), "caller")
	c.Do(ctx, 0) //nolint:errcheck // it is the span that is tested
	c.Do(ctx, 1) //nolint:errcheck // it is the span that is tested
	c.Close()
	span.End()
	for i, want := range []string{"undone", "panic"} {
		if got := spans.Ended()[i].Status(); got.Code != codes.Error || got.Description != want {
			t.Errorf("group %d has the status %v, want %s", i, got, want)
		}
	}
}

// TestStopwatch_Group_TimesEachCaller: each has its own wait, and the laps of the group.
func TestStopwatch_Group_TimesEachCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		c := groupcommit.New(10, func(ctx context.Context, _ []int) []error {
			<-gate
			watch := firemode.StopwatchOf(ctx)
			watch.Lap(firemode.StageQueue)
			time.Sleep(5 * time.Millisecond)
			watch.Lap(firemode.StageMerge)
			return nil
		})
		watches := make([]firemode.Stopwatch, 3)
		var results []chan error
		for i := range watches {
			watches[i].Start(time.Now, time.Now())
			results = append(results, queueUp(firemode.WithStopwatch(t.Context(), &watches[i]), c, i)...)
			results = append(results, queueUp(t.Context(), c, 9)...) // without a stopwatch
			time.Sleep(time.Millisecond)
		}
		close(gate)
		for _, a := range results {
			<-a
		}
		c.Close()
		// The first was a group of one; the others waited for it, and for each other.
		for i, queue := range []time.Duration{3 * time.Millisecond, 7 * time.Millisecond, 6 * time.Millisecond} {
			got := map[firemode.Stage]time.Duration{}
			watches[i].Each(func(s firemode.Stage, d time.Duration) { got[s] = d })
			if got[firemode.StageQueue] != queue || got[firemode.StageMerge] != 5*time.Millisecond || len(got) != 2 {
				t.Errorf("caller %d: %v, want %v in the queue and 5 ms merging", i, got, queue)
			}
		}
	})
}

// sampledOdd samples the spans whose names begin with "odd", and their children.
type sampledOdd struct{}

func (sampledOdd) ShouldSample(p sdk.SamplingParameters) sdk.SamplingResult {
	if len(p.Name) > 3 && p.Name[:3] == "odd" {
		return sdk.SamplingResult{Decision: sdk.RecordAndSample}
	}
	return sdk.SamplingResult{Decision: sdk.Drop}
}

func (sampledOdd) Description() string { return "odd" }

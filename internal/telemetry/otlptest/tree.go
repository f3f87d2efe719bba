package otlptest

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	common "go.opentelemetry.io/proto/otlp/common/v1"
	proto "go.opentelemetry.io/proto/otlp/trace/v1"
)

// Attributes returns those of a span, by name, as text.
func Attributes(s *proto.Span) map[string]string {
	all := map[string]string{}
	for _, a := range s.GetAttributes() {
		all[a.GetKey()] = text(a.GetValue())
	}
	return all
}

func text(v *common.AnyValue) string {
	switch v := v.GetValue().(type) {
	case *common.AnyValue_StringValue:
		return v.StringValue
	case *common.AnyValue_IntValue:
		return strconv.FormatInt(v.IntValue, 10)
	case *common.AnyValue_BoolValue:
		return strconv.FormatBool(v.BoolValue)
	}
	return v.String()
}

// TraceID returns the id of a span's trace, in hexadecimal.
func TraceID(s *proto.Span) string { return hex.EncodeToString(s.GetTraceId()) }

// Named returns the spans of that name.
func Named(spans []*proto.Span, name string) []*proto.Span {
	return slices.DeleteFunc(slices.Clone(spans), func(s *proto.Span) bool { return s.GetName() != name })
}

// Tree writes spans as an indented tree, each below its parent in the order in which they began:
// name, kind, state if it is an error, the number of links, and the attributes that are given, in
// this order.
func Tree(spans []*proto.Span, attributes ...string) string {
	var out strings.Builder
	spans = slices.Clone(spans)
	slices.SortStableFunc(
		spans,
		func(a, b *proto.Span) int { return cmp.Compare(a.GetStartTimeUnixNano(), b.GetStartTimeUnixNano()) },
	)
	known := map[string]bool{}
	for _, s := range spans {
		known[string(s.GetSpanId())] = true
	}
	var write func(parent []byte, depth int)
	line := func(s *proto.Span, depth int) {
		fmt.Fprintf(
			&out,
			"%s%s (%s)",
			strings.Repeat("  ", depth),
			s.GetName(),
			strings.ToLower(strings.TrimPrefix(s.GetKind().String(), "SPAN_KIND_")),
		)
		if s.GetStatus().GetCode() == proto.Status_STATUS_CODE_ERROR {
			out.WriteString(" ERROR")
		}
		if n := len(s.GetLinks()); n > 0 {
			fmt.Fprintf(&out, " links=%d", n)
		}
		has := Attributes(s)
		for _, name := range attributes {
			if value, ok := has[name]; ok {
				fmt.Fprintf(&out, " %s=%s", name, value)
			}
		}
		out.WriteByte('\n')
		write(s.GetSpanId(), depth+1)
	}
	write = func(parent []byte, depth int) {
		for _, s := range spans {
			if bytes.Equal(s.GetParentSpanId(), parent) {
				line(s, depth)
			}
		}
	}
	for _, s := range spans {
		if !known[string(s.GetParentSpanId())] {
			line(s, 0)
		}
	}
	return out.String()
}

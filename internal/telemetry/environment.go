package telemetry

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.40.0"
	"google.golang.org/grpc/credentials"
)

// environment reads the standard OpenTelemetry variables from the environment passed to the
// program. The SDK would read the environment of the process instead, so every option that it reads
// there is set explicitly.
type environment struct {
	get func(string) string
	log *slog.Logger
}

// defaultCollector is the address of a collector on the same machine.
const defaultCollector = "localhost:4317"

func (e environment) text(name string) string { return strings.TrimSpace(e.get(name)) }

// otlp returns a variable of the exporter: the one for traces, else the general one.
func (e environment) otlp(name string) string {
	if v := e.text("OTEL_EXPORTER_OTLP_TRACES_" + name); v != "" {
		return v
	}
	return e.text("OTEL_EXPORTER_OTLP_" + name)
}

func (e environment) truth(name string) bool { return strings.EqualFold(e.text(name), "true") }

// ignore logs that a variable has an invalid value.
func (e environment) ignore(name, value, why string) {
	e.log.Warn("tracing: invalid variable ignored", "variable", name, "value", value, "reason", why)
}

// number returns a variable that is an integer of at least least, or otherwise if it is unset or
// invalid.
func (e environment) number(name string, otherwise, least int) int {
	value := e.text(name)
	if value == "" {
		return otherwise
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < least {
		e.ignore(name, value, fmt.Sprintf("not an integer of at least %d", least))
		return otherwise
	}
	return n
}

func (e environment) milliseconds(name string, otherwise int) time.Duration {
	return time.Duration(e.number(name, otherwise, 0)) * time.Millisecond
}

// exports reports whether spans are exported.
func (e environment) exports() bool {
	switch v := e.text("OTEL_TRACES_EXPORTER"); v {
	case "", "otlp":
		return true
	case "none":
		return false
	default:
		e.ignore("OTEL_TRACES_EXPORTER", v, "only otlp and none are supported")
		return true
	}
}

func (e environment) sampler() sdk.Sampler {
	const name = "OTEL_TRACES_SAMPLER"
	switch v := strings.ToLower(e.text(name)); v {
	case "", "parentbased_always_on":
		return sdk.ParentBased(sdk.AlwaysSample())
	case "parentbased_always_off":
		return sdk.ParentBased(sdk.NeverSample())
	case "parentbased_traceidratio":
		return sdk.ParentBased(sdk.TraceIDRatioBased(e.ratio()))
	case "always_on":
		return sdk.AlwaysSample()
	case "always_off":
		return sdk.NeverSample()
	case "traceidratio":
		return sdk.TraceIDRatioBased(e.ratio())
	default:
		e.ignore(name, v, "not one of always_on, always_off, traceidratio, "+
			"parentbased_always_on, parentbased_always_off, parentbased_traceidratio")
		return sdk.ParentBased(sdk.AlwaysSample())
	}
}

func (e environment) ratio() float64 {
	const name = "OTEL_TRACES_SAMPLER_ARG"
	v := e.text(name)
	if v == "" {
		return 1
	}
	ratio, err := strconv.ParseFloat(v, 64)
	if err != nil || !(ratio >= 0 && ratio <= 1) {
		e.ignore(name, v, "not a number from 0 to 1")
		return 1
	}
	return ratio
}

// pairs parses a list of NAME=VALUE with URL-escaped values.
func (e environment) pairs(name, list string) map[string]string {
	pairs := map[string]string{}
	for entry := range strings.SplitSeq(list, ",") {
		if strings.TrimSpace(entry) == "" {
			continue
		}
		key, value, ok := strings.Cut(entry, "=")
		plain, err := url.PathUnescape(strings.TrimSpace(value))
		if key = strings.TrimSpace(key); !ok || key == "" || err != nil {
			e.ignore(name, "(not shown)", "not a list of NAME=VALUE")
			continue
		}
		pairs[key] = plain
	}
	return pairs
}

// resource returns the attributes that describe this process.
func (e environment) resource(version string) []attribute.KeyValue {
	all := []attribute.KeyValue{semconv.ServiceName("firemode"), semconv.ServiceVersion(version)}
	for key, value := range e.pairs("OTEL_RESOURCE_ATTRIBUTES", e.text("OTEL_RESOURCE_ATTRIBUTES")) {
		all = append(all, attribute.String(key, value)) // the last of two equal keys wins
	}
	if name := e.text("OTEL_SERVICE_NAME"); name != "" {
		all = append(all, semconv.ServiceName(name))
	}
	return all
}

func (e environment) limits() sdk.SpanLimits {
	either := func(name string, otherwise int) int { // for spans, else the general one
		return e.number("OTEL_SPAN_"+name, e.number("OTEL_"+name, otherwise, -1), -1)
	}
	only := func(name string, otherwise int) int { return e.number("OTEL_"+name, otherwise, -1) }
	return sdk.SpanLimits{
		AttributeValueLengthLimit:   either("ATTRIBUTE_VALUE_LENGTH_LIMIT", sdk.DefaultAttributeValueLengthLimit),
		AttributeCountLimit:         either("ATTRIBUTE_COUNT_LIMIT", sdk.DefaultAttributeCountLimit),
		EventCountLimit:             only("SPAN_EVENT_COUNT_LIMIT", sdk.DefaultEventCountLimit),
		AttributePerEventCountLimit: only("EVENT_ATTRIBUTE_COUNT_LIMIT", sdk.DefaultAttributePerEventCountLimit),
		// A commit group links to all its requests.
		LinkCountLimit:             only("SPAN_LINK_COUNT_LIMIT", 1024),
		AttributePerLinkCountLimit: only("LINK_ATTRIBUTE_COUNT_LIMIT", sdk.DefaultAttributePerLinkCountLimit),
	}
}

func (e environment) batches() []sdk.BatchSpanProcessorOption {
	queue := e.number("OTEL_BSP_MAX_QUEUE_SIZE", sdk.DefaultMaxQueueSize, 1)
	batch := e.number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", sdk.DefaultMaxExportBatchSize, 1)
	return []sdk.BatchSpanProcessorOption{
		sdk.WithMaxQueueSize(queue),
		sdk.WithMaxExportBatchSize(min(queue, batch)),
		sdk.WithBatchTimeout(e.milliseconds("OTEL_BSP_SCHEDULE_DELAY", sdk.DefaultScheduleDelay)),
		sdk.WithExportTimeout(e.milliseconds("OTEL_BSP_EXPORT_TIMEOUT", sdk.DefaultExportTimeout)),
	}
}

// connection returns the options that connect to the collector.
func (e environment) connection() ([]otlptracegrpc.Option, error) {
	if p := e.otlp("PROTOCOL"); p != "" && p != "grpc" {
		e.ignore("OTEL_EXPORTER_OTLP_PROTOCOL", p, "only grpc is supported")
	}
	address, plain := e.endpoint()
	options := []otlptracegrpc.Option{
		otlptracegrpc.WithEndpoint(address),
		otlptracegrpc.WithHeaders(e.pairs("OTEL_EXPORTER_OTLP_HEADERS", e.otlp("HEADERS"))),
		otlptracegrpc.WithTimeout(e.timeout()),
	}
	switch c := e.otlp("COMPRESSION"); c {
	case "gzip":
		options = append(options, otlptracegrpc.WithCompressor("gzip"))
	case "", "none":
	default:
		e.ignore("OTEL_EXPORTER_OTLP_COMPRESSION", c, "not one of gzip, none")
	}
	if plain {
		return append(options, otlptracegrpc.WithInsecure()), nil
	}
	secured, err := e.tls()
	return append(options, otlptracegrpc.WithTLSCredentials(credentials.NewTLS(secured))), err
}

func (e environment) timeout() time.Duration {
	name := "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT"
	if e.text(name) == "" {
		name = "OTEL_EXPORTER_OTLP_TIMEOUT"
	}
	return e.milliseconds(name, 10_000)
}

// endpoint returns the address of the collector, and whether to connect without TLS. The scheme of
// a URL decides this. For an address without a scheme OTEL_EXPORTER_OTLP_INSECURE decides; its
// default is true for this machine and false for others.
func (e environment) endpoint() (address string, plain bool) {
	given := e.otlp("ENDPOINT")
	if given == "" {
		given = defaultCollector
	}
	if strings.Contains(given, "://") {
		u, err := url.Parse(given)
		if err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https") {
			return withPort(u.Host), u.Scheme == "http"
		}
		e.ignore("OTEL_EXPORTER_OTLP_ENDPOINT", given, "not HOST:PORT, http://HOST:PORT or https://HOST:PORT")
		given = defaultCollector
	}
	address = withPort(given)
	if e.otlp("INSECURE") != "" {
		return address, strings.EqualFold(e.otlp("INSECURE"), "true")
	}
	host, _, _ := net.SplitHostPort(address) // withPort ensures that there is a port
	ip := net.ParseIP(host)
	return address, host == "localhost" || ip != nil && ip.IsLoopback()
}

func withPort(address string) string {
	if _, _, err := net.SplitHostPort(address); err != nil {
		return net.JoinHostPort(strings.Trim(address, "[]"), "4317")
	}
	return address
}

func (e environment) tls() (*tls.Config, error) {
	secured := &tls.Config{MinVersion: tls.VersionTLS12}
	if file := e.otlp("CERTIFICATE"); file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_CERTIFICATE: %w", err)
		}
		secured.RootCAs = x509.NewCertPool()
		if !secured.RootCAs.AppendCertsFromPEM(text) {
			return nil, errors.New("OTEL_EXPORTER_OTLP_CERTIFICATE: no certificate in " + file)
		}
	}
	certificate, key := e.otlp("CLIENT_CERTIFICATE"), e.otlp("CLIENT_KEY")
	if certificate == "" && key == "" {
		return secured, nil
	}
	own, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: %w", err)
	}
	secured.Certificates = []tls.Certificate{own}
	return secured, nil
}

package archtest

// A kind is a level of the import table.
type kind string

const (
	vocabulary kind = "vocabulary" // the root package
	pure       kind = "pure"       // rules of the trade and of the merge, without I/O
	mechanism  kind = "mechanism"  // small tools of our own that know no noun
	port       kind = "port"       // what services need from a technology
	rows       kind = "rows"       // how values lie in rows, the same on every engine
	service    kind = "service"    // behaviour, by noun
	adapter    kind = "adapter"    // a technology
	embedded   kind = "embedded"   // files carried in the binary
	caller     kind = "caller"     // the API from its other end
	driver     kind = "driver"     // puts a server to the test, through a caller
	tool       kind = "tool"       // plugged in by the command
	command    kind = "command"
	testOnly   kind = "testing" // imported by tests alone
)

// packages says what kind every package of the module is.
func packages() map[string]kind {
	return map[string]kind{
		"firemode":                                 vocabulary,
		"firemode/internal/crdt":                   pure,
		"firemode/internal/ledger":                 pure,
		"firemode/internal/rules":                  pure,
		"firemode/internal/backup":                 mechanism,
		"firemode/internal/batch":                  mechanism,
		"firemode/internal/keys":                   mechanism,
		"firemode/internal/queue":                  mechanism,
		"firemode/internal/store":                  port,
		"firemode/internal/store/row":              rows,
		"firemode/internal/auth":                   service,
		"firemode/internal/buildings":              service,
		"firemode/internal/bundle":                 service,
		"firemode/internal/catalogue":              service,
		"firemode/internal/sessions":               service,
		"firemode/internal/httpapi":                adapter,
		"firemode/internal/seed":                   adapter,
		"firemode/internal/store/postgres":         adapter,
		"firemode/internal/store/sqlite":           adapter,
		"firemode/api":                             embedded,
		"firemode/internal/client":                 caller,
		"firemode/internal/loadtest":               driver,
		"firemode/internal/supervisor":             tool,
		"firemode/internal/telemetry":              tool,
		"firemode/cmd/firemode":                    command,
		"firemode/internal/archtest":               testOnly,
		"firemode/internal/chaos":                  testOnly,
		"firemode/internal/chaos/disk":             testOnly,
		"firemode/internal/e2e":                    testOnly,
		"firemode/internal/promtest":               testOnly,
		"firemode/deploy":                          testOnly,
		"firemode/test/upgrade":                    testOnly,
		"firemode/internal/crdt/oracle":            testOnly,
		"firemode/internal/ratio":                  testOnly,
		"firemode/internal/machine":                testOnly,
		"firemode/internal/sessions/sessionstest":  testOnly,
		"firemode/internal/store/storetest":        testOnly,
		"firemode/internal/store/storetest/pgtest": testOnly,
		"firemode/internal/telemetry/otlptest":     testOnly,
	}
}

// A level says which kinds a kind may import and why no others.
type level struct {
	may []kind
	why string
}

func levels() map[kind]level {
	return map[kind]level{
		vocabulary: {nil, "the root package is the vocabulary everybody shares: what it imports, everybody depends on"},
		pure:       {[]kind{vocabulary}, "pure packages stand alone, so that vectors, properties and fuzzing prove them without anything around"},
		mechanism:  {[]kind{vocabulary}, "a mechanism knows no noun: what does belongs in a service"},
		port:       {[]kind{vocabulary, pure}, "a port says what services need, not how it is done"},
		rows:       {[]kind{vocabulary, pure, port}, "how values lie in rows is known to the stores alone, and knows nothing of services or engines"},
		service: {
			[]kind{vocabulary, pure, mechanism, port},
			"services never import each other or an adapter: shared logic moves down to a pure package or becomes a Tx method",
		},
		adapter: {
			[]kind{vocabulary, pure, mechanism, port, rows, service, embedded},
			"adapters never import each other, so that each technology can be replaced alone",
		},
		embedded: {nil, "embedded files come with no behaviour"},
		caller:   {[]kind{vocabulary, pure}, "a client knows what goes over the wire, and nothing of how the server does it"},
		driver:   {[]kind{vocabulary, caller}, "what tests a server from outside believes only what comes over the wire"},
		tool:     {[]kind{vocabulary}, "tools are plugged in by the command through interfaces that services declare"},
		command:  {[]kind{vocabulary, pure, mechanism, port, service, adapter, embedded, caller, driver, tool}, "helpers of tests do not belong in the binary"},
		testOnly: {[]kind{vocabulary, pure, mechanism, port, rows, service, adapter, embedded, caller, driver, tool, testOnly}, "nobody builds on the command"},
	}
}

// A ban keeps one import path, and everything below it, out of a kind of package.
type ban struct {
	path, why string
}

func bans() map[kind][]ban {
	noHTTP := ban{"net/http", "HTTP is one way in among others: statuses and headers are decided in httpapi"}
	noSQL := ban{"database/sql", "the store port hides which engine there is"}
	noPGX := ban{"github.com/jackc/pgx", noSQL.why}
	noFiles := ban{"os", "files and the environment are read by the command and by adapters"}
	noLog := ban{"log", "errors are returned; httpapi and the command alone log"}
	noMetrics := ban{"github.com/prometheus", "metrics go through a small interface that the service declares"}
	noContext := ban{"context", "what is pure cannot block, so there is nothing to cancel"}
	noFlags := ban{"github.com/alecthomas/kong", "configuration is parsed in the command into one struct"}
	noTraces := ban{"go.opentelemetry.io", "what is pure, and the port, are followed by whoever calls them"}
	noSDK := ban{"go.opentelemetry.io/otel/sdk", "spans are made with the API of OpenTelemetry; the command plugs in who takes them"}
	noExport := ban{"go.opentelemetry.io/otel/exporters", noSDK.why}
	noContrib := ban{"go.opentelemetry.io/contrib", noSDK.why}
	noWire := ban{"encoding/json", "how a thing is written as JSON is decided in httpapi and in the stores"}
	return map[kind][]ban{
		vocabulary: {noHTTP, noSQL, noPGX, noFiles, noLog, noMetrics, noFlags, noWire, noTraces},
		pure:       {noContext, noHTTP, noSQL, noPGX, noFiles, noLog, noMetrics, noFlags, noTraces, {"net", "what is pure does no I/O"}},
		mechanism:  {noHTTP, noSQL, noPGX, noLog, noMetrics, noFlags, noSDK, noExport, noContrib},
		port:       {noHTTP, noSQL, noPGX, noFiles, noLog, noMetrics, noFlags, noTraces},
		rows:       {noHTTP, noPGX, noFiles, noLog, noMetrics, noFlags, noTraces},
		service:    {noHTTP, noSQL, noPGX, noFiles, noLog, noMetrics, noFlags, noSDK, noExport, noContrib},
		adapter:    {noFlags, noMetrics, noSDK, noExport},
		caller:     {noSQL, noPGX, noFiles, noLog, noFlags, noMetrics, noSDK, noExport},
		driver:     {noSQL, noPGX, noLog, noFlags, noMetrics, noTraces},
		tool:       {noSQL, noPGX, noFlags},
	}
}

// clocks are the packages that may read the clock of the machine, each with the reason.
func clocks() map[string]string {
	return map[string]string{
		"firemode/cmd/firemode":            "it hands the clock to everything else",
		"firemode/internal/client":         "it tells when a token expires, unless it is given a clock",
		"firemode/internal/httpapi":        "it measures requests and sets deadlines on connections",
		"firemode/internal/store/postgres": "it gives a transaction its time",
		"firemode/internal/store/sqlite":   "it gives a transaction its time",
	}
}

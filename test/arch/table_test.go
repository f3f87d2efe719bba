package arch

// A kind is a level of the import table.
type kind string

const (
	vocabulary kind = "vocabulary" // the root package
	number     kind = "number"     // arithmetic that pure packages share
	pure       kind = "pure"       // rules of the trade and of the merge, without I/O
	onPure     kind = "on pure"    // pure packages that stand on others, as named in the table
	mechanism  kind = "mechanism"  // small tools of our own that know no noun
	port       kind = "port"       // what services need from a technology
	rows       kind = "rows"       // how values lie in rows, the same on every engine
	record     kind = "record"     // one visit's record; knows no feature
	service    kind = "feature"    // behaviour, by noun
	adapter    kind = "adapter"    // a technology
	transport  kind = "transport"  // HTTP without nouns: what httpapi and httpweb stand on
	wire       kind = "wire"       // the nouns over HTTP
	embedded   kind = "embedded"   // files carried in the binary
	caller     kind = "caller"     // the API from its other end
	driver     kind = "driver"     // puts a server to the test, through a caller
	tool       kind = "tool"       // plugged in by the command
	node       kind = "node"       // builds a node from settings, and the command line that runs it
	testOnly   kind = "testing"    // imported by tests alone
)

// packages says what kind every package of the module is.
func packages() map[string]kind {
	return map[string]kind{
		"firemode":                                 vocabulary,
		"firemode/internal/decimal":                number,
		"firemode/internal/record/assess":          onPure,
		"firemode/internal/record/merge":           record,
		"firemode/internal/record/merge/mergetest": testOnly,
		"firemode/internal/record/recordtest":      testOnly,
		"firemode/internal/record/view":            record,
		"firemode/internal/record/verify":          record,
		"firemode/internal/visits":                 service,
		"firemode/internal/defects":                service,
		"firemode/internal/record/crdt":            pure,
		"firemode/internal/record/ledger":          onPure,
		"firemode/internal/rules":                  pure,
		"firemode/internal/backup":                 mechanism,
		"firemode/internal/groupcommit":            mechanism,
		"firemode/internal/keys":                   mechanism,
		"firemode/internal/store":                  port,
		"firemode/internal/store/row":              rows,
		"firemode/internal/identity":               service,
		"firemode/internal/assets":                 service,
		"firemode/internal/bundles":                service,
		"firemode/internal/catalogue":              service,
		"firemode/internal/httpkit":                transport,
		"firemode/internal/httpapi":                wire,
		"firemode/internal/seed":                   adapter,
		"firemode/internal/store/postgres":         adapter,
		"firemode/internal/store/sqlite":           adapter,
		"firemode/api":                             embedded,
		"firemode/client":                          caller,
		"firemode/internal/loadtest":               driver,
		"firemode/internal/supervisor":             tool,
		"firemode/internal/telemetry":              tool,
		"firemode/internal/httpkit/httpkittest":    testOnly,
		"firemode/internal/app":                    node,
		"firemode/cmd/firemode":                    node,
		"firemode/test/arch":                       testOnly,
		"firemode/test/binary":                     testOnly,
		"firemode/test/suite":                      testOnly,
		"firemode/test/chaos":                      testOnly,
		"firemode/test/chaos/disk":                 testOnly,
		"firemode/test/e2e":                        testOnly,
		"firemode/test/promtest":                   testOnly,
		"firemode/deploy":                          testOnly,
		"firemode/internal/record/crdt/oracle":     testOnly,
		"firemode/test/race":                       testOnly,
		"firemode/test/ratio":                      testOnly,
		"firemode/test/machine":                    testOnly,
		"firemode/test/upgrade":                    testOnly,
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
		number:     {nil, "numbers are the same everywhere: rules and record/crdt share one exact decimal, which knows neither"},
		pure:       {[]kind{vocabulary, number}, "pure packages stand alone, so that vectors, properties and fuzzing prove them without anything around"},
		onPure:     {[]kind{vocabulary, pure}, "the second level of pure packages stands on the first, and on nothing else"},
		mechanism:  {[]kind{vocabulary}, "a mechanism knows no noun: what does belongs in a service"},
		port:       {[]kind{vocabulary, pure, onPure}, "a port says what services need, not how it is done"},
		rows:       {[]kind{vocabulary, pure, onPure, port}, "how values lie in rows is known to the stores alone, and knows nothing of services or engines"},
		record: {
			[]kind{vocabulary, pure, onPure, mechanism, port},
			"the record knows no feature: features implement its seams, and the node hands them in",
		},
		service: {
			[]kind{vocabulary, pure, onPure, mechanism, port, record},
			"services never import each other or an adapter: shared logic moves down to a pure package or becomes a Tx method",
		},
		adapter: {
			[]kind{vocabulary, pure, onPure, mechanism, port, record, rows, service, embedded},
			"adapters never import each other, so that each technology can be replaced alone",
		},
		transport: {
			[]kind{vocabulary, mechanism, port},
			"transport knows no noun: what a route does, and who may use it, is handed in by httpapi",
		},
		wire: {
			[]kind{vocabulary, pure, onPure, mechanism, port, record, service, embedded, transport},
			"adapters never import each other, but what serves HTTP stands on httpkit",
		},
		embedded: {nil, "embedded files come with no behaviour"},
		caller:   {[]kind{vocabulary, pure}, "a client knows what goes over the wire, and nothing of how the server does it"},
		driver:   {[]kind{vocabulary, caller}, "what tests a server from outside believes only what comes over the wire"},
		tool:     {[]kind{vocabulary}, "tools are plugged in by the command through interfaces that services declare"},
		node: {
			[]kind{vocabulary, pure, onPure, mechanism, port, record, rows, service, adapter, transport, wire, embedded, caller, driver, tool, node},
			"test helpers do not belong in the binary",
		},
		testOnly: {[]kind{vocabulary, number, pure, onPure, mechanism, port, record, rows, service, adapter, transport, wire, embedded, caller, driver, tool, testOnly}, "nobody builds on the command"},
	}
}

// exceptions are imports that the table forbids, each with its reason.
func exceptions() map[[2]string]string {
	return map[[2]string]string{
		{"firemode/internal/record/verify", "firemode/internal/record/merge"}: "verification merges a log again by the merge itself, so that there is one algorithm",
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
		onPure:     {noContext, noHTTP, noSQL, noPGX, noFiles, noLog, noMetrics, noFlags, noTraces, {"net", "what is pure does no I/O"}},
		number:     {noContext, noHTTP, noSQL, noPGX, noFiles, noLog, noMetrics, noFlags, noTraces, noWire, {"net", "what is pure does no I/O"}},
		pure:       {noContext, noHTTP, noSQL, noPGX, noFiles, noLog, noMetrics, noFlags, noTraces, {"net", "what is pure does no I/O"}},
		mechanism:  {noHTTP, noSQL, noPGX, noLog, noMetrics, noFlags, noSDK, noExport, noContrib},
		port:       {noHTTP, noSQL, noPGX, noFiles, noLog, noMetrics, noFlags, noTraces},
		rows:       {noHTTP, noPGX, noFiles, noLog, noMetrics, noFlags, noTraces},
		record:     {noHTTP, noSQL, noPGX, noFiles, noLog, noMetrics, noFlags, noSDK, noExport, noContrib},
		service:    {noHTTP, noSQL, noPGX, noFiles, noLog, noMetrics, noFlags, noSDK, noExport, noContrib},
		adapter:    {noFlags, noMetrics, noSDK, noExport},
		transport:  {noSQL, noPGX, noFlags, noMetrics, noSDK, noExport},
		wire:       {noSQL, noPGX, noFlags, noMetrics, noSDK, noExport},
		caller:     {noSQL, noPGX, noFiles, noLog, noFlags, noMetrics, noSDK, noExport},
		driver:     {noSQL, noPGX, noLog, noFlags, noMetrics, noTraces},
		tool:       {noSQL, noPGX, noFlags},
	}
}

// clocks are the packages that may read the clock of the machine, each with the reason.
func clocks() map[string]string {
	return map[string]string{
		"firemode/cmd/firemode":            "it hands the clock to everything else",
		"firemode/internal/app":            "it hands the clock to everything else",
		"firemode/client":                  "it tells when a token expires, unless it is given a clock",
		"firemode/internal/httpkit":        "it measures requests and sets deadlines on connections",
		"firemode/internal/store/postgres": "it gives a transaction its time",
		"firemode/internal/store/sqlite":   "it gives a transaction its time",
	}
}

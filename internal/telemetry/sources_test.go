package telemetry

import (
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestWatch_SourcesReadAtEachScrape(t *testing.T) {
	m := newMetrics(t, Config{})
	if f := family(t, m, "commit_queue_depth"); f != nil {
		t.Fatalf("there is a series before anything is watched: %v", f)
	}
	depth := 3
	m.Watch(Sources{
		Pools: func() []Pool {
			return []Pool{{Name: "readers", InUse: 2, Idle: 1, Max: 8, Waits: 5, Waited: 1500 * time.Millisecond}}
		},
		Queues:      func() []Queue { return []Queue{{"results", depth}, {"writer", 0}} },
		Revocations: func() (int, time.Time) { return 4, time.UnixMilli(1_700_000_000_250) },
		DataFolder:  func() (uint64, uint64, bool) { return 10, 100, true },
	})
	depth = 7
	want := `
# HELP commit_queue_depth Entries that wait for the commit before their own: submissions, classifications, and transactions of SQLite's writer. It rises when the database is slower than the requests.
# TYPE commit_queue_depth gauge
commit_queue_depth{queue="results"} 7
commit_queue_depth{queue="writer"} 0
# HELP data_folder_free_bytes Free bytes on the file system of the data folder.
# TYPE data_folder_free_bytes gauge
data_folder_free_bytes 10
# HELP data_folder_size_bytes Size of the file system of the data folder.
# TYPE data_folder_size_bytes gauge
data_folder_size_bytes 100
# HELP db_pool_connections Open database connections by pool; state is in_use or idle. All in use for a long time means that queries are slow or the pool is too small.
# TYPE db_pool_connections gauge
db_pool_connections{pool="readers",state="idle"} 1
db_pool_connections{pool="readers",state="in_use"} 2
# HELP db_pool_max_connections Maximum number of connections of a pool.
# TYPE db_pool_max_connections gauge
db_pool_max_connections{pool="readers"} 8
# HELP db_pool_wait_seconds_total Total time spent waiting for a connection of the pool.
# TYPE db_pool_wait_seconds_total counter
db_pool_wait_seconds_total{pool="readers"} 1.5
# HELP db_pool_waits_total Number of times that all connections of a pool were in use. The pool writer of SQLite has one connection, and its waiters share the next commit.
# TYPE db_pool_waits_total counter
db_pool_waits_total{pool="readers"} 5
# HELP token_revocations Revoked tokens that this node knows.
# TYPE token_revocations gauge
token_revocations 4
# HELP token_revocations_renewed_timestamp_seconds Last update of the revoked tokens. They are updated every half second; a node that cannot do so is not ready.
# TYPE token_revocations_renewed_timestamp_seconds gauge
token_revocations_renewed_timestamp_seconds 1.70000000025e+09
`
	if err := testutil.GatherAndCompare(m.registry, strings.NewReader(want), "commit_queue_depth",
		"data_folder_free_bytes", "data_folder_size_bytes", "db_pool_connections", "db_pool_max_connections", "db_pool_wait_seconds_total", "db_pool_waits_total",
		"token_revocations", "token_revocations_renewed_timestamp_seconds"); err != nil {
		t.Error(err)
	}
}

func TestWatch_UnreadableDisk_NoSeries(t *testing.T) {
	m := newMetrics(t, Config{})
	m.Watch(Sources{DataFolder: func() (uint64, uint64, bool) { return 0, 0, false }})
	if f := family(t, m, "data_folder_free_bytes"); f != nil {
		t.Errorf("a full disk is reported: %v", f)
	}
}

func TestMergingMetrics_Counted(t *testing.T) {
	m := newMetrics(t, Config{})
	m.ChangesSettled("applied", 3)
	m.ChangesSettled("no such status", 1)
	m.Replayed()
	m.BacklogCounted(5, 2, time.Unix(1_700_000_000, 0))
	for name, want := range map[string]string{
		"results_changes_total":                  `status=applied:3 status=duplicate:0 status=late:0 status=other:1 status=rejected:0 status=superseded:0`,
		"idempotency_replays_total":              ":1",
		"crdt_conflicts_open":                    ":5",
		"crdt_actor_gaps":                        ":2",
		"crdt_backlog_counted_timestamp_seconds": ":1.7e+09",
	} {
		if got := values(t, m, name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	m.Watch(Sources{Queues: func() []Queue { return []Queue{{Name: "results"}} }})
	if got := family(t, m, "commit_group_size").GetMetric()[0].GetHistogram().GetSampleCount(); got != 0 {
		t.Errorf("%d groups before the first", got)
	}
	m.GroupCommitted("results", 1)
	m.GroupCommitted("results", 40)
	h := family(t, m, "commit_group_size").GetMetric()[0].GetHistogram()
	if h.GetSampleCount() != 2 || h.GetSampleSum() != 41 || len(h.GetPositiveSpan()) == 0 {
		t.Errorf("group sizes are %v, want 2 that sum up to 41, native buckets too", h)
	}
}

func TestBuildInfo_Labels(t *testing.T) {
	for name, c := range map[string]struct {
		info *debug.BuildInfo
		want string
	}{
		"stamped": {&debug.BuildInfo{
			GoVersion: "go1.26.8", Main: debug.Module{Version: "v1.2.3"}, Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "abc"}},
		}, `{goversion="go1.26.8",revision="abc",version="v1.2.3"}`},
		"not stamped": {nil, `{goversion="unknown",revision="unknown",version="unknown"}`},
	} {
		t.Run(name, func(t *testing.T) {
			g := buildInfo(func() (*debug.BuildInfo, bool) { return c.info, c.info != nil })
			want := "# HELP firemode_build_info Always 1; the labels name the build. Two versions for a long time mean that a roll-out is stuck.\n" +
				"# TYPE firemode_build_info gauge\nfiremode_build_info" + c.want + " 1\n"
			if err := testutil.CollectAndCompare(g, strings.NewReader(want)); err != nil {
				t.Error(err)
			}
		})
	}
}

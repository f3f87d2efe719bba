package pgtest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// asVictim is set in the environment of the copy of this test that is killed.
const asVictim = "FIREMODE_PGTEST_VICTIM"

func TestMain(m *testing.M) {
	if os.Getenv(asVictim) != "" {
		startAndWait()
	}
	os.Exit(Main(m))
}

func TestStart_ProcessKilled_ClusterAndFolderGone(t *testing.T) {
	victim := exec.Command(os.Args[0])
	victim.Env = append(os.Environ(), asVictim+"=1")
	out, err := victim.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	dir := strings.TrimSpace(line)
	if _, statErr := os.Stat(filepath.Join(dir, "data", "postmaster.pid")); err != nil || statErr != nil {
		t.Fatalf("the cluster did not start: %q %v %v", dir, err, statErr)
	}
	if err := victim.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	victim.Wait() // an error, since it was killed
	deadline := time.After(timeout)
	retry := time.NewTicker(20 * time.Millisecond)
	defer retry.Stop()
	for {
		if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
			return
		}
		select {
		case <-retry.C:
		case <-deadline:
			t.Fatalf("%s still exists", dir)
		}
	}
}

func TestNew_DatabaseReused_NoRows(t *testing.T) {
	for range 3 {
		t.Run("use", func(t *testing.T) {
			c, err := pgx.Connect(t.Context(), New(t))
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close(t.Context())
			var n int
			err = c.QueryRow(t.Context(), "SELECT count(*) FROM organisations").Scan(&n)
			if err != nil || n != 0 {
				t.Fatalf("%d rows, %v", n, err)
			}
			if _, err := c.Exec(t.Context(), "INSERT INTO organisations VALUES ('o', 'O', 0)"); err != nil {
				t.Fatal(err)
			}
			const building = "INSERT INTO buildings SELECT 'o', 'b', '', '', '', '', '', '', '', '', 0, 0"
			if _, err := c.Exec(t.Context(), building); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// A process that is given a cluster uses it, and does not stop it.
func TestConnect_SharedCluster_LeftRunning(t *testing.T) {
	c, err := Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	name, dir, _ := strings.Cut(c.Env(), "=")
	t.Setenv(name, dir)
	s, err := connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	database := s.create(t, template)
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if err := wipe(urlOf(dir, database)); err != nil {
		t.Errorf("after the process ended: %v", err)
	}
	if err := c.Stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder of the stopped cluster: %v", err)
	}
}

func TestBinaries_NoneInstalled_Error(t *testing.T) {
	_, err := binaries(filepath.Join(t.TempDir(), "*"))
	if err == nil || !strings.Contains(err.Error(), "install the Debian package postgresql") {
		t.Fatalf("got %v", err)
	}
}

func TestBinaries_SeveralVersions_Newest(t *testing.T) {
	dir := t.TempDir()
	for _, v := range []string{"9.6", "15", "8"} {
		if err := os.MkdirAll(filepath.Join(dir, v, "bin", "initdb"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	got, err := binaries(filepath.Join(dir, "*", "bin", "initdb"))
	if err != nil || got != filepath.Join(dir, "15", "bin") {
		t.Fatalf("got %s, %v", got, err)
	}
}

// startAndWait starts a cluster, prints its folder, and waits to be killed.
func startAndWait() {
	c, err := Start(context.Background())
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(c.dir)
	select {}
}

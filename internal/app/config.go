package app

import (
	"errors"
	"fmt"
	"net"
	"time"

	"firemode/internal/telemetry"
)

// Roles of a node. Nodes that share a PostgreSQL database may have different roles.
const (
	RoleAll    = "all"    // both of the others
	RoleAPI    = "api"    // serves the API
	RoleWorker = "worker" // runs the periodic jobs, and serves health and metrics alone
)

// Server is what one node serves and where. Fields without a comment on zero must be set; Validate
// names those that are not.
type Server struct {
	Addr            string        // HOST:PORT; port 0 picks a free one
	TLSCert         string        // PEM file with the certificate chain; "" serves plain HTTP
	TLSKey          string        // PEM file with the private key of TLSCert
	MetricsAddr     string        // HOST:PORT of /metrics and /debug/pprof/; "" serves /metrics on Addr
	MetricsSessions int           // number of sessions with metric series of their own
	MaxConnections  int           // open connections; further ones wait; 0 is no limit
	ShedAfter       time.Duration // queueing time from which writes are refused with 503
	BodyMemory      int           // MiB that request bodies may take in memory before further ones are refused with 503
	Role            string        // RoleAPI, RoleWorker or RoleAll
	MinFreeMB       int           // free space on the disk of the data folder; with less, the node is not ready
	DrainDelay      time.Duration // time between "not ready" and the first refused connection; 0 is none
	StopTimeout     time.Duration // time that running requests have to finish
	LogLevel        string        // debug, info, warn or error
	LogFormat       string        // text or json
}

// minBodyMemory, in MiB, has room for one asset register of 64 MiB and for other requests beside
// it.
const minBodyMemory = 80

// api reports whether the node serves the API.
func (s Server) api() bool { return s.Role != RoleWorker }

// worker reports whether the node runs the periodic jobs.
func (s Server) worker() bool { return s.Role != RoleAPI }

// Validate returns an error that names the first invalid setting.
func (s Server) Validate() error {
	if (s.TLSCert == "") != (s.TLSKey == "") {
		return errors.New("tls-cert and tls-key go together: give both or neither")
	}
	if s.StopTimeout <= 0 {
		return errors.New("stop-timeout must be more than 0, e.g. 20s")
	}
	if s.MaxConnections < 0 {
		return errors.New("max-connections must not be negative; 0 is no limit")
	}
	if s.ShedAfter <= 0 {
		return errors.New("shed-after must be more than 0, e.g. 2s")
	}
	if s.BodyMemory < minBodyMemory {
		return fmt.Errorf("body-memory must be at least %d, or the largest register could never be imported",
			minBodyMemory)
	}
	if s.DrainDelay < 0 || s.MinFreeMB < 0 {
		return errors.New("drain-delay and min-free-mb must not be less than 0")
	}
	if s.Role != RoleAll && s.Role != RoleAPI && s.Role != RoleWorker {
		return fmt.Errorf("role %q is none of api, worker, all", s.Role)
	}
	if s.MetricsSessions < 1 {
		return errors.New("metrics-sessions must be at least 1")
	}
	if err := validateAddr("addr", s.Addr); err != nil {
		return err
	}
	if s.MetricsAddr != "" {
		if err := validateAddr("metrics-addr", s.MetricsAddr); err != nil {
			return err
		}
	}
	_, err := telemetry.NewLogger(nil, s.LogFormat, s.LogLevel)
	return err
}

func validateAddr(setting, addr string) error {
	if _, _, err := net.SplitHostPort(addr); err != nil {
		return fmt.Errorf("%s: %q is not HOST:PORT", setting, addr)
	}
	return nil
}

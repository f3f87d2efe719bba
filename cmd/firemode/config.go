package main

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"time"

	"firemode/internal/telemetry"
)

// Config is everything that can be set. Each field is a flag, an environment variable FIREMODE_* and a key of the
// configuration file, by the same name; see settings.
type Config struct {
	Storage
	Server
}

// Storage says where the data is. Every command takes it.
type Storage struct {
	Data  string `default:"./data" placeholder:"DIR" group:"Where the data is" help:"Folder of the database, the keys and other files (${default})."`
	DBURL string `name:"db-url" secret:"" placeholder:"URL" group:"Where the data is" help:"Keep the rows in PostgreSQL, e.g. postgres://user@host/firemode. Without it they are in SQLite in the data folder."`
	Keys  string `placeholder:"DIR" group:"Where the data is" help:"Folder of the signing keys, the same for every node; by default DATA/keys."`
}

// KeysDir is the folder of the keys.
func (s Storage) KeysDir() string {
	if s.Keys != "" {
		return s.Keys
	}
	return filepath.Join(s.Data, "keys")
}

// Server is what serve and demo take.
type Server struct {
	Addr            string        `default:"localhost:8080" placeholder:"HOST:PORT" group:"Server" help:"Where to listen; port 0 picks a free one (${default})."`
	TLSCert         string        `name:"tls-cert" placeholder:"FILE" group:"Server" help:"Certificate chain (PEM); with --tls-key, speak HTTPS."`
	TLSKey          string        `name:"tls-key" placeholder:"FILE" group:"Server" help:"Private key of --tls-cert (PEM)."`
	MetricsAddr     string        `placeholder:"HOST:PORT" group:"Server" help:"Serve /metrics here instead of on the main listener, and profiles of the process at /debug/pprof/."`
	MetricsSessions int           `default:"1000" placeholder:"N" group:"Server" help:"How many sessions keep metric series of their own (${default})."`
	MaxConnections  int           `default:"10000" placeholder:"N" group:"Server" help:"How many connections may be open at once, further ones wait; 0 for no limit (${default})."`
	ShedAfter       time.Duration `default:"2s" placeholder:"DURATION" group:"Server" help:"How long the first in a queue of writes may have been waiting before further writes are refused with 503 (${default})."`
	BodyMemory      int           `default:"128" placeholder:"MIB" group:"Server" help:"How much the bodies of all requests may take in memory, before decoding into values, until further ones are refused with 503 (${default})."`
	StopTimeout     time.Duration `default:"20s" placeholder:"DURATION" group:"Server" help:"How long a stop waits for requests that are running (${default})."`
	LogLevel        string        `default:"info" placeholder:"LEVEL" group:"Server" help:"debug, info, warn or error (${default})."`
	LogFormat       string        `default:"text" placeholder:"FORMAT" group:"Server" help:"text or json (${default})."`
}

// leastBodyMemory, in MiB, has room for a register of 64 MiB and for others beside it.
const leastBodyMemory = 80

// Validate says what is wrong with s, naming the setting.
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
	if s.BodyMemory < leastBodyMemory {
		return fmt.Errorf("body-memory must be at least %d, or the largest register could never be imported", leastBodyMemory)
	}
	if s.MetricsSessions < 1 {
		return errors.New("metrics-sessions must be at least 1")
	}
	for name, addr := range map[string]string{"addr": s.Addr, "metrics-addr": s.MetricsAddr} {
		if addr == "" && name != "addr" {
			continue
		}
		if _, _, err := net.SplitHostPort(addr); err != nil {
			return fmt.Errorf("%s: %q is not HOST:PORT", name, addr)
		}
	}
	_, err := telemetry.NewLogger(nil, s.LogFormat, s.LogLevel)
	return err
}

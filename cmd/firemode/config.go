package main

import (
	"time"

	"firemode/internal/app"
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
	Role            string        `default:"all" placeholder:"ROLE" group:"Server" help:"What this process does: api, worker (what runs behind the API, with health and metrics alone) or all (${default})."`
	MinFreeMB       int           `name:"min-free-mb" default:"256" placeholder:"MB" group:"Server" help:"Not ready when less is free on the disk of the data folder (${default})."`
	DrainDelay      time.Duration `default:"0s" placeholder:"DURATION" group:"Server" help:"How long a stop says that it is not ready before it takes no more connections (${default})."`
	StopTimeout     time.Duration `default:"20s" placeholder:"DURATION" group:"Server" help:"How long a stop waits for requests that are running (${default})."`
	LogLevel        string        `default:"info" placeholder:"LEVEL" group:"Server" help:"debug, info, warn or error (${default})."`
	LogFormat       string        `default:"text" placeholder:"FORMAT" group:"Server" help:"text or json (${default})."`
}

// Validate names the first invalid setting.
func (s Server) Validate() error { return app.Server(s).Validate() }

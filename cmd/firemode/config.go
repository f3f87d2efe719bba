package main

import (
	"time"

	"firemode/internal/app"
)

// Config holds every setting. Each field is a flag, an environment variable FIREMODE_* and a key of
// the configuration file, by the same name; see settings.
type Config struct {
	Storage `group:"Storage"`
	Server  `group:"Server"`
}

// Storage holds the settings of app.Storage. Every command takes them.
type Storage struct {
	Data  string `default:"./data" placeholder:"DIR" help:"${help_data} (${default})."`
	DBURL string `name:"db-url" secret:"" placeholder:"URL" help:"${help_db_url}"`
	Keys  string `placeholder:"DIR" help:"${help_keys}"`
}

// Server holds the settings of app.Server, which serve and demo take. The conversion in Validate
// keeps the fields of the two the same.
type Server struct {
	Addr            string        `default:"localhost:8080" placeholder:"HOST:PORT" help:"${help_addr} (${default})."`
	TLSCert         string        `name:"tls-cert" placeholder:"FILE" help:"${help_tls_cert}"`
	TLSKey          string        `name:"tls-key" placeholder:"FILE" help:"Private key of --tls-cert (PEM)."`
	MetricsAddr     string        `placeholder:"HOST:PORT" help:"${help_metrics_addr}"`
	MetricsSessions int           `default:"1000" placeholder:"N" help:"${help_metrics_sessions} (${default})."`
	MaxConnections  int           `default:"10000" placeholder:"N" help:"${help_max_connections} (${default})."`
	ShedAfter       time.Duration `default:"2s" placeholder:"DURATION" help:"${help_shed_after} (${default})."`
	BodyMemory      int           `default:"128" placeholder:"MIB" help:"${help_body_memory} (${default})."`
	Role            string        `default:"all" placeholder:"ROLE" help:"${help_role} (${default})."`
	MinFreeMB       int           `name:"min-free-mb" default:"256" placeholder:"MB" help:"${help_min_free} (${default})."`
	DrainDelay      time.Duration `default:"0s" placeholder:"DURATION" help:"${help_drain_delay} (${default})."`
	StopTimeout     time.Duration `default:"20s" placeholder:"DURATION" help:"${help_stop_timeout} (${default})."`
	LogLevel        string        `default:"info" placeholder:"LEVEL" help:"debug, info, warn or error (${default})."`
	LogFormat       string        `default:"text" placeholder:"FORMAT" help:"text or json (${default})."`
}

// Validate names the first invalid setting.
func (s Server) Validate() error { return app.Server(s).Validate() }

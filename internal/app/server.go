package app

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"firemode/internal/httpkit"
)

const (
	headerTimeout  = 10 * time.Second
	idleTimeout    = 2 * time.Minute
	maxHeaderBytes = 64 << 10
)

// httpServer returns the server of the API. It has no time limit for a whole request, because a
// slow connection may need long to upload an asset register; the API ends requests whose body
// stalls.
func httpServer(c Server, handler http.Handler, drain *httpkit.Drain, d Deps) (*http.Server, error) {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(d.Logger.Handler(), slog.LevelWarn),
		ConnState: func(c net.Conn, state http.ConnState) {
			d.Metrics.ConnState(c, state)
			drain.ConnState(c, state)
		},
		Protocols: protocols,
		// The API answers OPTIONS * itself, in its own format.
		DisableGeneralOptionsHandler: true,
	}
	if c.TLSCert == "" {
		return server, nil
	}
	certificate, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey)
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	return server, nil
}

// duplicate returns a new listener on the socket for one run of a service. The socket itself stays
// open when the service fails: clients that connect before the restart wait, and are not refused.
func (n *node) duplicate(service string, socket net.Listener) (net.Listener, error) {
	tcp, ok := socket.(*net.TCPListener)
	if !ok {
		return nil, fmt.Errorf("%s: %T is no TCP listener", service, socket)
	}
	file, err := tcp.File()
	if err != nil {
		return nil, err
	}
	defer file.Close()
	listener, err := net.FileListener(file)
	if err == nil && n.hooks.listener != nil {
		listener = n.hooks.listener(service, listener)
	}
	return listener, err
}

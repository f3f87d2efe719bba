package app

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"

	"firemode/internal/httpkit"
)

// httpServer has no limit on a request as a whole: a register may come slowly over a bad line. The API ends a body
// that stops coming.
func httpServer(c Server, handler http.Handler, drain *httpkit.Drain, d Deps) (*http.Server, error) {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(d.Logger.Handler(), slog.LevelWarn),
		ConnState: func(c net.Conn, state http.ConnState) {
			d.Metrics.ConnState(c, state)
			drain.ConnState(c, state)
		},
		Protocols: protocols,
		// OPTIONS * is answered in the API's format, like everything else.
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

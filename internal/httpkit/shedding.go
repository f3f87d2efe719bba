package httpkit

import (
	"net/http"
	"time"

	"firemode"
)

// QueueDatabase names the queue that every write waits in.
const QueueDatabase = "database"

const (
	// shedMost is the longest Retry-After: how long a queue will be deep is not known any better.
	shedMost = 30 * time.Second
	// shedMemory is why there is no room for a body.
	shedMemory = "memory"
)

// room refuses what would wait behind others that wait too long already. It is asked before the body is read; what has been taken is
// never given up for load. Reading waits for nobody who writes, and goes on.
func (s *Server) room(rt *Route) error {
	if rt.Method == http.MethodGet {
		return nil
	}
	for _, name := range []string{QueueDatabase, rt.Queue} {
		depth := s.limits.Queues[name]
		if depth == nil {
			continue
		}
		if d := depth(); d > s.limits.ShedAfter {
			return s.shed(name, d)
		}
	}
	return nil
}

// shed is the refusal for reason. A queue that took so long to get as deep as it is takes about as long to get empty.
func (s *Server) shed(reason string, wait time.Duration) error {
	s.report.Metrics.RequestShed(reason)
	return firemode.Unavailable(min(wait, shedMost), "the server has too much to do now; nothing of this was taken: send it again later")
}

// hurry gives what has not been read of a request's body as long to come as the rest had, and then what is left of the answer, whatever the
// request, as long to be taken. net/http takes the body in before the answer leaves, to keep the connection, and would wait for ever.
func (s *Server) hurry(w http.ResponseWriter, r *http.Request, x *State) {
	// Not supported means a recorder in a test.
	control, now := http.NewResponseController(w), s.now()
	if r.ContentLength != 0 && !x.received {
		_ = control.SetReadDeadline(now.Add(s.limits.Pause))
	}
	_ = control.SetWriteDeadline(now.Add(2 * s.limits.Pause))
}

package machine

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"
)

// network is what lies between one phone and the server. It loses requests before the server has
// them and answers after it has done what they ask, delivers a request twice, the second time much
// later, breaks answers off in the middle, and is slow. It calls the handler itself: in a bubble of
// synctest there is no real connection that could be waited for.
type network struct {
	handler  http.Handler
	chance   *rand.Rand
	healthy  bool
	underway *sync.WaitGroup // requests that somebody may have given up on
	tally    *tally
}

// tally counts what the network has done, so that a simulation in which nothing goes wrong is
// noticed. In the bubble only one goroutine runs at a time, but the race detector does not know
// that.
type tally struct {
	mu                                       sync.Mutex
	requests, lost, unanswered, doubled, cut int
}

func (t *tally) count(n *int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	*n++
}

// delays are how long a request or an answer is on its way. Later than a minute the phone has given
// up.
func (n *network) delay() time.Duration {
	if n.healthy {
		return time.Duration(n.chance.Int64N(int64(50 * time.Millisecond)))
	}
	longest := []time.Duration{
		time.Second, time.Second, 5 * time.Second, 40 * time.Second, 3 * time.Minute, 2 * time.Hour,
	}
	return time.Duration(n.chance.Int64N(int64(longest[n.chance.IntN(len(longest))])))
}

func (n *network) unlucky(oneIn int) bool { return n.chance.IntN(oneIn) == 0 && !n.healthy }

// RoundTrip sends a request and waits for an answer until the request's time is up.
func (n *network) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	n.tally.count(&n.tally.requests)
	answers := make(chan *http.Response, 2)
	times := 1
	switch {
	case n.unlucky(6):
		n.tally.count(&n.tally.lost)
		times = 0
	case n.unlucky(8):
		n.tally.count(&n.tally.doubled)
		times = 2
	}
	for range times {
		there, back, unanswered, cut := n.delay(), n.delay(), n.unlucky(6), n.unlucky(15)
		n.underway.Go(func() {
			time.Sleep(there)
			answer := n.serve(r, body)
			time.Sleep(back)
			switch {
			case unanswered:
				n.tally.count(&n.tally.unanswered)
				return
			case cut:
				n.tally.count(&n.tally.cut)
				answer.Body = io.NopCloser(io.MultiReader(io.LimitReader(answer.Body, 100), broken{}))
			}
			answers <- answer
		})
	}
	select {
	case answer := <-answers:
		return answer, nil
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

// serve has the server answer; who asked may have gone.
func (n *network) serve(r *http.Request, body []byte) *http.Response {
	repeated := httptest.NewRequest(r.Method, r.URL.String(), bytes.NewReader(body))
	repeated.Header = r.Header.Clone()
	rec := httptest.NewRecorder()
	n.handler.ServeHTTP(rec, repeated)
	return rec.Result()
}

// broken is the end of an answer that does not come.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("the connection is gone") }

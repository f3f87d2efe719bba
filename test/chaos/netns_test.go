package chaos

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// link is two network namespaces of this test's own, near and far, with a wire between them that
// loses packets. Nothing that is sent in them can get anywhere else: they have no other interface.
type link struct {
	near, far string // names

	mu     sync.RWMutex // held to read while dial uses handle
	handle *os.File
}

// The addresses of the two ends are of the block for measuring networks (RFC 2544), which nobody
// routes.
const (
	nearAddress = "198.18.77.1"
	farAddress  = "198.18.77.2"
)

// newLink makes a wire on which each packet is lost with a probability of loss percent at either
// end, and one of resets in a thousand is answered with a reset of its connection.
func newLink(t *testing.T, loss, resets int) *link {
	t.Helper()
	if syscall.Geteuid() != 0 {
		t.Skip("network namespaces need root")
	}
	for _, tool := range []string{"ip", "nft"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s not found: install the Debian packages iproute2 and nftables", tool)
		}
	}
	id := os.Getpid()
	l := &link{near: fmt.Sprintf("fire-near-%d", id), far: fmt.Sprintf("fire-far-%d", id)}
	for _, ns := range []string{l.near, l.far} {
		do(t, "", "ip", "netns", "add", ns)
		t.Cleanup(func() { do(t, "", "ip", "netns", "del", ns) })
	}
	do(t, "", "ip", "-n", l.near, "link", "add", "wire", "type", "veth", "peer", "name", "wire", "netns", l.far)
	for ns, address := range map[string]string{l.near: nearAddress, l.far: farAddress} {
		do(t, "", "ip", "-n", ns, "addr", "add", address+"/30", "dev", "wire")
		do(t, "", "ip", "-n", ns, "link", "set", "wire", "up")
		// A real line would have a delay; here a lost packet may be repeated soon, so that the test
		// ends.
		do(t, "", "ip", "-n", ns, "route", "change", "198.18.77.0/30", "dev", "wire", "rto_min", "10ms")
		do(t, fmt.Sprintf(lossy, loss, resets), "ip", "netns", "exec", ns, "nft", "-f", "-")
	}
	handle, err := os.Open("/var/run/netns/" + l.near)
	check(t, err)
	l.handle = handle
	t.Cleanup(func() { // the HTTP client may still dial in the background
		l.mu.Lock()
		defer l.mu.Unlock()
		handle.Close()
		l.handle = nil
	})
	return l
}

const lossy = `
table inet lossy {
	chain arriving {
		type filter hook input priority 0;
		iifname "wire" numgen random mod 100 < %d counter drop
		iifname "wire" tcp flags & (syn | fin | rst) == 0 numgen random mod 1000 < %d counter reject with tcp reset
	}
}
`

// harm returns how many packets were lost and how many connections reset so far, at both ends.
func (l *link) harm(t *testing.T) (lost, resets int) {
	t.Helper()
	for _, ns := range []string{l.near, l.far} {
		rules := strings.Split(do(t, "", "ip", "netns", "exec", ns, "nft", "list", "chain", "inet", "lossy",
			"arriving"), "counter packets ")
		if len(rules) != 3 {
			t.Fatalf("the rules have no counters: %q", rules)
		}
		for i, count := range []*int{&lost, &resets} {
			n := 0
			_, err := fmt.Sscanf(rules[i+1], "%d", &n)
			check(t, err)
			*count += n
		}
	}
	return lost, resets
}

func do(t *testing.T, input, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c := exec.CommandContext(ctx, name, args...)
	c.Stdin = strings.NewReader(input)
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// dial connects from the near end. A socket stays in the namespace in which its thread was when it
// was made.
func (l *link) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if host, _, err := net.SplitHostPort(address); err != nil || host != farAddress {
		return nil, fmt.Errorf("%s is not the far end", address)
	}
	type result struct {
		conn net.Conn
		err  error
	}
	made := make(chan result, 1)
	go func() {
		// The thread is not given back: it ends with this goroutine, and nothing else ever runs in
		// the namespace by mistake.
		runtime.LockOSThread()
		if err := l.enter(); err != nil {
			made <- result{err: err}
			return
		}
		conn, err := (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: -1}).DialContext(ctx, network, address)
		made <- result{conn, err}
	}()
	r := <-made
	return r.conn, r.err
}

// enter moves the calling thread into the namespace of the near end.
func (l *link) enter() error {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.handle == nil {
		return net.ErrClosed
	}
	return unix.Setns(int(l.handle.Fd()), unix.CLONE_NEWNET)
}

package httpapi

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"firemode/internal/httpkit/httpkittest"
	"firemode/internal/record/ledger"
)

// TestProofs_Verify: what the server answers can be checked with its public key alone.
func TestProofs_Verify(t *testing.T) {
	play(t, []scenario{
		{"every change of a session can be proved, whatever became of it", func(t *testing.T, v *visit) {
			v.send("tech1", batch{
				client: "tab", number: 1, id: "a",
				changes: []string{set("/x", `"<é & \u2028>"`), set("/y", "1.50"), set("bad", "1")},
			})
			v.send("tech2", batch{changes: []string{set("/x", "2"), appendTo("/list", "[1,2]")}})
			v.send("tech1", batch{
				client: "tab", number: 2, id: "b", prev: "a", seen: map[string]int64{"tab": 2},
				changes: []string{remove("/x")},
			})
			v.send("manager", batch{client: "tab-2", number: 1, onBehalfOf: "tech1", changes: []string{set("/x", "3")}})
			statuses := map[string]string{}
			for _, dot := range []string{"tab:1:0", "tab:1:1", "tab:1:2", "~tech2:1:0", "~tech2:1:1", "tab:2:0", "tab-2:1:0"} {
				p, err := ledger.ParseProof(v.file("tech2", "/proof?dot="+dot))
				must(t, err)
				c, err := p.Check(v.verifier())
				must(t, err)
				same(t, c.Size, int64(4))
				same(t, fmt.Sprintf("%s:%d:%d", p.Change.Actor, p.Change.Number, p.Change.Index), dot)
				statuses[dot] = p.Change.Status + " " + p.Change.User + " " + p.Change.SubmittedBy
			}
			same(t, statuses, map[string]string{
				"tab:1:0": "applied tech1 ", "tab:1:1": "applied tech1 ", "tab:1:2": "rejected tech1 ", "tab:2:0": "applied tech1 ",
				"~tech2:1:0": "applied tech2 ", "~tech2:1:1": "applied tech2 ", "tab-2:1:0": "applied tech1 u-manager",
			})
		}},
		{"the log of every checkpoint is the beginning of the log of now", func(t *testing.T, v *visit) {
			var checkpoints []string
			for n := range int64(5) {
				v.send("tech1", batch{client: "tab", number: n + 1, changes: []string{set("/x", fmt.Sprint(n))}})
				checkpoints = append(checkpoints, v.checkpoint())
				for from, before := range checkpoints {
					c, err := ledger.ParseContinuation(v.file("tech1", fmt.Sprintf("/consistency?from=%d", from+1)))
					must(t, err)
					must(t, c.Check(before, v.verifier()))
					same(t, c.Checkpoint, v.checkpoint())
				}
			}
		}},
		{"what is not in the log is not found, and what cannot be read is refused", func(t *testing.T, v *visit) {
			v.send("tech1", batch{client: "tab", number: 1, changes: []string{set("/x", "1")}})
			for below, status := range map[string]int{
				"/proof?dot=tab:1:1": 404, "/proof?dot=tab:2:0": 404, "/proof?dot=other:1:0": 404,
				"/proof": 400, "/proof?dot=tab:1": 400, "/proof?dot=tab:01:0": 400, "/proof?dot=tab:1:-1": 400,
				"/consistency": 400, "/consistency?from=x": 400, "/consistency?from=0": 422, "/consistency?from=-1": 422,
				"/consistency?from=2": 422,
			} {
				if rec := v.do(as("tech1", "GET", v.path(below))); rec.Code != status {
					t.Errorf("%s: status %d, want %d: %s", below, rec.Code, status, rec.Body)
				}
			}
		}},
	})
}

// TestProofs_EmptyLog_NotFound: before the first entry there is nothing to prove.
func TestProofs_EmptyLog_NotFound(t *testing.T) {
	play(t, []scenario{{"an empty log has no proofs", func(t *testing.T, v *visit) {
		httpkittest.WantProblem(t, v.do(as("tech1", "GET", v.path("/consistency?from=0"))), http.StatusUnprocessableEntity)
		httpkittest.WantProblem(t, v.do(as("tech1", "GET", v.path("/proof?dot=tab:1:0"))), http.StatusNotFound)
		if rec := v.do(request{
			as: "tech1", method: "GET",
			path: strings.Replace(v.path("/proof?dot=tab:1:0"), v.id, "none", 1),
		}); rec.Code != http.StatusNotFound {
			t.Errorf("of a session that is not there: %d", rec.Code)
		}
	}}})
}

// file is the answer to a GET, byte for byte.
func (v *visit) file(who, below string) []byte {
	v.t.Helper()
	rec := v.do(as(who, "GET", v.path(below)))
	if rec.Code != http.StatusOK {
		v.t.Fatalf("GET %s as %s: status %d: %s", below, who, rec.Code, rec.Body)
	}
	return rec.Body.Bytes()
}

func (v *visit) verifier() note.Verifier {
	v.t.Helper()
	key, err := note.NewVerifier(ledger.PublicKey(v.keysOf.History()))
	must(v.t, err)
	return key
}

func (v *visit) checkpoint() string {
	v.t.Helper()
	return v.get(http.StatusOK, as("engineer", "GET", v.path("/sync_status")))["checkpoint"].(string)
}

package chaos

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"firemode/client"
	"firemode/internal/record/crdt"
)

// registers is the record of what phones wrote to shared paths and saw there, to be checked against
// what a register may do.
type registers struct {
	mu     sync.Mutex
	writes int
	ops    []porcupine.Operation
	dots   map[string]crdt.Dot // of a value
}

func newRegisters() *registers { return &registers{dots: map[string]crdt.Dot{}} }

// perRegister is how many writes a path gets before the next one is used: checking takes time that
// grows fast with the number.
const perRegister = 60

// access is what a phone did at a path: it wrote, having seen the batches of a clock, or it read.
type access struct {
	phone int
	path  client.Pointer
	write bool
	dot   crdt.Dot
	seen  client.Clock
	began time.Time
}

func register(i int) client.Pointer {
	return client.ItemPath("shared", "note"+strconv.Itoa(i))
}

// current is the path to write to now.
func (r *registers) current() client.Pointer {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.writes++
	return register(r.writes / perRegister)
}

// name notes whose a value is.
func (r *registers) name(n int64, dot crdt.Dot) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dots[strconv.Quote(strconv.FormatInt(n, 10))] = dot
}

func (r *registers) writing(phone int, at client.Pointer, dot crdt.Dot, seen client.Clock) access {
	return access{phone: phone, path: at, write: true, dot: dot, seen: seen, began: time.Now()}
}

func (r *registers) wrote(a access) { r.record(a, nil) }

func (r *registers) reading(phone int) access { return access{phone: phone, began: time.Now()} }

// saw notes what a phone was shown at the last two registers.
func (r *registers) saw(a access, s *client.State) {
	r.mu.Lock()
	last := r.writes / perRegister
	r.mu.Unlock()
	for i := max(0, last-1); i <= last; i++ {
		a.path = register(i)
		r.record(a, r.shown(s, a.path))
	}
}

// shown is the live readings that a phone holds at a path.
func (r *registers) shown(s *client.State, at client.Pointer) siblings {
	var live siblings
	if c, disputed := s.Conflicts[at]; disputed {
		for _, v := range c.Values {
			dot, err := crdt.ParseDot(v.Dot)
			if err != nil {
				panic(err)
			}
			live = append(live, dot)
		}
	} else if v, ok := s.Document.Get(at); ok && v.Kind() == '"' {
		r.mu.Lock()
		live = append(live, r.dots[string(v)])
		r.mu.Unlock()
	}
	slices.SortFunc(live, compareDots)
	return live
}

func (r *registers) record(a access, out siblings) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ops = append(r.ops, porcupine.Operation{
		ClientId: a.phone, Input: a, Call: a.began.UnixNano(), Output: out, Return: time.Now().UnixNano(),
	})
}

// siblings is what is live in a register, in order.
type siblings []crdt.Dot

func compareDots(a, b crdt.Dot) int {
	return cmp.Or(strings.Compare(string(a.Actor), string(b.Actor)), cmp.Compare(a.Batch, b.Batch),
		cmp.Compare(a.Index, b.Index))
}

// after is the state once a has written: what it had seen is covered, anything else stays.
func (s siblings) after(a access) siblings {
	covered := func(d crdt.Dot) bool {
		return d.Actor == a.dot.Actor || d.Batch <= a.seen[string(d.Actor)]
	}
	next := append(slices.DeleteFunc(slices.Clone(s), covered), a.dot)
	slices.SortFunc(next, compareDots)
	return next
}

// model is a register that keeps what is not known to its writer. That a history of it has an order
// in which everything fits, each operation between its call and its return, means: every
// acknowledged write is visible at once to everybody, until one that had seen it replaces it; and
// nobody who has seen something is ever shown an earlier state.
func model() porcupine.Model {
	return porcupine.Model{
		Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
			byPath := map[client.Pointer][]porcupine.Operation{}
			for _, op := range history {
				p := op.Input.(access).path
				byPath[p] = append(byPath[p], op)
			}
			var parts [][]porcupine.Operation
			for _, part := range byPath {
				parts = append(parts, part)
			}
			return parts
		},
		Init: func() any { return siblings(nil) },
		Step: func(state, input, output any) (bool, any) {
			if a := input.(access); a.write {
				return true, state.(siblings).after(a)
			}
			return slices.Equal(state.(siblings), output.(siblings)), state
		},
		Equal: func(a, b any) bool { return slices.Equal(a.(siblings), b.(siblings)) },
	}
}

// check fails the test unless what was recorded is what a register may do. It returns how many
// operations that were.
func (r *registers) check(t *testing.T) (operations, paths int) {
	t.Helper()
	if result := porcupine.CheckOperationsTimeout(model(), r.ops, time.Minute); result != porcupine.Ok {
		t.Errorf("the history of %d operations on shared registers: %s", len(r.ops), result)
	}
	return len(r.ops), r.writes/perRegister + 1
}

// The model itself refuses what must not happen.
func TestRegisterModel(t *testing.T) {
	dot := func(actor string, n int64) crdt.Dot { return crdt.Dot{Actor: crdt.ActorID(actor), Batch: n} }
	write := func(from, to int64, d crdt.Dot, seen client.Clock) porcupine.Operation {
		return porcupine.Operation{
			Input: access{write: true, dot: d, seen: seen}, Call: from, Return: to,
			Output: siblings(nil),
		}
	}
	read := func(from, to int64, live ...crdt.Dot) porcupine.Operation {
		return porcupine.Operation{ClientId: 1, Input: access{}, Call: from, Return: to, Output: siblings(live)}
	}
	a1, a2, b1 := dot("a", 1), dot("a", 2), dot("b", 1)
	for name, test := range map[string]struct {
		history []porcupine.Operation
		want    bool
	}{
		"nothing": {nil, true},
		"own later one": {[]porcupine.Operation{
			write(1, 2, a1, nil), write(3, 4, a2, nil),
			read(5, 6, a2),
		}, true},
		"concurrent ones": {[]porcupine.Operation{
			write(1, 2, a1, nil), write(3, 4, b1, nil),
			read(5, 6, a1, b1),
		}, true},
		"one that had seen it": {[]porcupine.Operation{
			write(1, 2, a1, nil),
			write(3, 4, b1, client.Clock{"a": 1}), read(5, 6, b1),
		}, true},
		"read before it is answered": {
			[]porcupine.Operation{write(1, 9, a1, nil), read(2, 3), read(4, 5, a1)},
			true,
		},
		"lost": {[]porcupine.Operation{write(1, 2, a1, nil), read(3, 4)}, false},
		"replaced without being seen": {[]porcupine.Operation{
			write(1, 2, a1, nil), write(3, 4, b1, nil),
			read(5, 6, b1),
		}, false},
		"an earlier state is shown": {
			[]porcupine.Operation{write(1, 9, a1, nil), read(2, 3, a1), read(4, 5)},
			false,
		},
		"it comes back once replaced": {[]porcupine.Operation{
			write(1, 2, a1, nil), write(3, 4, a2, nil),
			read(5, 6, a1),
		}, false},
		"shown before anybody wrote it": {[]porcupine.Operation{read(1, 2, a1), write(3, 4, a1, nil)}, false},
	} {
		if got := porcupine.CheckOperations(model(), test.history); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

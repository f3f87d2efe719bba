package crdt

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// ActorID names an actor: one installation of one client in one session, not a person. Clients make
// ids of [A-Za-z0-9_-]{1,64}; ids with a ~ are the server's own, for clients that do not count (see
// NaiveActor).
type ActorID string

// NaiveActor returns the actor for whom the server counts: of client if it gave an id, else of
// user.
func NaiveActor(client, user string) ActorID {
	if client != "" {
		return ActorID(client + "~s")
	}
	return ActorID("~" + user)
}

// Dot identifies a change: who, in which batch, at which index. An object value is flattened into
// several operations with the same dot, so an operation is identified by its dot and path.
type Dot struct {
	Actor ActorID
	Batch int64
	Index int
}

func (d Dot) String() string {
	return string(d.Actor) + ":" + strconv.FormatInt(d.Batch, 10) + ":" + strconv.Itoa(d.Index)
}

// ParseDot reads what String writes.
func ParseDot(s string) (Dot, error) {
	parts := strings.Split(s, ":")
	if len(parts) != 3 || parts[0] == "" {
		return Dot{}, fmt.Errorf("a dot is written client:batch:index")
	}
	batch, err1 := strconv.ParseInt(parts[1], 10, 64)
	index, err2 := strconv.Atoi(parts[2])
	d := Dot{ActorID(parts[0]), batch, index}
	if err1 != nil || err2 != nil || batch < 1 || index < 0 || d.String() != s {
		return Dot{}, fmt.Errorf("a dot is written client:batch:index")
	}
	return d, nil
}

// Compare orders dots by actor, batch and index.
func (d Dot) Compare(e Dot) int {
	return cmp.Or(cmp.Compare(d.Actor, e.Actor), cmp.Compare(d.Batch, e.Batch), cmp.Compare(d.Index, e.Index))
}

// before reports whether d comes before e in the batches of the one actor that wrote both.
func (d Dot) before(e Dot) bool {
	return d.Batch < e.Batch || d.Batch == e.Batch && d.Index < e.Index
}

// Clock says of each actor up to which of its batches something has been seen.
type Clock map[ActorID]int64

// Sum returns the total of all entries.
func (c Clock) Sum() int64 {
	var sum int64
	for _, n := range c {
		sum += n
	}
	return sum
}

// Clamp returns the foreign entries of a clock that self posted, each limited to delivered(actor):
// the contiguous prefix of that actor that was delivered to self. Entries limited to 0 are left
// out. cut reports whether any entry was reduced.
func Clamp(posted Clock, self ActorID, delivered func(ActorID) int64) (clamped Clock, cut bool) {
	clamped = make(Clock, len(posted))
	for actor, n := range posted {
		if actor == self || n == 0 {
			continue
		}
		seen := min(n, delivered(actor))
		if seen > 0 {
			clamped[actor] = seen
		}
		cut = cut || seen < n
	}
	return clamped, cut
}

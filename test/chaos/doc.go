// Package chaos holds the tests that treat the real binary badly, from outside: it is killed, its
// power is cut, its disk is full or broken, its PostgreSQL goes away, its clients leave in the
// middle of a request, and its network loses a packet in five. They show what the answer 200
// promises: what was acknowledged is in the log exactly once, whatever happened afterwards.
//
// Every test is a short smoke by default. FIREMODE_CHAOS=full, which `make chaos` sets, does as
// much as the design asks for: 200 kills on each engine, for one. FIREMODE_CHAOS_SEED replays what
// was drawn by chance; what processes and networks do by themselves it cannot.
//
// The clients keep a journal outside of what is killed. It is compared with the log as the store
// holds it and as the API shows it.
package chaos

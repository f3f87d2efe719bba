// Package supervisor keeps the services of a process running, each by itself.
//
// It promises that services are started in the order in which they are given and stopped in the reverse order, each one after the one
// before it has ended; that a panic, an error or the end of its goroutine starts that one service again, after a pause that doubles from
// failure to failure, and touches no other; and that it is known at any time which services run and why the others do not. A service
// that ends without an error has nothing left to do and is not started again.
//
// The tree underneath is suture's, with one supervisor per service: suture pauses all that a supervisor looks after once one of them
// has failed too often, and its pause does not grow. So the pauses are ours, and suture's never begins.
//
// It does not log and does not count: it tells an Observer. What is lost when a service dies is that service's part; see
// internal/groupcommit for a worker whose callers learn of it.
package supervisor

// Package supervisor keeps the services of a process running, each on its own.
//
// Services start in the order in which they are added and stop in the reverse order, one after the
// other. A service that panics, returns an error or ends its goroutine restarts after a pause that
// doubles with each failure; other services are not affected. A service that returns nil has
// finished and does not restart. The status of every service can be read at any time.
//
// The package uses suture, with one suture supervisor per service. A shared supervisor would pause
// all its services once one of them has failed too often, and its pause does not grow. The pauses
// are therefore implemented here, and suture's never begin.
//
// The package neither logs nor counts; it calls an Observer. A service must handle what it loses in
// a failure itself: in internal/groupcommit, for example, the callers of a failed worker get an
// error.
package supervisor

// Package loadtest holds a running server to the load profile of the contract, from outside: virtual users who classify, submit
// results and fetch the offline bundle, over HTTP alone.
//
// Run promises:
//
//   - A request counts from the moment at which it was meant to start until its last byte is in, so that a server which stalls is not
//     flattered by the requests that waited for it. In the open model (Rate) the moments do not depend on the server at all.
//   - Every request counts, those that failed too. An answer of status 200 that says the wrong thing is a failure.
//   - A change that the server acknowledged is noted, and afterwards read back from the session's history: one that is not there, is
//     there twice, or is not shown although its own writer did not replace it, fails the run by its name.
//   - Nothing is repeated behind the caller's back: an error that a patient client would have bridged is counted here.
//
// It does not judge the machine: Report tells what else is known about server, generator and their load, so that a reader can.
package loadtest

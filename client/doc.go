// Package client is the Go client of FireMode's API: the command line, the load test and the end-to-end tests talk to a server
// through it and nothing else.
//
// Client has a method for every endpoint. It promises:
//
//   - An answer that is an error comes back as *Error, with the fields of the API's error format.
//   - Access tokens are refreshed before they expire and once more when one is refused, by one call at a time however many wait.
//   - Whatever can be repeated without harm is: reading, and writing under one Idempotency-Key per call. Lost connections and
//     answers marked retryable are tried again, later and later, until it works, the attempts are used up or ctx ends.
//   - Answers are taken compressed, large requests are sent compressed.
//
// Device is what a phone does between visits to the network: it queues changes, posts them, pulls what others did, and goes on
// under a fresh id when it turns out to be a copy. It is the reference for other clients; docs/sync.md tells it in words. What it must
// remember is State, a plain value that can be stored, restored and copied; only Device does I/O.
package client

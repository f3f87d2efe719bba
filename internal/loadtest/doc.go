// Package loadtest runs the contract's load profile against a running server, over HTTP alone:
// virtual users classify, submit results and fetch the offline bundle.
//
// Run promises:
//
//   - The latency of a request counts from its intended start to its last byte, so that a server
//     that stalls does not look better for the requests that waited for it. In the open model
//     (Rate) the intended starts do not depend on the server.
//   - Every request counts, failed ones included. A response of status 200 with wrong content is a
//     failure.
//   - Every acknowledged change is read back from the history of the session after the load. A
//     change that is missing, that is there twice, or that is not shown although its own writer did
//     not replace it, fails the run and is named.
//   - No request is retried: an error that a patient client would bridge counts as a failure.
//
// Run does not take the speed of the machine into account. Report also describes the server, the
// generator and their CPU use, so that a reader can.
package loadtest

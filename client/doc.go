// Package client is the Go client of the FireMode API. It covers a service visit from planning to
// the defects that follow: log in, read the register, plan a session, take the offline bundle
// along, record results without a network, synchronise, classify. api/openapi.yaml describes every
// endpoint, those of the administration included.
//
// # Logging in
//
// [New] returns a [Client] of one server for one user; [Client.Login] exchanges a username and a
// password for tokens. The client renews the access token before it expires and once more when the
// server refuses it. To continue after a restart without a password, store what [Client.Tokens]
// returns and pass it as [Config.Tokens].
//
// # A visit without a network
//
// A [Device] is a phone or tablet in one session. What it must remember is its [State], a plain
// value without I/O: store it as JSON whenever it changes and pass it to [RestoreDevice] at the
// next start.
//
//   - [Device.Bundle] fetches everything that is needed offline and shows the results so far.
//   - [Device.Record] queues changes. They exist only on the device until a sync has acknowledged
//     them.
//   - [Device.Sync] pushes what is pending, oldest first, and pulls what others changed. After an
//     error call it again later.
//
// [Report] lists the receipts of a sync; [State.Rejected] the changes that a person must correct
// and record again; [State.Conflicts] the disagreements that a person must settle with [Resolve].
//
// Sync also heals two accidents. A device that was copied or restored from its own backup shares
// its client id with another: the server detects that and issues a fresh id, under which the device
// continues. A server that was restored from a backup starts a new epoch: the device fetches the
// whole document and sends again what the server lost. For that the state keeps acknowledged
// batches; [DeviceConfig.Keep] limits for how long. docs/sync.md specifies the protocol for other
// languages.
//
// # Retries
//
// A request that can be repeated without harm is repeated: a read, and a write under its
// Idempotency-Key, which stays the same for all attempts of one call. The client retries a lost
// connection and an error that is marked retryable, with growing waits of at least
// [Error.RetryAfter], until the call succeeds, [Config.Attempts] is reached or the context ends. A
// batch keeps its key across restarts, see [Batch.Key], so that a batch whose receipt was lost is
// never merged twice.
//
// # Errors
//
// An error response is an [*Error] in the chain of the returned error: its code, the rejected
// fields with a reason each, whether and when a retry can help. [StatusOf] returns the HTTP status
// alone.
//
// # Concurrency
//
// Any number of goroutines may call the methods of a Client at once. A Device, a State and a
// [Document] are for one goroutine at a time.
package client

package merge

import "firemode/internal/store"

// ports are the ports of a transaction that a merge uses.
type ports struct {
	actors   store.ActorReader
	entries  store.EntryReader
	heads    store.HeadReader
	items    store.ItemReader
	ops      store.OpReader
	ownOps   store.OwnOpReader
	users    store.UserReader
	sessions store.SessionWriter

	actorWriter store.ActorWriter
	entryWriter store.EntryWriter
	itemWriter  store.ItemWriter
	opWriter    store.OpWriter
}

func portsOf(tx store.Tx) ports {
	return ports{
		actors:   store.As[store.ActorReader](tx),
		entries:  store.As[store.EntryReader](tx),
		heads:    store.As[store.HeadReader](tx),
		items:    store.As[store.ItemReader](tx),
		ops:      store.As[store.OpReader](tx),
		ownOps:   store.As[store.OwnOpReader](tx),
		users:    store.As[store.UserReader](tx),
		sessions: store.As[store.SessionWriter](tx),

		actorWriter: store.As[store.ActorWriter](tx),
		entryWriter: store.As[store.EntryWriter](tx),
		itemWriter:  store.As[store.ItemWriter](tx),
		opWriter:    store.As[store.OpWriter](tx),
	}
}

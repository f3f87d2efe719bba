package store

import (
	"fmt"
	"reflect"
)

// As returns the port P of a transaction. It panics if the engine does not offer P there: a writing
// port in a View, or a port that the engine lacks. Both are programming errors. CheckPorts at start
// and the contract suite find a port that an engine lacks.
func As[P any](tx ReadTx) P {
	p, ok := find[P](tx)
	if !ok {
		panic(fmt.Sprintf("store: %T does not offer %s", tx, reflect.TypeFor[P]()))
	}
	return p
}

// find looks for P in tx, and then in the transaction that tx wraps.
func find[P any](tx ReadTx) (p P, ok bool) {
	for tx != nil {
		if p, ok = tx.(P); ok {
			return p, true
		}
		wrapper, ok := tx.(interface{ Unwrap() ReadTx })
		if !ok {
			return p, false
		}
		tx = wrapper.Unwrap()
	}
	return p, false
}

// Port is an interface that transactions offer.
type Port struct {
	Name    string // of its type, such as "store.SessionReader"
	Writing bool   // only Updates offer it

	offered func(ReadTx) bool
}

// OfferedBy reports whether As can take the port from tx.
func (p Port) OfferedBy(tx ReadTx) bool { return p.offered(tx) }

func reading[P any]() Port {
	return Port{Name: reflect.TypeFor[P]().String(), offered: func(tx ReadTx) bool {
		_, ok := find[P](tx)
		return ok
	}}
}

func writing[P any]() Port {
	p := reading[P]()
	p.Writing = true
	return p
}

// Ports returns every port. Each engine offers the reading ports in a View, and all of them in an
// Update.
func Ports() []Port {
	return []Port{
		reading[ActorReader](), reading[AssetReader](), reading[AuditReader](), reading[BuildingReader](),
		reading[DefectReader](),
		reading[EntryReader](), reading[ExactReader](), reading[HeadReader](), reading[ItemReader](),
		reading[OpReader](),
		reading[OrganisationReader](), reading[OrphanReader](), reading[OwnOpReader](), reading[ResponseReader](),
		reading[RuleReader](), reading[SessionReader](), reading[TokenReader](), reading[UserReader](),

		writing[ActorWriter](), writing[AssetWriter](), writing[AuditWriter](), writing[BuildingWriter](),
		writing[DefectWriter](),
		writing[EntryWriter](), writing[ItemWriter](), writing[OpWriter](), writing[OrganisationWriter](),
		writing[ResponseWriter](),
		writing[RuleWriter](), writing[SessionWriter](), writing[TokenWriter](), writing[UserWriter](),
	}
}

// CheckPorts returns an error unless view, the transaction of a View, offers the reading ports
// alone and update, that of an Update, offers all ports. It looks at the types of the transactions
// only: they need not be open.
func CheckPorts(view ReadTx, update Tx) error {
	for _, p := range Ports() {
		if p.OfferedBy(view) == p.Writing {
			return fmt.Errorf("store: %T in a View: %s is offered: %t, want %t", view, p.Name, p.Writing, !p.Writing)
		}
		if !p.OfferedBy(update) {
			return fmt.Errorf("store: %T in an Update does not offer %s", update, p.Name)
		}
	}
	return nil
}

package httpapi

// tablet is a client that counts, of one technician.
type tablet struct {
	*visit
	user, client string
	number       int64
	seen         map[string]int64 // of others, as the last pull told
}

func (v *visit) tablet(user, client string) *tablet {
	return &tablet{visit: v, user: user, client: client}
}

// write sends the next batch, which must be taken.
func (p *tablet) write(changes ...string) receipt {
	p.t.Helper()
	p.number++
	return p.send(p.user, p.batch(p.number, changes...))
}

func (p *tablet) batch(number int64, changes ...string) batch {
	return batch{client: p.client, number: number, seen: p.seen, changes: changes}
}

// look reads the document, which is thereby delivered.
func (p *tablet) look() merged {
	p.t.Helper()
	a := p.pull(p.user, p.client)
	p.seen = a.Clock
	return a
}

// pair are the tablets of two technicians.
func (v *visit) pair() (a, b *tablet) { return v.tablet("tech1", "a"), v.tablet("tech2", "b") }

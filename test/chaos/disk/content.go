package disk

import "math/rand/v2"

const pageSize = 4096

type page [pageSize]byte

// content is the bytes of a file: as they are read now, and what it takes to go back to what is
// durable.
type content struct {
	pages   []*page // nil is zeros
	size    int64
	durable int64         // the size in a power cut
	before  map[int]*page // durable pages under those that were written since the last sync
	doomed  map[int]*page // durable pages under those that a failed sync has given up
}

// read copies what there is at off into dest and returns how much that was.
func (c *content) read(dest []byte, off int64) int {
	dest = dest[:max(0, min(int64(len(dest)), c.size-off))]
	for done := 0; done < len(dest); {
		i, at := split(off + int64(done))
		part := dest[done:min(len(dest), done+pageSize-at)]
		if p := c.page(i); p != nil {
			copy(part, p[at:])
		} else {
			clear(part)
		}
		done += len(part)
	}
	return len(dest)
}

// write puts data at off and makes the file long enough.
func (c *content) write(data []byte, off int64) {
	c.size = max(c.size, off+int64(len(data)))
	for len(data) > 0 {
		i, at := split(off)
		n := copy(c.own(i)[at:], data)
		data, off = data[n:], off+int64(n)
	}
}

// truncate makes the file size bytes long; what it grows by is zeros.
func (c *content) truncate(size int64) {
	if size < c.size {
		i, at := split(size)
		if at > 0 && c.page(i) != nil {
			clear(c.own(i)[at:])
			i++
		}
		for ; i < len(c.pages); i++ {
			c.keep(i)
			c.pages[i] = nil
		}
	}
	c.size = size
}

// sync makes everything durable but what an earlier failed sync gave up.
func (c *content) sync() {
	c.before, c.durable = nil, c.size
}

// fail is a sync that fails: what it should have written is taken for clean from now on, and is not
// durable.
func (c *content) fail() {
	if c.doomed == nil {
		c.doomed = map[int]*page{}
	}
	for i, p := range c.before {
		if _, known := c.doomed[i]; !known {
			c.doomed[i] = p
		}
	}
	c.before = nil
}

// cut is the power going: each page that is not durable survives if survives says so.
func (c *content) cut(survives func() bool) {
	if survives() {
		c.durable = c.size
	}
	c.restore(c.before, survives)
	c.restore(c.doomed, func() bool { return false })
	c.before, c.doomed, c.size = nil, nil, c.durable
	last, at := split(c.size)
	if at > 0 && last < len(c.pages) && c.pages[last] != nil {
		clear(c.pages[last][at:])
		last++
	}
	c.pages = c.pages[:min(last, len(c.pages))]
}

func (c *content) restore(durable map[int]*page, survives func() bool) {
	for i, p := range durable {
		if !survives() {
			c.grow(i)
			c.pages[i] = p
		}
	}
}

// own returns page i to be written to.
func (c *content) own(i int) *page {
	c.keep(i)
	if c.pages[i] == nil {
		c.pages[i] = new(page)
	}
	return c.pages[i]
}

// keep remembers what of page i is durable, and leaves a copy to be changed.
func (c *content) keep(i int) {
	c.grow(i)
	if _, kept := c.before[i]; kept {
		return
	}
	if c.before == nil {
		c.before = map[int]*page{}
	}
	c.before[i] = c.pages[i]
	if p, doomed := c.doomed[i]; doomed { // written again, the page has another chance
		c.before[i] = p
		delete(c.doomed, i)
	}
	if c.pages[i] != nil {
		own := *c.pages[i]
		c.pages[i] = &own
	}
}

func (c *content) grow(i int) {
	for len(c.pages) <= i {
		c.pages = append(c.pages, nil)
	}
}

func (c *content) page(i int) *page {
	if i < len(c.pages) {
		return c.pages[i]
	}
	return nil
}

// fits reports whether n bytes can be written at off without more space.
func (c *content) fits(n int, off int64) bool {
	first, _ := split(off)
	last, _ := split(off + int64(n) - 1)
	for i := first; i <= last; i++ {
		if c.page(i) == nil {
			return false
		}
	}
	return true
}

func split(off int64) (index, at int) { return int(off / pageSize), int(off % pageSize) }

// Chance says what becomes of what is not durable in a power cut: each part of it survives with
// probability p.
func Chance(r *rand.Rand, p float64) func() bool {
	return func() bool { return r.Float64() < p }
}

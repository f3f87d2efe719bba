package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"firemode"
	"firemode/client"
	"firemode/internal/record/crdt"
)

// crew is clients at work on one site: phones, which count for themselves, clients that say nothing
// about themselves, and a classifier.
type crew struct {
	journal   *journal
	registers *registers
	phones    []*phone
	steps     []func(context.Context) error // one piece of work of each
}

func newCrew(s *site) *crew {
	c := &crew{journal: newJournal(), registers: newRegisters()}
	for i := range 2 * people {
		p := &phone{crew: c, chance: chance(fmt.Sprint("phone", i)), index: i}
		p.Device = client.NewDevice(s.techs[i%people], session, client.DeviceConfig{})
		c.phones = append(c.phones, p)
		c.steps = append(c.steps, p.step)
	}
	for i := range 2 {
		c.steps = append(c.steps, c.naive(s.techs[i], chance(fmt.Sprint("naive", i))))
	}
	c.steps = append(c.steps, c.classifier(s.admin))
	return c
}

// work has everybody work until enough is closed, and finish then what they have begun.
func (c *crew) work(ctx context.Context, enough <-chan struct{}) error {
	failed := make(chan error, len(c.steps))
	for _, step := range c.steps {
		go func() {
			for {
				select {
				case <-enough:
					failed <- nil
					return
				default:
				}
				if err := step(ctx); err != nil {
					failed <- err
					return
				}
			}
		}()
	}
	var first error
	for range c.steps {
		if err := <-failed; err != nil && first == nil {
			first = err
		}
	}
	return first
}

// during has everybody work while fn does harm. The server must run when fn returns.
func (c *crew) during(t *testing.T, fn func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	enough, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- c.work(ctx, enough) }()
	stop := sync.OnceFunc(func() { close(enough) })
	defer stop() // also when fn ends the test
	fn()
	stop()
	late := time.AfterFunc(2*patience, cancel)
	defer late.Stop()
	if err := <-ended; err != nil {
		t.Errorf("a client gave up: %v", err)
	}
}

// phone is a device whose user records readings of all kinds, and of one register that all of them
// share.
type phone struct {
	*client.Device
	crew    *crew
	chance  *rand.Rand
	index   int
	noted   int // batches whose acknowledgement is in the journal
	numbers [][]int64
}

func (p *phone) step(ctx context.Context) error {
	var numbers []int64
	var changes []client.Change
	for range 1 + p.chance.IntN(3) {
		n := p.crew.journal.send()
		numbers, changes = append(numbers, n), append(changes, p.reading(n))
	}
	n := p.crew.journal.send()
	at := p.crew.registers.current()
	numbers, changes = append(numbers, n), append(changes, client.Set(at, client.Text(fmt.Sprint(n))))
	p.Record(changes...)
	p.numbers = append(p.numbers, numbers)
	write := p.crew.registers.writing(p.index, at, p.dot(len(changes)-1), p.Seen)
	p.crew.registers.name(n, write.dot)

	var report client.Report
	err := p.Push(ctx, &report)
	p.note(report)
	if err != nil {
		return err
	}
	p.crew.registers.wrote(write)
	return p.pull(ctx)
}

// dot is that of change index of the batch that was recorded last.
func (p *phone) dot(index int) crdt.Dot {
	return crdt.Dot{Actor: crdt.ActorID(p.Client), Batch: p.Number, Index: index}
}

func (p *phone) pull(ctx context.Context) error {
	read := p.crew.registers.reading(p.index)
	if err := p.Pull(ctx); err != nil {
		return err
	}
	p.crew.registers.saw(read, &p.State)
	return nil
}

// reading is a change of one of the paths that a visit has.
func (p *phone) reading(n int64) client.Change {
	item := firemode.ItemID(assetID(p.chance.IntN(assets)))
	number := jsontext.Value(strconv.FormatInt(n, 10))
	switch p.chance.IntN(4) {
	case 0:
		return client.Set(client.ItemPath(item, "conditions", rule, low), number)
	case 1:
		return client.Set(client.ItemPath(item, "note"), client.Text(string(number)))
	case 2:
		return client.Append(client.ItemPath("found-on-site", "remarks"+fmt.Sprint(n/500)), client.Text(string(number)))
	default:
		return client.Set(client.ItemPath(item, "measurements", "pressure_kpa"), number)
	}
}

// note puts into the journal what has been acknowledged since the last time.
func (p *phone) note(r client.Report) {
	j := p.crew.journal
	for ; p.noted < len(p.Batches) && p.Batches[p.noted].Acknowledged; p.noted++ {
		j.ack(p.numbers[p.noted]...)
	}
	if len(r.Forks) > 0 {
		j.problem("%s was taken for a copy", p.Client)
	}
	for _, receipt := range r.Receipts {
		if len(receipt.Missing) > 0 {
			j.problem("%s: the server says that it never had batches %v, which it has acknowledged", p.Client,
				receipt.Missing)
		}
		for _, result := range receipt.Results {
			if result.Status == "rejected" {
				j.problem("%s: a change was rejected: %s", p.Client, result.Reason)
			}
		}
	}
}

// naive is the client of the load test: it says nothing about itself, and repeats what was not
// answered under the same key.
func (c *crew) naive(api *client.Client, r *rand.Rand) func(context.Context) error {
	return func(ctx context.Context) error {
		n := c.journal.send()
		path := client.ItemPath(firemode.ItemID(assetID(r.IntN(assets))), "measurements", "weight_kg")
		receipt, err := api.SubmitResults(ctx, session, fmt.Sprintf("%d-%d", seed, n), client.Submission{
			Changes: []client.Change{client.Set(path, jsontext.Value(strconv.FormatInt(n, 10)))},
		})
		if err != nil {
			return err
		}
		if receipt.Results[0].Status == "rejected" {
			c.journal.problem("a change of a naive client was rejected: %s", receipt.Results[0].Reason)
		}
		c.journal.ack(n)
		return nil
	}
}

// classifier has defects classified, each with a number as the reason of an override, by which it
// is found in the audit log.
func (c *crew) classifier(api *client.Client) func(context.Context) error {
	return func(ctx context.Context) error {
		n := c.journal.send()
		judged, err := api.Classify(ctx, client.Finding{
			Code: rule, Condition: low, Override: &client.Override{
				Class:  firemode.ClassCritical,
				Reason: fmt.Sprint(n),
			},
		})
		if err == nil {
			c.journal.audited(judged.AuditID, n)
		}
		return err
	}
}

// agree has every phone see everything, and fails the test unless they hold the same document, byte
// for byte.
func (c *crew) agree(t *testing.T) {
	t.Helper()
	var documents []string
	for _, p := range c.phones {
		check(t, p.Pull(t.Context()))
		text, err := p.Document.MarshalJSON()
		check(t, err)
		documents = append(documents, string(text))
	}
	if distinct := len(slices.Compact(slices.Sorted(slices.Values(documents)))); distinct != 1 {
		t.Errorf("%d phones hold %d different documents", len(documents), distinct)
	}
}

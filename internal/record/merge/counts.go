package merge

// settleCounts has the meter told, once it is durable, what became of the changes of the jobs that were done here. Jobs that repeat an
// answer changed nothing.
func (m *merging) settleCounts() {
	counts := map[string]int{}
	for _, j := range m.done {
		for _, r := range j.receipt.Results {
			counts[settled(j.receipt.Status, r.Status)]++
		}
	}
	if len(counts) == 0 {
		return
	}
	m.tx.AfterCommit(func() {
		for status, n := range counts {
			m.svc.Meter.ChangesSettled(status, n)
		}
	})
}

// settled is what a change counts as: one that is kept but not merged counts as late.
func settled(receipt, change string) string {
	if receipt == StatusLate && change == changeApplied {
		return StatusLate
	}
	return change
}

package row

import "firemode/internal/store"

// ScanBacklog reads the sums of conflicts and gaps.
func ScanBacklog(r Scanner) (b store.Backlog, err error) {
	err = r.Scan(&b.Conflicts, &b.Gaps)
	return b, err
}

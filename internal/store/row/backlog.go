package row

import "firemode/internal/store"

// ScanBacklog reads the sums of conflicts and gaps.
func ScanBacklog(r Scanner) (b store.Backlog, err error) {
	err = scan(r, "session_heads", &b.Conflicts, &b.Gaps)
	return b, err
}

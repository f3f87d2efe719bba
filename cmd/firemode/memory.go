package main

import (
	"os"
	"runtime/debug"
)

// gcPercent lets the heap grow to four times what is live before it is collected. What is live is small, some 30 MB, and what requests
// leave behind is most of it. Resident memory stays under 256 MB under the load profile; see docs/performance.md.
const gcPercent = 300

// tuneMemory sets gcPercent, unless the environment of the process says GOGC or GOMEMLIMIT: then the operator knows better. The runtime has read
// both already, whatever run was given.
func tuneMemory() {
	for _, name := range []string{"GOGC", "GOMEMLIMIT"} {
		if os.Getenv(name) != "" {
			return
		}
	}
	debug.SetGCPercent(gcPercent)
}

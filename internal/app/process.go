package app

import "runtime/debug"

// Version returns the version, the commit and the Go release of this binary, on one line.
func Version() string { return versionOf(debug.ReadBuildInfo()) }

// versionOf puts the build information on one line. Without git at build time the version is
// "(devel)".
func versionOf(info *debug.BuildInfo, ok bool) string {
	if !ok {
		return "(unknown)"
	}
	line := info.Main.Version
	if line == "" {
		line = "(devel)"
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			line += " commit " + s.Value
		case "vcs.time":
			line += " of " + s.Value
		}
	}
	return line + " " + info.GoVersion
}

// gcPercent lets the heap grow to four times what is live before it is collected. What is live is
// small, some 30 MB, and what requests leave behind is most of it. Resident memory stays under 256
// MB under the load profile; see docs/performance.md.
const gcPercent = 300

// TuneMemory sets the garbage collector of the process to gcPercent, unless the operator has set
// GOGC or GOMEMLIMIT, which the runtime has already read. It is for main alone: the setting is
// global.
func TuneMemory(getenv func(string) string) {
	for _, name := range []string{"GOGC", "GOMEMLIMIT"} {
		if getenv(name) != "" {
			return
		}
	}
	debug.SetGCPercent(gcPercent)
}

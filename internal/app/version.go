package app

import "runtime/debug"

// Version returns the version, the commit and the Go release of this binary, on one line.
func Version() string { return versionOf(debug.ReadBuildInfo()) }

// versionOf puts the build information on one line. Without git at build time the version is "(devel)".
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

package rules

import (
	"cmp"
	"strings"

	"golang.org/x/mod/semver"
)

// MaxVersionLength is the greatest number of bytes of a version.
const MaxVersionLength = 64

// ValidVersion reports whether s is a semantic version written out in full, such as "1.10.0" or
// "2.0.0-rc.1".
func ValidVersion(s string) bool {
	v := "v" + s
	return len(s) <= MaxVersionLength && semver.IsValid(v) && semver.Canonical(v)+semver.Build(v) == v
}

// CompareVersions orders valid versions as semver.org does: 1.10.0 after 1.9.0, 1.0.0-rc.1 before
// 1.0.0. Versions that differ in build metadata alone, which semver leaves unordered, are ordered
// by it, so that the order is total.
func CompareVersions(a, b string) int {
	return cmp.Or(semver.Compare("v"+a, "v"+b), strings.Compare(a, b))
}

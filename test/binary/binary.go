// Package binary provides the executable of FireMode to tests that run it from outside.
package binary

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// pathEnv names the environment variable with the path of an executable that is already built.
const pathEnv = "FIREMODE_TEST_BINARY"

// Path returns the path of the executable: the one that FIREMODE_TEST_BINARY names (see Env), or
// one that it builds in dir. Its file name is firemode.
func Path(dir string) (string, error) {
	if path := os.Getenv(pathEnv); path != "" {
		return path, nil
	}
	return Build(dir)
}

// Build builds the executable in dir and returns its path.
func Build(dir string) (string, error) {
	path := filepath.Join(dir, "firemode")
	build := exec.Command("go", "build", "-o", path, "firemode/cmd/firemode")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
}

// Env returns the environment variable, as NAME=VALUE, that makes Path return path.
func Env(path string) string { return pathEnv + "=" + path }

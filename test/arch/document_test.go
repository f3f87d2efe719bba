package arch

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestArchitecture_FilesItNames_Exist: docs/ARCHITECTURE.md follows a result through files, which move.
func TestArchitecture_FilesItNames_Exist(t *testing.T) {
	text, err := os.ReadFile("../../docs/ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	paths := regexp.MustCompile("`((?:internal|cmd|client|api|test|docs)/[^` ]*)`").FindAllStringSubmatch(string(text), -1)
	if len(paths) < 15 {
		t.Fatalf("only %d paths were found", len(paths))
	}
	for _, m := range paths {
		if _, err := os.Stat(filepath.Join("../..", m[1])); err != nil {
			t.Errorf("%s does not exist", m[1])
		}
	}
	links := regexp.MustCompile(`\]\(([^)#]+\.md)`).FindAllStringSubmatch(string(text), -1)
	for _, m := range links {
		if _, err := os.Stat(filepath.Join("../../docs", m[1])); err != nil {
			t.Errorf("the link to %s leads nowhere", m[1])
		}
	}
}

// TestArchitecture_FitsOnAPage: a page is what a newcomer reads at once.
func TestArchitecture_FitsOnAPage(t *testing.T) {
	text, err := os.ReadFile("../../docs/ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), "\n"); n > 120 {
		t.Errorf("it has %d lines", n)
	}
}

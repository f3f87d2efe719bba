package firemode_test

import (
	"strings"
	"testing"

	"firemode"
)

func TestClip(t *testing.T) {
	whole := strings.Repeat("x", firemode.MaxIDLength)
	for text, want := range map[string]string{
		"": "", whole: whole, whole + "y": whole + "…", whole[1:] + "é": whole[1:] + "…", "é": "é",
	} {
		if got := firemode.Clip(text); got != want {
			t.Errorf("Clip(%q) is %q, want %q", text, got, want)
		}
	}
}

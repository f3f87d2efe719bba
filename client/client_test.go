package client

import "testing"

func TestNew_NotAServerURL_Error(t *testing.T) {
	for _, url := range []string{"", "localhost:8080", "ftp://x", "http://", "http://a b"} {
		if _, err := New(Config{BaseURL: url}); err == nil {
			t.Errorf("%q is accepted as the URL of a server", url)
		}
	}
}

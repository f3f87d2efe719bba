package telemetry

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"
)

func TestNewLogger_JSON_UTCAndSeconds(t *testing.T) {
	var out bytes.Buffer
	log, err := NewLogger(&out, "json", "info")
	if err != nil {
		t.Fatal(err)
	}
	log.Debug("hidden")
	log.Info("shown", "n", 1, "took", 1500*time.Millisecond)
	var event struct {
		Time time.Time
		Msg  string
		N    int
		Took float64
	}
	if err := json.Unmarshal(out.Bytes(), &event); err != nil {
		t.Fatalf("%v in %q", err, out.String())
	}
	if event.Msg != "shown" || event.N != 1 || event.Took != 1.5 {
		t.Errorf("event is %+v", event)
	}
	if event.Time.Location() != time.UTC {
		t.Errorf("time is in %v", event.Time.Location())
	}
}

func TestNewLogger_UnknownFormatOrLevel_Error(t *testing.T) {
	for _, c := range []struct{ format, level, want string }{
		{"xml", "info", `log format "xml" is neither json nor text`},
		{"json", "loud", `log level "loud" is none of debug, info, warn, error`},
	} {
		_, err := NewLogger(&bytes.Buffer{}, c.format, c.level)
		if err == nil || err.Error() != c.want {
			t.Errorf("%s/%s: %v, want %s", c.format, c.level, err, c.want)
		}
	}
}

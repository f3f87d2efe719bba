package loadtest

import "testing"

func TestWriter_Next_UnacknowledgedBatchOfADevice_Repeated(t *testing.T) {
	naive := writer{run: "r", user: 3}
	device := writer{run: "r", user: 4, device: "r-d4"}
	for _, c := range []struct {
		w         *writer
		unsettled bool
		key, body string
	}{
		{
			&naive, false, "r-3-1",
			`{"changes":[{"op":"set","path":"/test","value":"r-3-1"}],"_sync_meta":{"vector_clock":{}}}`,
		},
		{
			&naive, true, "r-3-2",
			`{"changes":[{"op":"set","path":"/test","value":"r-3-2"}],"_sync_meta":{"vector_clock":{}}}`,
		},
		{&device, false, "r-4-1", `{"changes":[{"op":"set","path":"/test","value":"r-4-1"}],` +
			`"_sync_meta":{"client_id":"r-d4","client_type":"loadtest","batch_id":"r-4-1","vector_clock":{"r-d4":1}}}`},
		{&device, true, "r-4-1", `{"changes":[{"op":"set","path":"/test","value":"r-4-1"}],` +
			`"_sync_meta":{"client_id":"r-d4","client_type":"loadtest","batch_id":"r-4-1","vector_clock":{"r-d4":1}}}`},
		{&device, false, "r-4-2", `{"changes":[{"op":"set","path":"/test","value":"r-4-2"}],` +
			`"_sync_meta":{"client_id":"r-d4","client_type":"loadtest","batch_id":"r-4-2",` +
			`"prev_batch_id":"r-4-1","vector_clock":{"r-d4":2}}}`},
	} {
		key, body := c.w.next(c.unsettled)
		if key != c.key || string(body) != c.body {
			t.Errorf("under %s %s, want %s %s", key, body, c.key, c.body)
		}
	}
}

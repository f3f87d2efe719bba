package client

import (
	"io"
	"strings"
	"testing"
)

func TestBody_Encodings_FollowSizeAndSource(t *testing.T) {
	ok := respond(200, "{}")
	t.Run("large: compressed", func(t *testing.T) {
		s, api := play(t, Config{}, ok)
		text := strings.Repeat("words ", 200) + strings.Repeat("and more of them, ", 200)
		if _, err := api.CreateBuilding(t.Context(), NewBuilding{Name: text}); err != nil {
			t.Fatal(err)
		}
		if s.received[0].encoding != "zstd" || s.received[0].body != `{"site_name":"`+text+`","site_address":""}` {
			t.Errorf("sent %s, %q", s.received[0].encoding, s.received[0].body)
		}
	})
	t.Run("shrinks beyond the ratio limit: not compressed", func(t *testing.T) {
		s, api := play(t, Config{}, ok)
		_, err := api.CreateBuilding(t.Context(), NewBuilding{Name: strings.Repeat("x", 100_000)})
		if err != nil || s.received[0].encoding != "" {
			t.Errorf("sent %q, %v", s.received[0].encoding, err)
		}
	})
	t.Run("file: sent again from its start", func(t *testing.T) {
		s, api := play(t, Config{}, respond(503, busy), ok)
		file := strings.NewReader("asset_id\n1")
		file.Seek(5, io.SeekStart)
		if _, err := api.ImportAssets(t.Context(), "b", file, true); err != nil {
			t.Fatal(err)
		}
		const path = "/v1/buildings/b/assets/import?dry_run=true"
		want := received{"POST", path, s.received[0].key, "Bearer", "", "_id\n1"}
		if s.received[0] != want || s.received[1] != want {
			t.Errorf("%+v", s.received)
		}
	})
	t.Run("stream: sent once", func(t *testing.T) {
		s, api := play(t, Config{}, respond(503, busy), ok)
		_, err := api.ImportAssets(t.Context(), "b", io.MultiReader(strings.NewReader("asset_id")), false)
		if StatusOf(err) != 503 || len(s.received) != 1 {
			t.Errorf("%d requests, %v", len(s.received), err)
		}
	})
}

package store_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"firemode/internal/store"
	"firemode/internal/store/storetest"
)

// deaf is a store whose watches fail as often as is asked of it.
type deaf struct {
	store.Database
	start    time.Time
	failures int
	tried    []time.Duration // since start
}

var errDeaf = errors.New("nothing is heard")

func (d *deaf) Watch(ctx context.Context, changed func(store.Topic)) error {
	d.tried = append(d.tried, time.Since(d.start))
	if d.failures--; d.failures >= 0 {
		return errDeaf
	}
	short, cancel := context.WithTimeout(ctx, time.Hour)
	defer cancel()
	if err := d.Database.Watch(short, changed); err != nil || ctx.Err() != nil {
		return err
	}
	return errDeaf
}

// A watch that cannot be had is tried ever more seldom, up to a minute; once it was had, at once
// again.
func TestFollowTriesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &deaf{Database: storetest.OpenSQLite(t), start: time.Now(), failures: 8}
		ctx, stop := context.WithTimeout(t.Context(), 90*time.Minute)
		defer stop()
		told, lost := 0, 0
		err := store.Follow(ctx, d, func(store.Topic) { told++ }, func(err error) {
			if errors.Is(err, errDeaf) {
				lost++
			}
		})
		if err != nil {
			t.Errorf("Follow returned %v", err)
		}
		var pauses []time.Duration
		for i := 1; i < len(d.tried); i++ {
			pauses = append(pauses, d.tried[i]-d.tried[i-1])
		}
		want := []time.Duration{1, 2, 4, 8, 16, 32, 60, 60, 3600 + 1}
		for i := range want {
			want[i] *= time.Second
		}
		if !slices.Equal(pauses, want) {
			t.Errorf("pauses %v, want %v", pauses, want)
		}
		if told != 2*len(store.Topics()) || lost != 9 {
			t.Errorf("told %d times, lost %d times", told, lost)
		}
	})
}

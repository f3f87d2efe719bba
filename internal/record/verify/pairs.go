package verify

import (
	"errors"
	"iter"
)

// sequence turns a function that calls back into a sequence. Its error goes to failed.
func sequence[T any](each func(func(T) error) error, failed *error) iter.Seq[T] {
	stop := errors.New("stop")
	return func(yield func(T) bool) {
		err := each(func(v T) error {
			if !yield(v) {
				return stop
			}
			return nil
		})
		if err != nil && !errors.Is(err, stop) {
			*failed = err
		}
	}
}

// eachPair walks two sequences in the order of compare, and calls fn for each key with the value of
// either sequence, nil if it has none.
func eachPair[T any](stored, rebuilt iter.Seq[T], compare func(x, y *T) int, fn func(stored, rebuilt *T)) {
	nextStored, stopStored := iter.Pull(stored)
	defer stopStored()
	nextRebuilt, stopRebuilt := iter.Pull(rebuilt)
	defer stopRebuilt()
	x, moreX := nextStored()
	y, moreY := nextRebuilt()
	for moreX || moreY {
		order := 0
		switch {
		case !moreX:
			order = 1
		case !moreY:
			order = -1
		default:
			order = compare(&x, &y)
		}
		a, b := x, y
		switch {
		case order < 0:
			fn(&a, nil)
			x, moreX = nextStored()
		case order > 0:
			fn(nil, &b)
			y, moreY = nextRebuilt()
		default:
			fn(&a, &b)
			x, moreX = nextStored()
			y, moreY = nextRebuilt()
		}
	}
}

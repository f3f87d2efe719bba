package verify

import (
	"errors"
	"iter"
)

// side iterates over what each calls back with.
func side[T any](each func(func(T) error) error, failed *error) iter.Seq[T] {
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

// pairs walks two sequences that are sorted by key, and calls fn for each key with what either has; nil for what it lacks.
func pairs[T any](stored, again iter.Seq[T], compare func(a, b *T) int, fn func(stored, again *T)) {
	nextA, stopA := iter.Pull(stored)
	defer stopA()
	nextB, stopB := iter.Pull(again)
	defer stopB()
	x, okX := nextA()
	y, okY := nextB()
	for okX || okY {
		order := 0
		switch {
		case !okX:
			order = 1
		case !okY:
			order = -1
		default:
			order = compare(&x, &y)
		}
		a, b := x, y
		switch {
		case order < 0:
			fn(&a, nil)
			x, okX = nextA()
		case order > 0:
			fn(nil, &b)
			y, okY = nextB()
		default:
			fn(&a, &b)
			x, okX = nextA()
			y, okY = nextB()
		}
	}
}

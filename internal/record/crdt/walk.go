package crdt

import (
	"errors"
	"slices"
)

// Walk finds what a session shows, and its conflicts, in live operations that come in the order of
// a walk down the tree. Unlike State it holds no more than what is live at one path, and one
// conflict with all its siblings, so that it goes through a session of any size. It finds what
// State finds.
//
// Chains must be given, and of Leaf and Conflict at least one.
type Walk struct {
	Chains func(ActorID) Ranges
	Key    []byte // the secret of the session
	// Below calls fn for everything that is live below p, in any order, and stops at its first
	// error.
	Below func(p Pointer, fn func(Op) error) error
	// Contested is Below for what may not have seen everything that is live at p.
	Contested func(p Pointer, fn func(Op) error) error
	// Leaf is called for what is shown, in order of path.
	Leaf func(Reading) error
	// Conflict is called for each conflict, in order of path.
	Conflict func(Conflict) error

	path  Pointer // of live
	live  []*Op
	above Pointer // the last leaf: what is below it is not shown
}

// Add takes the next operation: one at the path of the last one or further down the walk.
func (w *Walk) Add(op Op) error {
	if op.Path != w.path {
		if err := w.settle(w.path != "" && w.path.Holds(op.Path)); err != nil {
			return err
		}
		w.path, w.live = op.Path, nil
	}
	w.live = append(w.live, &op)
	return nil
}

// End ends the walk. inhabited reports whether something is live below the last path although it
// was not added.
func (w *Walk) End(inhabited bool) error { return w.settle(inhabited) }

// settle evaluates the operations at w.path; inhabited reports whether anything is live below it.
func (w *Walk) settle(inhabited bool) error {
	if len(w.live) == 0 {
		return nil
	}
	if err := w.show(inhabited); err != nil {
		return err
	}
	if w.Conflict == nil || len(w.live) == 1 && !inhabited {
		return nil
	}
	return w.dispute(inhabited)
}

func (w *Walk) show(inhabited bool) error {
	top := greatest(w.live)
	if w.Leaf == nil || top.removal() || w.above != "" && w.above.Holds(w.path) {
		return nil
	}
	s := NewState(w.Chains)
	if inhabited {
		hidden, err := w.hidden(s, top)
		if err != nil || hidden {
			return err
		}
	}
	w.above = w.path
	return w.Leaf(Reading{w.path, s.total(w.live)})
}

var errHidden = errors.New("hidden")

// hidden reports whether a value below shows instead of top.
func (w *Walk) hidden(s *State, top *Op) (bool, error) {
	err := w.Below(w.path, func(op Op) error {
		if s.hides(&op, top) {
			return errHidden
		}
		return nil
	})
	if errors.Is(err, errHidden) {
		return true, nil
	}
	return false, err
}

func (w *Walk) dispute(inhabited bool) error {
	s := NewState(w.Chains)
	for _, op := range w.live {
		s.Load(*op)
	}
	if inhabited {
		err := w.Contested(w.path, func(op Op) error {
			op.Contested = slices.ContainsFunc(w.live, func(above *Op) bool { return !s.sees(&op, above) })
			if op.Contested {
				s.Load(op)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if c, open := s.Conflict(w.path, w.Key); open {
		return w.Conflict(c)
	}
	return nil
}

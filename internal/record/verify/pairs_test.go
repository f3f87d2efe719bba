package verify

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"testing"
)

func TestEachPair(t *testing.T) {
	for _, test := range []struct {
		stored, rebuilt []int
		want            []string
	}{
		{nil, nil, nil},
		{[]int{1, 2}, []int{1, 2}, []string{"1 1", "2 2"}},
		{[]int{1, 3}, []int{2, 3, 4}, []string{"1 -", "- 2", "3 3", "- 4"}},
		{[]int{1, 2}, nil, []string{"1 -", "2 -"}},
		{nil, []int{1}, []string{"- 1"}},
	} {
		var got []string
		name := func(v *int) string {
			if v == nil {
				return "-"
			}
			return fmt.Sprint(*v)
		}
		compare := func(x, y *int) int { return cmp.Compare(*x, *y) }
		eachPair(slices.Values(test.stored), slices.Values(test.rebuilt), compare, func(x, y *int) {
			got = append(got, name(x)+" "+name(y))
		})
		if !slices.Equal(got, test.want) {
			t.Errorf("%v and %v: %q, want %q", test.stored, test.rebuilt, got, test.want)
		}
	}
}

func TestSequence_Error_KeptUnlessStopped(t *testing.T) {
	broken := errors.New("broken")
	each := func(fn func(int) error) error {
		for i := range 3 {
			if err := fn(i); err != nil {
				return err
			}
		}
		return broken
	}
	var failed error
	if got := slices.Collect(sequence(each, &failed)); !slices.Equal(got, []int{0, 1, 2}) || !errors.Is(failed, broken) {
		t.Errorf("got %v, error %v", got, failed)
	}
	failed = nil
	for range sequence(each, &failed) {
		break
	}
	if failed != nil {
		t.Errorf("stopped: error %v", failed)
	}
}

package store

import (
	"errors"
	"slices"
	"strconv"
	"testing"
)

func TestEachRow_SeveralPages_EveryRowOnce(t *testing.T) {
	for _, n := range []int{0, 1, pageSize, pageSize + 1, 2*pageSize + 3} {
		var got []int
		err := EachRow(numbers(n), func(v int) error {
			got = append(got, v)
			return nil
		})
		if err != nil || len(got) != n || !slices.IsSorted(got) || n > 0 && got[n-1] != n-1 {
			t.Errorf("%d rows: got %d, error %v", n, len(got), err)
		}
	}
}

func TestEachRow_Error_StopsAndIsReturned(t *testing.T) {
	calls := 0
	err := EachRow(numbers(3), func(int) error {
		calls++
		return ErrStop
	})
	if !errors.Is(err, ErrStop) || calls != 1 {
		t.Errorf("%d calls, error %v", calls, err)
	}
	broken := errors.New("broken")
	list := func(Page) ([]Keyed[int], error) { return nil, broken }
	if err := EachRow(list, func(int) error { return nil }); !errors.Is(err, broken) {
		t.Errorf("error %v, want %v", err, broken)
	}
}

// numbers lists 0 to n-1, each with itself as its key.
func numbers(n int) func(Page) ([]Keyed[int], error) {
	return func(p Page) (rows []Keyed[int], err error) {
		next := 0
		if p.After != "" {
			if next, err = strconv.Atoi(p.After); err != nil {
				return nil, err
			}
			next++
		}
		for ; next < n && len(rows) < p.Limit; next++ {
			rows = append(rows, Keyed[int]{Key: strconv.Itoa(next), Row: next})
		}
		return rows, nil
	}
}

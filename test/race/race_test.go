package race

import "testing"

func TestHistories_Settings_ChooseAndMultiply(t *testing.T) {
	detected := map[bool]int{false: 100, true: 7}[Enabled]
	for _, c := range []struct {
		set, times string
		want       int
	}{{"", "", detected}, {"short", "", 7}, {"long", "", 100}, {"short", "3", 21}, {"", "2", 2 * detected}} {
		t.Setenv("FIREMODE_HISTORIES", c.set)
		t.Setenv("FIREMODE_TIMES", c.times)
		if got := Histories(100, 7); got != c.want {
			t.Errorf("FIREMODE_HISTORIES=%q FIREMODE_TIMES=%q: %d histories, want %d", c.set, c.times, got, c.want)
		}
	}
}

func TestHistories_UnknownSetting_Panics(t *testing.T) {
	for _, c := range []struct{ set, times, want string }{
		{"some", "", `FIREMODE_HISTORIES is "some"; set it to short or long`},
		{"", "many", `FIREMODE_TIMES is "many"; set it to a whole number from 1`},
		{"", "0", `FIREMODE_TIMES is "0"; set it to a whole number from 1`},
	} {
		t.Setenv("FIREMODE_HISTORIES", c.set)
		t.Setenv("FIREMODE_TIMES", c.times)
		if got := recovered(func() { Histories(100, 7) }); got != c.want {
			t.Errorf("Histories panics with %v, want %q", got, c.want)
		}
	}
}

// recovered returns what f panics with, nil when it does not.
func recovered(f func()) (value any) {
	defer func() { value = recover() }()
	f()
	return nil
}

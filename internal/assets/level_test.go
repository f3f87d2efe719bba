package assets

import (
	"testing"

	"pgregory.net/rapid"
)

func TestLevel_FormsOfRegisters_AreRead(t *testing.T) {
	t.Parallel()
	for written, want := range map[string]string{
		"":                 "",
		"L03":              "L03",
		"l3":               "L03",
		"L 3":              "L03",
		"Level 3":          "L03",
		" LEVEL  03 ":      "L03",
		"Level-3":          "L03",
		"Lvl. 3":           "L03",
		"3":                "L03",
		"Floor 12":         "L12",
		"3rd floor":        "L03",
		"21st Floor":       "L21",
		"Level 103":        "L103",
		"Level 3A":         "L03A",
		"G":                "G",
		"ground":           "G",
		"Ground Floor":     "G",
		"Level G":          "G",
		"Lower Ground":     "LG",
		"B1":               "B1",
		"b02":              "B2",
		"Basement 1":       "B1",
		"Basement Level 2": "B2",
		"ROOF":             "Roof",
		"mezz":             "Mezzanine",
		"-1":               "-1",
		"P1":               "P1",
		"  Plant   deck ":  "Plant deck",
		"Levels 1-3":       "Levels 1-3",
		"Basement":         "Basement",
		"1234":             "1234",
	} {
		if got := Level(written); got != want {
			t.Errorf("Level(%q) = %q, want %q", written, got, want)
		}
	}
}

func TestLevel_AnyText_IsStable(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		written := rapid.OneOf(
			rapid.String(),
			rapid.StringMatching(`(?i)(level|lvl|l|basement|b|floor|g)?[ .-]{0,2}[0-9]{0,4}[a-z]?`),
		).Draw(t, "written")
		once := Level(written)
		if twice := Level(once); twice != once {
			t.Fatalf("Level(%q) = %q, and of that %q", written, once, twice)
		}
	})
}

package rules_test

import (
	"testing"

	"pgregory.net/rapid"

	"firemode"
	"firemode/internal/rules"
)

func TestMatch(t *testing.T) {
	for cell, want := range map[string]string{
		"Extinguisher ABE 4.5kg":               "extinguisher_powder",
		" EXTINGUISHER  abe 9KG ":              "extinguisher_powder",
		"ABE dry powder extinguisher":          "extinguisher_powder",
		"Extinguisher CO2 5kg":                 "extinguisher_co2",
		"Extinguisher, wet chemical":           "extinguisher_wet_chemical",
		"Fire door, hinged":                    "fire_door_hinged",
		"Smoke detector, photoelectric":        "smoke_detector",
		"Sprinkler zone valve and flow switch": "sprinkler_zone_valve",
		"Exit sign, self-contained":            "exit_sign",
		"Pre-action valve":                     "sprinkler_deluge_valve",
		"Hydrant landing valve":                "hydrant_valve",
		"Hydrant pressure reducing valve":      "hydrant_prv",
		"Fire hose reel 36m":                   "hose_reel",
		"Gaseous suppression, FM-200":          "gaseous_suppression",
	} {
		got, err := rules.Match(cell)
		if err != nil || got.Code != want {
			t.Errorf("Match(%q) = %q, %v, want %q", cell, got.Code, err, want)
		}
	}
}

func TestMatchRefuses(t *testing.T) {
	for cell, want := range map[string]string{
		"":                  `type: "" is no known type of asset`,
		"Halon 1211 bottle": `type: "Halon 1211 bottle" is no known type of asset`,
		"extinguishers abe": `type: "extinguishers abe" is no known type of asset`,
		"Extinguisher ABE and CO2": `type: "Extinguisher ABE and CO2" could be ` +
			`Portable extinguisher, powder, stored pressure or Portable extinguisher, carbon dioxide`,
	} {
		got, err := rules.Match(cell)
		if firemode.CodeOf(err) != firemode.CodeInvalid || err.Error() != want {
			t.Errorf("Match(%q) = %q, %v, want %s", cell, got.Code, err, want)
		}
	}
}

// TestTypesHangTogether: codes are unique, every rule of a type is in the catalogue, every phrase
// finds its own type, and only assets are matched.
func TestTypesHangTogether(t *testing.T) {
	set := rules.NewSet(catalogue(t))
	seen := map[string]bool{}
	kinds := map[firemode.AssetKind]int{}
	for _, at := range rules.Types() {
		if found, ok := rules.TypeByCode(at.Code); !ok || found.Name != at.Name || seen[at.Code] {
			t.Errorf("%s is not found under its code, or twice", at.Code)
		}
		seen[at.Code] = true
		kinds[at.Kind]++
		for _, code := range at.Rules {
			if _, ok := set.InForce(code); !ok {
				t.Errorf("%s: there is no rule %s", at.Code, code)
			}
		}
		for _, phrase := range at.Match {
			if found, err := rules.Match(phrase); err != nil || found.Code != at.Code {
				t.Errorf("%q finds %q, %v, want %s", phrase, found.Code, err, at.Code)
			}
		}
		if (at.Kind == firemode.KindAsset) != (len(at.Match) > 0) {
			t.Errorf("%s of kind %s has %d phrases", at.Code, at.Kind, len(at.Match))
		}
	}
	if kinds[firemode.KindAsset] != 51 || kinds[firemode.KindSystem] != 9 || kinds[firemode.KindSite] != 3 ||
		len(kinds) != 3 {
		t.Errorf("%v, want 51 kinds of asset, 9 of system, 3 of site", kinds)
	}
	if _, ok := rules.TypeByCode("extinguisher_halon"); ok {
		t.Error("an unknown code is found")
	}
}

func TestMatchNeverPanics(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		got, err := rules.Match(rapid.String().Draw(t, "cell"))
		if (err == nil) != (got.Code != "") {
			t.Fatalf("%q, %v", got.Code, err)
		}
	})
}

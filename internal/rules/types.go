package rules

import (
	_ "embed" // for the data files of this package
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/go-json-experiment/json"

	"firemode"
)

// AssetType is a kind of thing that is serviced, with the rules that apply to it.
type AssetType struct {
	Code   string // e.g. "extinguisher_powder"; of kind system "system-SK", of kind site "site-GN"
	Name   string
	Kind   firemode.AssetKind
	System string   // e.g. "FE"
	Match  []string // phrases by which a register's cell is recognised; none unless Kind is asset
	Rules  []firemode.RuleCode
}

//go:embed asset_types.json
var assetTypesJSON string

// loadTypes parses the embedded file once. The file is part of the program: a test reads it whole,
// so that it cannot fail here.
var loadTypes = sync.OnceValue(func() []AssetType {
	var file struct {
		About string `json:"about"`
		Types []struct {
			Code   string              `json:"code"`
			Name   string              `json:"name"`
			Kind   firemode.AssetKind  `json:"kind"`
			System string              `json:"system"`
			Match  []string            `json:"match"`
			Rules  []firemode.RuleCode `json:"rules"`
		} `json:"asset_types"`
	}
	if err := json.Unmarshal([]byte(assetTypesJSON), &file, json.RejectUnknownMembers(true)); err != nil {
		panic("rules: asset_types.json: " + err.Error())
	}
	types := make([]AssetType, len(file.Types))
	for i, t := range file.Types {
		types[i] = AssetType(t)
	}
	return types
})

// Types returns every asset type, in the catalogue's order. What it returns must not be changed in
// depth.
func Types() []AssetType { return slices.Clone(loadTypes()) }

// TypeByCode returns the type with that code.
func TypeByCode(code string) (t AssetType, ok bool) {
	types := loadTypes()
	i := slices.IndexFunc(types, func(t AssetType) bool { return t.Code == code })
	if i < 0 {
		return AssetType{}, false
	}
	return types[i], true
}

// Match returns the type that a cell of a register names. A phrase matches when every word of it is
// among the cell's words (lower case, punctuation dropped), and the phrase with most words wins. It
// is firemode.CodeInvalid when no type matches, or when two match equally well.
func Match(cell string) (AssetType, error) {
	have := words(cell)
	var best []AssetType
	most := 1
	for _, t := range loadTypes() {
		n := t.matchedWords(have)
		switch {
		case n > most:
			best, most = []AssetType{t}, n
		case n == most:
			best = append(best, t)
		}
	}
	switch len(best) {
	case 1:
		return best[0], nil
	case 0:
		return AssetType{}, firemode.InvalidField("type", "%q is no known type of asset", firemode.Clip(cell))
	}
	return AssetType{}, firemode.InvalidField("type", "%q could be %s or %s", firemode.Clip(cell), best[0].Name,
		best[1].Name)
}

// matchedWords returns the number of words of the type's longest phrase that is in have, 0 when
// none is.
func (t AssetType) matchedWords(have map[string]bool) int {
	most := 0
	for _, phrase := range t.Match {
		wanted := strings.Fields(phrase)
		missing := slices.ContainsFunc(wanted, func(w string) bool { return !have[w] })
		if !missing {
			most = max(most, len(wanted))
		}
	}
	return most
}

func words(cell string) map[string]bool {
	set := map[string]bool{}
	notWord := func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }
	for _, w := range strings.FieldsFunc(strings.ToLower(cell), notWord) {
		set[w] = true
	}
	return set
}

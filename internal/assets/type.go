package assets

import (
	"errors"
	"fmt"

	"firemode"
	"firemode/internal/rules"
)

// typeCell is what the type cell of a register says.
type typeCell struct {
	rules.AssetType
	byCode bool // the cell is a code, and so no description in the register's own words
}

// parseType reads a type that is written as a code or in the words of a register.
func parseType(cell string) (typeCell, error) {
	cell = oneLine(cell)
	if cell == "" {
		return typeCell{}, errors.New("the type is missing")
	}
	t, byCode := rules.TypeByCode(cell)
	if !byCode {
		var err error
		if t, err = rules.Match(cell); err != nil {
			return typeCell{}, errors.New(firstReason(err))
		}
	}
	if t.Kind != firemode.KindAsset {
		return typeCell{}, fmt.Errorf("%q is a system or a site; a register holds assets only", firemode.Clip(cell))
	}
	return typeCell{AssetType: t, byCode: byCode}, nil
}

// describe sets the type of a, and uses the words of the register, if there are any, as its
// description.
func (t typeCell) describe(a *firemode.Asset, cell string) error {
	a.Type, a.System = t.Code, t.System
	if t.byCode {
		return nil
	}
	if why := textFault(oneLine(cell), maxLine); why != "" {
		return errors.New(why)
	}
	a.Description = oneLine(cell)
	return nil
}

// firstReason returns the reason of err's first detail, or its text if it has none.
func firstReason(err error) string {
	var e *firemode.Error
	if errors.As(err, &e) && len(e.Details) > 0 {
		return e.Details[0].Reason
	}
	return err.Error()
}

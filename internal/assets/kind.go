package assets

import (
	"errors"
	"fmt"

	"firemode"
	"firemode/internal/rules"
)

// kind is what the type cell of a register says.
type kind struct {
	rules.AssetType
	byCode bool // the cell is the code, and so no description in the register's own words
}

// kindOf reads a type by code or by the words of a register.
func kindOf(cell string) (kind, error) {
	cell = line(cell)
	if cell == "" {
		return kind{}, errors.New("the type is missing")
	}
	t, byCode := rules.TypeByCode(cell)
	if !byCode {
		var err error
		if t, err = rules.Match(cell); err != nil {
			return kind{}, errors.New(reason(err))
		}
	}
	if t.Kind != firemode.KindAsset {
		return kind{}, fmt.Errorf("%q is not something that stands in a register", firemode.Clip(cell))
	}
	return kind{AssetType: t, byCode: byCode}, nil
}

// describe gives a its type, and the words of the register as its description where it has any.
func (k kind) describe(a *firemode.Asset, cell string) error {
	a.Type, a.System = k.Code, k.System
	if k.byCode {
		return nil
	}
	if why := unfit(line(cell), maxLine); why != "" {
		return errors.New(why)
	}
	a.Description = line(cell)
	return nil
}

// reason is what a field's error says of the field.
func reason(err error) string {
	var e *firemode.Error
	if errors.As(err, &e) && len(e.Details) > 0 {
		return e.Details[0].Reason
	}
	return err.Error()
}

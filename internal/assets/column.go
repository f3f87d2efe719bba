package assets

import (
	"cmp"
	"errors"
	"fmt"

	"firemode"
)

// Limits of the columns, in characters.
const (
	maxWord  = 100  // make, model, serial, barcode
	maxLine  = 200  // description, location
	maxLevel = 40   // level
	maxNotes = 2000 // notes
)

// column is one plain field of the register. It has the same name in a spreadsheet, in the API and
// in the audit log.
type column struct {
	name     string
	synonyms []string // headers of other spreadsheets, as foldWords returns them; earlier ones win
	limit    int
	read     func(string) (string, error) // returns the register's form of a cell
	at       func(*firemode.Asset) *string
	keep     bool // a blank cell is no change, instead of clearing the field
}

// columns are all plain fields, in the order of an export. The id and the type are not among them:
// see header.go.
var columns = [...]*column{
	{
		name: "description", synonyms: []string{"asset description", "item description"},
		limit: maxLine, read: text, at: func(a *firemode.Asset) *string { return &a.Description },
	},
	{
		name: "level", synonyms: []string{"floor", "storey", "story", "floor level", "level floor"},
		limit: maxLevel, read: level, at: func(a *firemode.Asset) *string { return &a.Level },
	},
	{
		name: "location", synonyms: []string{
			"asset location", "location description", "area", "room", "zone", "position", "where",
		},
		limit: maxLine, read: text, at: func(a *firemode.Asset) *string { return &a.Location },
	},
	{
		name: "make", synonyms: []string{"manufacturer", "brand", "maker"},
		limit: maxWord, read: text, at: func(a *firemode.Asset) *string { return &a.Make },
	},
	{
		name: "model", synonyms: []string{"model no", "model number", "model name"},
		limit: maxWord, read: text, at: func(a *firemode.Asset) *string { return &a.Model },
	},
	{
		name: "serial", synonyms: []string{"serial no", "serial number", "serial num", "s n", "sn"},
		limit: maxWord, read: text, at: func(a *firemode.Asset) *string { return &a.Serial },
	},
	{
		name: "manufactured", synonyms: []string{
			"manufactured date", "manufacture date", "date manufactured", "date of manufacture", "manufactured on",
			"mfg date", "dom",
		},
		limit: maxWord, read: optionalDate, at: func(a *firemode.Asset) *string { return &a.Manufactured },
	},
	{
		name: "installed", synonyms: []string{
			"installed date", "install date", "installation date", "date installed", "installed on", "commissioned",
			"in service date",
		},
		limit: maxWord, read: optionalDate, at: func(a *firemode.Asset) *string { return &a.Installed },
	},
	{
		name: "last_pressure_test", synonyms: []string{
			"last pressure test date", "pressure test", "pressure test date", "pressure tested", "last hydro test",
			"hydrostatic test", "hydro test date",
		},
		limit: maxWord, read: optionalDate, at: func(a *firemode.Asset) *string { return &a.LastPressureTest },
	},
	{
		name: "barcode", synonyms: []string{"bar code", "barcode no", "barcode number", "qr code", "qr"},
		limit: maxWord, read: text, at: func(a *firemode.Asset) *string { return &a.Barcode },
	},
	{
		name: "status", synonyms: []string{"asset status", "service status", "state"},
		limit: maxWord, read: status, at: func(a *firemode.Asset) *string { return &a.Status }, keep: true,
	},
	{
		name: "notes", synonyms: []string{"note", "comments", "comment", "remarks", "remark"},
		limit: maxNotes, read: multiline, at: func(a *firemode.Asset) *string { return &a.Notes },
	},
}

func text(s string) (string, error)      { return oneLine(s), nil }
func level(s string) (string, error)     { return Level(s), nil }
func multiline(s string) (string, error) { return paragraphs(s), nil }

func optionalDate(s string) (string, error) {
	if oneLine(s) == "" {
		return "", nil
	}
	return date(s)
}

// set writes a cell into the field of a, in the register's form. The error is for the user.
func (c *column) set(a *firemode.Asset, written string) error {
	if c.keep && oneLine(written) == "" {
		return nil
	}
	value, err := c.read(written)
	if err != nil {
		return err
	}
	if why := textFault(value, c.limit); why != "" {
		return errors.New(why)
	}
	*c.at(a) = value
	return nil
}

// copy copies the field from from to to, unless a blank is no change.
func (c *column) copy(to, from *firemode.Asset) {
	if value := *c.at(from); value != "" || !c.keep {
		*c.at(to) = value
	}
}

// differences lists the fields in which two states of an asset differ.
func differences(from, to *firemode.Asset) map[string]change {
	diff := map[string]change{}
	if from.Type != to.Type {
		diff["type"] = change{from.Type, to.Type}
	}
	for _, c := range columns {
		if old, now := *c.at(from), *c.at(to); old != now {
			diff[c.name] = change{old, now}
		}
	}
	return diff
}

// sameFields reports whether two states of an asset agree in type, system and columns. It allocates
// nothing.
func sameFields(a, b *firemode.Asset) bool {
	if a.Type != b.Type || a.System != b.System {
		return false
	}
	for _, c := range columns {
		if *c.at(a) != *c.at(b) {
			return false
		}
	}
	return true
}

// defaultStatus sets the status of an asset that has none.
func defaultStatus(a *firemode.Asset) { a.Status = cmp.Or(a.Status, firemode.AssetInService) }

// statuses are the ways in which registers write a status, as foldWords returns them.
var statuses = map[string]string{
	"in service": firemode.AssetInService, "in use": firemode.AssetInService, "active": firemode.AssetInService,
	"operational": firemode.AssetInService, "installed": firemode.AssetInService, "current": firemode.AssetInService,
	"live": firemode.AssetInService, "ok": firemode.AssetInService,

	"out of service": firemode.AssetOutOfService, "not in service": firemode.AssetOutOfService,
	"oos": firemode.AssetOutOfService, "o s": firemode.AssetOutOfService, "out of order": firemode.AssetOutOfService,
	"isolated": firemode.AssetOutOfService, "offline": firemode.AssetOutOfService,
	"inactive": firemode.AssetOutOfService, "not operational": firemode.AssetOutOfService,

	"decommissioned": firemode.AssetDecommissioned, "removed": firemode.AssetDecommissioned,
	"retired": firemode.AssetDecommissioned, "disposed": firemode.AssetDecommissioned,
	"scrapped": firemode.AssetDecommissioned, "obsolete": firemode.AssetDecommissioned,
}

// status returns the status that a register writes as s.
func status(s string) (string, error) {
	if known, ok := statuses[foldWords(s)]; ok {
		return known, nil
	}
	return "", fmt.Errorf("%q is not a status; use in service, out of service or decommissioned", oneLine(s))
}

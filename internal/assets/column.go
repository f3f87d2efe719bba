package assets

import (
	"cmp"
	"errors"

	"firemode"
)

// Bounds, in characters.
const (
	maxWord  = 100  // make, model, serial, barcode
	maxLine  = 200  // description, location
	maxLevel = 40   // level
	maxNotes = 2000 // notes
)

// column is one plain field of the register: the same in a spreadsheet, in the API and in the audit log.
type column struct {
	name     string
	synonyms []string // headers of other spreadsheets, as words gives them, the surest first
	limit    int
	read     func(string) (string, error) // the one way in which the register keeps what was written
	at       func(*firemode.Asset) *string
	keep     bool // nothing written means no change, rather than "unknown"
}

// columns are all plain fields in the order in which they are exported. The id and the type are not plain: see header.go.
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
		name: "location", synonyms: []string{"asset location", "location description", "area", "room", "zone", "position", "where"},
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
		name: "manufactured", synonyms: []string{"manufactured date", "manufacture date", "date manufactured", "date of manufacture", "manufactured on", "mfg date", "dom"},
		limit: maxWord, read: optionalDate, at: func(a *firemode.Asset) *string { return &a.Manufactured },
	},
	{
		name: "installed", synonyms: []string{"installed date", "install date", "installation date", "date installed", "installed on", "commissioned", "in service date"},
		limit: maxWord, read: optionalDate, at: func(a *firemode.Asset) *string { return &a.Installed },
	},
	{
		name: "last_pressure_test", synonyms: []string{"last pressure test date", "pressure test", "pressure test date", "pressure tested", "last hydro test", "hydrostatic test", "hydro test date"},
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

func text(s string) (string, error)      { return line(s), nil }
func level(s string) (string, error)     { return Level(s), nil }
func multiline(s string) (string, error) { return paragraphs(s), nil }

func optionalDate(s string) (string, error) {
	if line(s) == "" {
		return "", nil
	}
	return date(s)
}

// set writes what was written into a's field, in the register's own form; the error says in plain words why it cannot.
func (c *column) set(a *firemode.Asset, written string) error {
	if c.keep && line(written) == "" {
		return nil
	}
	value, err := c.read(written)
	if err != nil {
		return err
	}
	if why := unfit(value, c.limit); why != "" {
		return errors.New(why)
	}
	*c.at(a) = value
	return nil
}

// copy gives to the field what from has in it.
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

// same reports whether two states of an asset agree in the fields that differences looks at, without building the list.
func same(a, b *firemode.Asset) bool {
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

// inService fills in the status of an asset that came without one.
func inService(a *firemode.Asset) { a.Status = cmp.Or(a.Status, firemode.AssetInService) }

package main

import (
	"context"
	"fmt"

	"firemode"
	"firemode/internal/app"
	"firemode/internal/assets"
	"firemode/internal/identity"
)

type assetsCommand struct {
	Import assetsImport `cmd:"" help:"Import a building's asset register from CSV."`
}

type assetsImport struct {
	File     string              `arg:"" help:"Asset register (CSV); - for the standard input."`
	Org      firemode.OrgID      `required:"" placeholder:"ID" help:"Organisation of the building."`
	Building firemode.BuildingID `required:"" placeholder:"ID" help:"Building of the assets."`
	DryRun   bool                `help:"Print the report without changing anything."`
}

func (assetsImport) Help() string {
	return `The command finds columns by their headings, in many spellings. Invalid rows are reported; the rest are
imported. Importing the same file twice changes nothing. Examples:

    firemode assets import --org acme --building tower --dry-run register.csv
    firemode assets import --org acme --building tower register.csv`
}

// Run imports the file and prints a report.
func (c assetsImport) Run(ctx context.Context, p *program) error {
	file, err := p.open(c.File)
	if err != nil {
		return err
	}
	defer file.Close()
	return p.use(ctx, func(s *app.Services) error {
		report, err := s.Assets.Import(identity.AsOperator(ctx, c.Org), c.Building, file, c.DryRun)
		if err != nil {
			return err
		}
		return p.importReport(report)
	})
}

func (p *program) importReport(r assets.Report) error {
	_, err := fmt.Fprintf(p.stdout, "created %d, updated %d, unchanged %d, rejected %d\n",
		r.Created, r.Updated, r.Unchanged, len(r.Rejected)+r.Omitted)
	if err != nil || len(r.Rejected) == 0 {
		return err
	}
	rows := [][]string{{"LINE", "ASSET", "REASON"}}
	for _, rejected := range r.Rejected {
		rows = append(rows, []string{fmt.Sprint(rejected.Line), rejected.AssetID, rejected.Reason})
	}
	return p.table(rows)
}

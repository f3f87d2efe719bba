package main

import (
	"context"
	"fmt"
	"time"

	"firemode"
	"firemode/internal/app"
)

type orgCommand struct {
	Add  orgAdd  `cmd:"" help:"Add an organisation."`
	List orgList `cmd:"" help:"List the organisations."`
}

type orgAdd struct {
	ID   firemode.OrgID `arg:"" help:"Short and permanent: 1 to 64 letters, digits, _ or -."`
	Name string         `arg:"" help:"Display name."`
}

func (orgAdd) Help() string {
	return `An organisation is a tenant: its data is invisible to other organisations. It starts empty; add an
administrator next. Examples:

    firemode org add acme "Acme Fire Services"
    firemode user add --org acme --role admin jo@acme.example`
}

// Run adds the organisation.
func (c orgAdd) Run(ctx context.Context, p *program) error {
	return p.use(ctx, func(s *app.Services) error {
		if err := s.Identity.AddOrganisation(ctx, c.ID, c.Name); err != nil {
			return err
		}
		_, err := fmt.Fprintf(p.stdout, "Created organisation %s\n", c.ID)
		return err
	})
}

type orgList struct{}

func (orgList) Help() string {
	return `Example:

    firemode org list`
}

// Run prints one line per organisation.
func (orgList) Run(ctx context.Context, p *program) error {
	return p.use(ctx, func(s *app.Services) error {
		all, err := s.Identity.Organisations(ctx)
		if err != nil {
			return err
		}
		rows := [][]string{{"ID", "NAME", "CREATED"}}
		for _, o := range all {
			rows = append(rows, []string{string(o.ID), o.Name, o.CreatedAt.Format(time.RFC3339)})
		}
		return p.table(rows)
	})
}

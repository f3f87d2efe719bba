package main

import (
	"context"
	"fmt"

	"firemode"
	"firemode/internal/app"
	"firemode/internal/identity"
	"firemode/internal/store"
)

type userCommand struct {
	Add     userAdd     `cmd:"" help:"Add a user to an organisation."`
	List    userList    `cmd:"" help:"List the users of an organisation."`
	Disable userDisable `cmd:"" help:"Disable a user immediately."`
}

type userAdd struct {
	Username     string         `arg:"" help:"Login name; unique across all organisations."`
	Org          firemode.OrgID `required:"" placeholder:"ID" help:"Organisation of the user."`
	Role         firemode.Role  `required:"" enum:"${roles}" placeholder:"ROLE" help:"${help_role_of_user}"`
	Name         string         `placeholder:"NAME" help:"Full name."`
	PasswordFile string         `xor:"password" placeholder:"FILE" help:"Read the password from FILE, first line."`
	Generate     bool           `xor:"password" help:"Generate a password and print it."`
}

func (userAdd) Help() string {
	return `The command prompts for the password, or reads it from the first line of the standard input. It is never a
flag, which other users of the machine could see. Examples:

    firemode user add --org acme --role admin jo@acme.example
    firemode user add --org acme --role technician --name "Sam Lee" --generate sam@acme.example
    firemode user add --org acme --role owner --password-file /run/secrets/owner owner@tower.example`
}

// Run adds the user.
func (c userAdd) Run(ctx context.Context, p *program) error {
	password, err := p.password(c.Generate, c.PasswordFile)
	if err != nil {
		return err
	}
	return p.use(ctx, func(s *app.Services) error {
		n := identity.NewUser{Username: c.Username, FullName: c.Name, Role: c.Role, Password: password}
		if n.FullName == "" {
			n.FullName = c.Username
		}
		u, err := s.Identity.CreateUser(identity.AsOperator(ctx, c.Org), n)
		if err != nil {
			return err
		}
		if _, err = fmt.Fprintf(p.stdout, "Created user %s with id %s\n", u.Username, u.ID); err == nil && c.Generate {
			_, err = fmt.Fprintf(p.stdout, "password: %s\n", password)
		}
		return err
	})
}

type userList struct {
	Org firemode.OrgID `required:"" placeholder:"ID" help:"Organisation of the users."`
}

func (userList) Help() string {
	return `Example:

    firemode user list --org acme`
}

// Run prints one line per user.
func (c userList) Run(ctx context.Context, p *program) error {
	return p.use(ctx, func(s *app.Services) error {
		rows := [][]string{{"USERNAME", "NAME", "ROLE", "STATUS", "ID"}}
		for page := (store.Page{Limit: 100}); ; {
			users, err := s.Identity.Users(identity.AsOperator(ctx, c.Org), page)
			if err != nil {
				return err
			}
			if len(users) == 0 {
				return p.table(rows)
			}
			for _, keyed := range users {
				u, status := keyed.Row, "enabled"
				if u.Disabled {
					status = "disabled"
				}
				rows = append(rows, []string{u.Username, u.FullName, string(u.Role), status, string(u.ID)})
				page.After = keyed.Key
			}
		}
	})
}

type userDisable struct {
	Username string `arg:"" help:"Login name of the user."`
}

func (userDisable) Help() string {
	return `Every token of the user is revoked within a second. Recorded results stay. Example:

    firemode user disable sam@acme.example`
}

// Run disables the user.
func (c userDisable) Run(ctx context.Context, p *program) error {
	return p.use(ctx, func(s *app.Services) error {
		u, err := s.Identity.DisableUser(ctx, c.Username)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.stdout, "Disabled user %s\n", u.Username)
		return err
	})
}

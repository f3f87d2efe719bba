package main

import (
	"context"
	"fmt"

	"firemode/internal/app"
)

type tokenCommand struct {
	User string `required:"" placeholder:"NAME" help:"Whose token: the username."`
}

func (tokenCommand) Help() string {
	return `The token is good for 15 minutes and is made with the keys of this installation, so no password is asked for; the audit log
keeps that it was made. Examples:

    firemode token --user tech1@demo
    curl -H "Authorization: Bearer $(firemode token --user tech1@demo)" http://localhost:8080/v1/users/me`
}

// Run prints the token alone, so that a script can take it.
func (c tokenCommand) Run(ctx context.Context, p *program) error {
	return p.use(ctx, func(s *app.Services) error {
		token, err := s.Identity.AccessToken(ctx, c.User)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(p.stdout, token)
		return err
	})
}

package main

import (
	"context"
	"fmt"

	"firemode/internal/app"
)

type tokenCommand struct {
	User string `required:"" placeholder:"NAME" help:"Login name of the user."`
}

func (tokenCommand) Help() string {
	return `The token is valid for 15 minutes. It is signed with the keys of this installation, so the command needs
no password; the audit log records it. Examples:

    firemode token --user tech1@demo
    curl -H "Authorization: Bearer $(firemode token --user tech1@demo)" http://localhost:8080/v1/users/me`
}

// Run prints the token and nothing else, for scripts.
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

package app

import (
	"context"
	"fmt"

	"firemode/internal/seed"
)

// FillDemo puts the demo data into an empty database; a database with other data stays as it is. progress gets a line for each step.
func (s *Services) FillDemo(ctx context.Context, progress func(line string)) error {
	to := seed.Services{Auth: s.Identity, Catalogue: s.Catalogue, Buildings: s.Assets, Sessions: s.Sessions}
	if err := seed.Demo(ctx, to, progress); err != nil {
		return fmt.Errorf("demo data: %w", err)
	}
	return nil
}

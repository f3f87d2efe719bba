package main

import (
	"errors"
	"io"

	"github.com/alecthomas/kong"
)

// cli is the command line: the flags that every command takes, and the commands.
type cli struct {
	Config  string `placeholder:"FILE" help:"Configuration file (YAML); also FIREMODE_CONFIG."`
	Storage `group:"Storage"`

	Serve   serveCommand       `cmd:"" help:"Serve the API."`
	Demo    demoCommand        `cmd:"" help:"Serve the API with demo data and known passwords."`
	Migrate migrateCommand     `cmd:"" help:"Migrate the database to the schema of this binary."`
	Org     orgCommand         `cmd:"" help:"Add and list organisations."`
	User    userCommand        `cmd:"" help:"Add, list and disable users."`
	Rules   rulesCommand       `cmd:"" help:"Import and list rules."`
	Assets  assetsCommand      `cmd:"" help:"Import an asset register."`
	Verify  verifyCommand      `cmd:"" help:"Recompute all data from the logs and report differences."`
	Backup  backupCommand      `cmd:"" help:"Back up the data folder to one file; a server may be running."`
	Restore restoreCommand     `cmd:"" help:"Restore a backup into an empty data folder."`
	Proof   verifyProofCommand `cmd:"" name:"verify-proof" help:"Check the proof of one reading with the public key."`
	History historyKeyCommand  `cmd:"" name:"history-key" help:"Print the public key that verifies signatures."`
	Token   tokenCommand       `cmd:"" help:"Print a bearer token for scripts."`
	Load    loadtestCommand    `cmd:"" name:"loadtest" help:"Load-test a server, and check it against the limits."`
	Show    configCommand      `cmd:"" name:"config" help:"Show the effective configuration and its origins."`
	Version versionCommand     `cmd:"" help:"Show the version of this binary."`
}

const description = `FireMode keeps the records of fire protection routine service (AS 1851): what was tested, what was
found, and how it was classified.

Every setting is a flag, an environment variable and a key of the configuration file, in this order of precedence:
--db-url, FIREMODE_DB_URL, db-url. A secret can also be read from a file that the environment names
(FIREMODE_DB_URL_FILE). Try "firemode demo" first; "firemode COMMAND --help" shows examples.`

// usageError is an invalid command line.
type usageError struct {
	command string // the part that was understood, e.g. "firemode user add"
	err     error
}

func (e *usageError) Error() string {
	return e.err.Error() + "; \"" + e.command + " --help\" explains"
}

func (e *usageError) Unwrap() error { return e.err }

// usageOf returns a parse error with the name of the command whose help explains it.
func usageOf(err *kong.ParseError) error {
	command := "firemode"
	if chosen := err.Context.Selected(); chosen != nil {
		command = chosen.FullPath()
	}
	return &usageError{command, err}
}

// parse reads the command line, the environment and the configuration file. If it has printed help,
// it returns nil and no error.
func parse(args, env []string, stdout, stderr io.Writer) (*cli, *kong.Context, *settings, error) {
	values, err := newSettings(env)
	if err != nil {
		return nil, nil, nil, err
	}
	root, helped := &cli{}, false
	parser, err := kong.New(root,
		kong.Name("firemode"), kong.Description(description), kong.Writers(stdout, stderr), helpTexts(),
		kong.WithBeforeResolve(values.load), kong.Resolvers(values),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 120}),
		kong.Exit(func(int) { helped = true }))
	if err != nil {
		return nil, nil, nil, err
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, err := parser.Parse(args)
	if helped {
		return nil, nil, nil, nil
	}
	var bad *kong.ParseError
	if errors.As(err, &bad) {
		return nil, nil, nil, usageOf(bad)
	}
	return root, parsed, values, err
}

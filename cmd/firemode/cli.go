package main

import (
	"errors"
	"io"

	"github.com/alecthomas/kong"
)

// cli is the command line: the flags that every command takes, and the commands.
type cli struct {
	Config string `placeholder:"FILE" help:"Configuration file (YAML); also FIREMODE_CONFIG."`
	Storage

	Serve   serveCommand       `cmd:"" help:"Serve the API."`
	Demo    demoCommand        `cmd:"" help:"Serve the API with demo data and known passwords."`
	Migrate migrateCommand     `cmd:"" help:"Bring the database to the schema of this binary."`
	Org     orgCommand         `cmd:"" help:"Add and list organisations."`
	User    userCommand        `cmd:"" help:"Add, list and disable users."`
	Rules   rulesCommand       `cmd:"" help:"Import and list rules."`
	Assets  assetsCommand      `cmd:"" help:"Import an asset register."`
	Verify  verifyCommand      `cmd:"" help:"Recompute everything from the logs and name what differs."`
	Backup  backupCommand      `cmd:"" help:"Copy the data folder into one file, while a server may be running."`
	Restore restoreCommand     `cmd:"" help:"Take a backup out into an empty data folder."`
	Proof   verifyProofCommand `cmd:"" name:"verify-proof" help:"Check the proof of one reading, with the public key alone."`
	History historyKeyCommand  `cmd:"" name:"history-key" help:"Print the public key that checks what is signed here."`
	Token   tokenCommand       `cmd:"" help:"Print a bearer token for scripts."`
	Load    loadtestCommand    `cmd:"" name:"loadtest" help:"Put the load of many users on a server, and judge how it stood it."`
	Show    configCommand      `cmd:"" name:"config" help:"Show the effective configuration and where each value is from."`
	Version versionCommand     `cmd:"" help:"Show the version of this binary."`
}

const description = `FireMode keeps the records of fire protection routine service (AS 1851): what was tested, what was found, and how it
was judged.

Every setting is a flag, an environment variable and a key of the configuration file, in this order of precedence:
--db-url, FIREMODE_DB_URL, db-url. A secret can also be read from a file that the environment names
(FIREMODE_DB_URL_FILE). Try "firemode demo" first; "firemode COMMAND --help" shows examples.`

// usageError is a command line that makes no sense.
type usageError struct {
	command string // as far as it was understood, e.g. "firemode user add"
	err     error
}

func (e *usageError) Error() string {
	return e.err.Error() + "; \"" + e.command + " --help\" explains"
}

func (e *usageError) Unwrap() error { return e.err }

// usageOf returns what is wrong with the command line, and names the command whose help to read.
func usageOf(err *kong.ParseError) error {
	command := "firemode"
	if chosen := err.Context.Selected(); chosen != nil {
		command = chosen.FullPath()
	}
	return &usageError{command, err}
}

// parse reads the command line, the environment and the configuration file. It returns nil and no error if it has already
// given the answer, which is help.
func parse(args, env []string, stdout, stderr io.Writer) (*cli, *kong.Context, *settings, error) {
	values, err := newSettings(env)
	if err != nil {
		return nil, nil, nil, err
	}
	root, helped := &cli{}, false
	parser, err := kong.New(root,
		kong.Name("firemode"), kong.Description(description), kong.Writers(stdout, stderr), kong.WithBeforeResolve(values.load), kong.Resolvers(values),
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

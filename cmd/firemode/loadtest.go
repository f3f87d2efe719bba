package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"firemode"
	"firemode/internal/loadtest"
	"firemode/internal/seed"
)

type loadtestCommand struct {
	Target      string        `default:"http://localhost:8080" placeholder:"URL" help:"Server to test (${default})."`
	AllowRemote bool          `help:"Let the target be another machine than this one."`
	Users       int           `default:"500" placeholder:"N" help:"Virtual users, each with a connection of its own (${default})."`
	SpawnRate   float64       `default:"50" placeholder:"N" help:"Users that begin each second (${default})."`
	Duration    time.Duration `default:"2m" placeholder:"DURATION" help:"How long requests are begun, the ramp included (${default})."`
	Rate        float64       `placeholder:"N" help:"Begin N requests per second whatever the server does, over the connections of --users, in place of users who think."`
	Saturate    bool          `help:"Climb from --rate (200) until the p95 breaks, and report the last rate that held."`
	Step        time.Duration `default:"10s" placeholder:"DURATION" help:"How long --saturate holds each rate (${default})."`
	Devices     float64       `placeholder:"SHARE" help:"Share of the users, 0 to 1, who submit as devices that number their batches."`
	Session     string        `default:"123" placeholder:"ID" help:"Session to submit results to (${default})."`
	ItemCode    string        `default:"AS1851-2012-FE-01" placeholder:"CODE" help:"Rule to classify by (${default})."`
	Condition   string        `default:"pressure_low" placeholder:"NAME" help:"Condition to classify (${default})."`
	P95Limit    time.Duration `name:"p95-limit" default:"300ms" placeholder:"DURATION" help:"The most that the p95 of classify may be (${default})."`
	Timeout     time.Duration `default:"30s" placeholder:"DURATION" help:"How long a request may take until it counts as failed (${default})."`

	Accounts     string `placeholder:"FILE" help:"Who logs in: a username and a password, with a space in between, on each line."`
	User         string `placeholder:"NAME" help:"Who logs in, with --password-file, in place of --accounts."`
	PasswordFile string `placeholder:"FILE" help:"File that holds the password of --user."`

	JSON   string `name:"json" placeholder:"FILE" help:"Write everything that was measured."`
	Report string `placeholder:"FILE" help:"Write a page (HTML) with charts."`
	Quiet  bool   `help:"No line of progress each second."`
}

func (loadtestCommand) Help() string {
	return `Of 17 requests 10 classify, 5 submit results and 2 fetch the offline bundle. At the end everything that the server acknowledged is read
back from the log. It exits 0 if every requirement was met, and leaves what it wrote in the session, at the path /test. When the target is
this machine and nobody is named, the users of "firemode demo" log in. Examples:

    firemode loadtest
    firemode loadtest --users 50 --duration 20s --devices 0.2 --report report.html
    firemode loadtest --rate 1000 --duration 1m --json result.json
    firemode loadtest --saturate --rate 500
    firemode loadtest --target https://staging.example.com --allow-remote --accounts accounts.txt --session visit-7`
}

var errMissed = errors.New("the load test did not pass")

// saturateFrom is the first rate of --saturate unless --rate says otherwise.
const saturateFrom = 200

// Run makes the load, and prints the verdict.
func (c loadtestCommand) Run(ctx context.Context, p *program) error {
	accounts, err := c.accounts()
	if err != nil {
		return err
	}
	config := loadtest.Config{
		Target: c.Target, AllowRemote: c.AllowRemote, Accounts: accounts, Users: c.Users, SpawnRate: c.SpawnRate, Duration: c.Duration,
		Rate: c.Rate, Saturate: c.Saturate, Step: c.Step, Devices: c.Devices, Session: firemode.SessionID(c.Session),
		Item: firemode.RuleCode(c.ItemCode), Condition: c.Condition, P95: c.P95Limit, Timeout: c.Timeout,
		Run: "load-" + strings.ToLower(rand.Text()[:10]), Seed: 1, Now: p.now,
	}
	if c.Saturate && c.Rate == 0 {
		config.Rate = saturateFrom
	}
	if !c.Quiet {
		config.Progress = func(s loadtest.Second) { fmt.Fprintln(p.stderr, s.Line()) }
	}
	report, err := loadtest.Run(ctx, config)
	if err != nil {
		return err
	}
	if err := c.write(report, p.stdout); err != nil {
		return err
	}
	if !report.Passed {
		return errMissed
	}
	return nil
}

// write puts the report where it was asked for; the verdict comes last.
func (c loadtestCommand) write(r loadtest.Report, stdout io.Writer) error {
	return errors.Join(writeFile(c.JSON, r.WriteJSON), writeFile(c.Report, r.WriteHTML), r.WriteText(stdout))
}

// writeFile makes a file, unless its name is empty.
func writeFile(name string, write func(io.Writer) error) error {
	if name == "" {
		return nil
	}
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(write(file), file.Close())
}

// accounts returns who logs in.
func (c loadtestCommand) accounts() ([]loadtest.Account, error) {
	switch {
	case c.Accounts != "" && c.User != "":
		return nil, errors.New("--accounts and --user both say who logs in: give one")
	case c.Accounts != "":
		return readAccounts(c.Accounts)
	case c.User != "" && c.PasswordFile == "":
		return nil, errors.New("--user needs --password-file")
	case c.User != "":
		password, err := os.ReadFile(c.PasswordFile)
		return []loadtest.Account{{Username: c.User, Password: strings.TrimRight(string(password), "\r\n")}}, err
	case !loadtest.IsLoopback(c.Target):
		return nil, errors.New("say who logs in, with --accounts, or --user and --password-file")
	}
	var demo []loadtest.Account
	for _, name := range []string{"tech1@demo", "tech2@demo", "engineer@demo"} {
		demo = append(demo, loadtest.Account{Username: name, Password: seed.Password})
	}
	return demo, nil
}

// readAccounts reads lines of a username, a space and a password; empty ones and those that begin with # are skipped.
func readAccounts(name string) ([]loadtest.Account, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var list []loadtest.Account
	lines := bufio.NewScanner(file)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimRight(lines.Text(), "\r")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		username, password, ok := strings.Cut(line, " ")
		if !ok {
			return nil, fmt.Errorf("%s:%d: want a username, a space and a password", name, n)
		}
		list = append(list, loadtest.Account{Username: username, Password: password})
	}
	return list, lines.Err()
}

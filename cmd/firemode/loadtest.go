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
	AllowRemote bool          `help:"Allow a target on another machine."`
	Users       int           `default:"500" placeholder:"N" help:"${help_load_users} (${default})."`
	SpawnRate   float64       `default:"50" placeholder:"N" help:"Users that start each second (${default})."`
	Duration    time.Duration `default:"2m" placeholder:"DURATION" help:"${help_load_duration} (${default})."`
	Rate        float64       `placeholder:"N" help:"${help_load_rate}"`
	Saturate    bool          `help:"${help_load_saturate}"`
	Step        time.Duration `default:"10s" placeholder:"DURATION" help:"Time per rate with --saturate (${default})."`
	Devices     float64       `placeholder:"SHARE" help:"${help_load_devices}"`
	Session     string        `default:"123" placeholder:"ID" help:"Session to submit results to (${default})."`
	ItemCode    string        `default:"AS1851-2012-FE-01" placeholder:"CODE" help:"Rule to classify by (${default})."`
	Condition   string        `default:"pressure_low" placeholder:"NAME" help:"Condition to classify (${default})."`
	P95Limit    time.Duration `name:"p95-limit" default:"300ms" placeholder:"DURATION" help:"Limit for p95 of classify (${default})."`
	Timeout     time.Duration `default:"30s" placeholder:"DURATION" help:"${help_load_timeout} (${default})."`

	Accounts     string `placeholder:"FILE" help:"${help_load_accounts}"`
	User         string `placeholder:"NAME" help:"User that logs in, with --password-file, instead of --accounts."`
	PasswordFile string `placeholder:"FILE" help:"File with the password of --user."`

	JSON   string `name:"json" placeholder:"FILE" help:"Write all measurements."`
	Report string `placeholder:"FILE" help:"Write an HTML page with charts."`
	Quiet  bool   `help:"Print no progress."`
}

func (loadtestCommand) Help() string {
	return `Of 17 requests, 10 classify, 5 submit results and 2 fetch the offline bundle. At the end the test reads
every acknowledged change back from the log. It exits 0 if every requirement is met. Its changes stay in the session,
at the path /test. If the target is this machine and no user is named, the users of "firemode demo" log in. Examples:

    firemode loadtest
    firemode loadtest --users 50 --duration 20s --devices 0.2 --report report.html
    firemode loadtest --rate 1000 --duration 1m --json result.json
    firemode loadtest --saturate --rate 500
    firemode loadtest --target https://staging.example.com --allow-remote --accounts accounts.txt --session visit-7`
}

var errMissed = errors.New("the load test did not pass")

// saturateFrom is the first rate of --saturate unless --rate says otherwise.
const saturateFrom = 200

// Run runs the load test and prints the verdict.
func (c loadtestCommand) Run(ctx context.Context, p *program) error {
	accounts, err := c.accounts()
	if err != nil {
		return err
	}
	config := loadtest.Config{
		Target: c.Target, AllowRemote: c.AllowRemote, Accounts: accounts,
		Users: c.Users, SpawnRate: c.SpawnRate, Duration: c.Duration,
		Rate: c.Rate, Saturate: c.Saturate, Step: c.Step, Devices: c.Devices,
		Session: firemode.SessionID(c.Session), Item: firemode.RuleCode(c.ItemCode), Condition: c.Condition,
		P95: c.P95Limit, Timeout: c.Timeout,
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

// write writes the requested reports; the verdict comes last.
func (c loadtestCommand) write(r loadtest.Report, stdout io.Writer) error {
	return errors.Join(writeFile(c.JSON, r.WriteJSON), writeFile(c.Report, r.WriteHTML), r.WriteText(stdout))
}

// writeFile creates a file, unless its name is empty.
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

// accounts returns the users that log in.
func (c loadtestCommand) accounts() ([]loadtest.Account, error) {
	switch {
	case c.Accounts != "" && c.User != "":
		return nil, errors.New("--accounts and --user are alternatives: give one")
	case c.Accounts != "":
		return readAccounts(c.Accounts)
	case c.User != "" && c.PasswordFile == "":
		return nil, errors.New("--user needs --password-file")
	case c.User != "":
		password, err := os.ReadFile(c.PasswordFile)
		return []loadtest.Account{{Username: c.User, Password: strings.TrimRight(string(password), "\r\n")}}, err
	case !loadtest.IsLoopback(c.Target):
		return nil, errors.New("name the users that log in, with --accounts, or --user and --password-file")
	}
	var demo []loadtest.Account
	for _, name := range []string{"tech1@demo", "tech2@demo", "engineer@demo"} {
		demo = append(demo, loadtest.Account{Username: name, Password: seed.Password})
	}
	return demo, nil
}

// readAccounts reads lines of a username, a space and a password. Empty lines and lines that begin
// with # are ignored.
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

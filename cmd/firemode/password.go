package main

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// password returns a new password: generated, from a file, from a prompt on a terminal, or from the
// first line of the standard input.
func (p *program) password(generate bool, file string) (string, error) {
	switch {
	case generate:
		return rand.Text(), nil
	case file != "":
		content, err := os.Open(file)
		if err != nil {
			return "", fmt.Errorf("password file: %w", err)
		}
		defer content.Close()
		return firstLine(content)
	}
	if terminal, ok := p.stdin.(*os.File); ok && term.IsTerminal(int(terminal.Fd())) {
		return p.askPassword(terminal)
	}
	return firstLine(p.stdin)
}

func firstLine(r io.Reader) (string, error) {
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return "", errors.New("no password: give one on the standard input or with --password-file, or use --generate")
	}
	return line, nil
}

// askPassword prompts twice without echo.
func (p *program) askPassword(terminal *os.File) (string, error) {
	var answers [2]string
	for i, question := range []string{"Password: ", "Repeat password: "} {
		fmt.Fprint(p.stderr, question)
		typed, err := term.ReadPassword(int(terminal.Fd()))
		fmt.Fprintln(p.stderr)
		if err != nil {
			return "", err
		}
		answers[i] = string(typed)
	}
	if answers[0] != answers[1] {
		return "", errors.New("the passwords differ")
	}
	return answers[0], nil
}

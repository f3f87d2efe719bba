package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"
)

// settings resolves flags that are not on the command line, from the environment or else from the
// configuration file. Only the flags of Config are settings; all other flags come from the command
// line alone.
type settings struct {
	env     map[string]string
	names   []string // of the flags of Config
	secrets []string // settings that can also be read from a file
	origins map[string]string

	path string // of the configuration file, "" for none
	file map[string]string
}

func newSettings(env []string) (*settings, error) {
	s := &settings{env: map[string]string{}, origins: map[string]string{}}
	for _, entry := range env {
		name, value, _ := strings.Cut(entry, "=")
		s.env[name] = value
	}
	model, err := kong.New(&Config{}, kong.NoDefaultHelp(), helpTexts())
	if err != nil {
		return nil, err
	}
	for _, f := range model.Model.Flags {
		s.names = append(s.names, f.Name)
		if f.Tag.Has("secret") {
			s.secrets = append(s.secrets, f.Name)
		}
	}
	return s, nil
}

// Validate is part of kong.Resolver.
func (s *settings) Validate(*kong.Application) error { return nil }

// Resolve is part of kong.Resolver: kong asks it for every flag that is not on the command line.
func (s *settings) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if !slices.Contains(s.names, flag.Name) {
		return nil, nil //nolint:nilnil // a resolver without a value returns nil
	}
	value, origin, err := s.find(flag.Name)
	if err != nil || origin == "" {
		return nil, err
	}
	s.origins[flag.Name] = origin
	return value, nil
}

// find returns the value of a setting and its origin, which is "" if the setting is set nowhere.
func (s *settings) find(name string) (value, origin string, err error) {
	variable := variableOf(name)
	value, origin, err = s.either(name, s.env[variable], s.env[variable+"_FILE"], "environment "+variable)
	if err != nil || origin != "" {
		return value, origin, err
	}
	return s.either(name, s.file[name], s.file[name+"-file"], s.path)
}

// either returns the value or, for a secret, the content of the file that holds it. An empty value
// counts as unset.
func (s *settings) either(name, value, file, origin string) (string, string, error) {
	if !slices.Contains(s.secrets, name) {
		file = ""
	}
	switch {
	case value != "" && file != "":
		return "", "", fmt.Errorf("%s has both a value and the name of a file that holds it: give one", origin)
	case file != "":
		content, err := os.ReadFile(file)
		if err != nil {
			return "", "", err
		}
		return strings.TrimRight(string(content), "\r\n"), origin + " (from a file)", nil
	case value != "":
		return value, origin, nil
	}
	return "", "", nil
}

// load reads the configuration file, if one is set. kong calls it after it has parsed the command
// line.
func (s *settings) load(ctx *kong.Context) error {
	s.path = s.env["FIREMODE_CONFIG"]
	for _, flag := range ctx.Flags() {
		if given, ok := ctx.FlagValue(flag).(string); ok && flag.Name == "config" && given != "" {
			s.path = given
		}
	}
	if s.path == "" {
		return nil
	}
	content, err := os.ReadFile(s.path)
	if err != nil {
		return fmt.Errorf("configuration file: %w", err)
	}
	s.file, err = s.decode(content)
	if err != nil {
		return fmt.Errorf("configuration file %s: %w", s.path, err)
	}
	return nil
}

// decode reads a flat YAML mapping. Unknown keys are an error.
func (s *settings) decode(content []byte) (map[string]string, error) {
	values := map[string]string{}
	if err := yaml.Unmarshal(content, &values); err != nil {
		return nil, err
	}
	for key := range values {
		secret, isFile := strings.CutSuffix(key, "-file")
		if !slices.Contains(s.names, key) && (!isFile || !slices.Contains(s.secrets, secret)) {
			return nil, fmt.Errorf("%q is not a setting; the settings are %s", key, strings.Join(s.names, ", "))
		}
	}
	return values, nil
}

// variableOf returns the environment variable of a setting.
func variableOf(name string) string {
	return "FIREMODE_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

var _ kong.Resolver = (*settings)(nil)

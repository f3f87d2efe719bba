package arch

import (
	"bufio"
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	gopackages "golang.org/x/tools/go/packages"
)

// Limits of size. A package that a newcomer reads in a quarter of an hour is under them.
const (
	maxFiles   = 20
	maxLines   = 2200
	maxMethods = 10
	maxColumns = 120
)

// unlimited are the packages that may have more files and lines, each with the reason.
func unlimited() map[string]string {
	const engine = "a file for each noun, and every noun is here"
	return map[string]string{
		"firemode/cmd/firemode":             "a file for each subcommand",
		"firemode/client":                   "an importer wants one package; a file for each noun of the API",
		"firemode/internal/store":           engine,
		"firemode/internal/store/row":       engine,
		"firemode/internal/record/merge":    "one algorithm, explained where it stands; its three phases are still to be drawn apart",
		"firemode/internal/store/sqlite":    engine,
		"firemode/internal/store/postgres":  engine,
		"firemode/internal/store/storetest": engine,
		"firemode/internal/httpapi":         engine,
		"firemode/internal/httpkit":         "all of HTTP but the nouns, so that handlers stay small",
	}
}

func TestPackages_FilesAndLines_AreLimited(t *testing.T) {
	for _, p := range loaded(t) {
		if unlimited()[p.PkgPath] != "" {
			continue
		}
		lines := 0
		for _, f := range p.Syntax {
			lines += p.Fset.File(f.Pos()).LineCount()
		}
		if len(p.Syntax) > maxFiles || lines > maxLines {
			t.Errorf("%s has %d files with %d lines; the limits are %d and %d: it wants to be several packages",
				p.PkgPath, len(p.Syntax), lines, maxFiles, maxLines)
		}
	}
}

func TestInterfaces_Methods_AreLimited(t *testing.T) {
	for _, p := range loaded(t) {
		for _, name := range p.Types.Scope().Names() {
			tn, ok := p.Types.Scope().Lookup(name).(*types.TypeName)
			if !ok || tn.IsAlias() {
				continue
			}
			if i, ok := tn.Type().Underlying().(*types.Interface); ok && i.NumMethods() > maxMethods {
				t.Errorf("%s: interface %s has %d methods, more than %d: declare what each consumer needs",
					p.Fset.Position(tn.Pos()), name, i.NumMethods(), maxMethods)
			}
		}
	}
}

func TestStructs_HoldNoContext(t *testing.T) {
	for _, p := range loaded(t) {
		for _, f := range p.Syntax {
			ast.Inspect(f, func(n ast.Node) bool {
				s, ok := n.(*ast.StructType)
				if !ok {
					return true
				}
				for _, field := range s.Fields.List {
					if t2 := p.TypesInfo.TypeOf(field.Type); t2 != nil && t2.String() == "context.Context" &&
						!mayHoldContext(p, field) {
						t.Errorf("%s: a struct holds a context.Context; pass it as the first parameter", p.Fset.Position(field.Pos()))
					}
				}
				return true
			})
		}
	}
}

// mayHoldContext reports whether a package has a reason to keep contexts in a struct.
func mayHoldContext(p *gopackages.Package, _ *ast.Field) bool {
	_, may := contextHolders()[p.PkgPath]
	return may
}

// contextHolders are the packages that may keep a context in a struct, each with the reason.
func contextHolders() map[string]string {
	return map[string]string{
		"firemode/internal/groupcommit": "a call that waits in a channel travels with the context of its caller",
	}
}

func TestLines_Columns_AreLimited(t *testing.T) {
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && slices.Contains([]string{".git", ".tools", "node_modules", "bin", "data", "dist"}, d.Name()) {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") {
			return nil
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		text := literals(t, path, source)
		lines := bufio.NewScanner(bytes.NewReader(source))
		lines.Buffer(nil, 1<<20)
		for n := 1; lines.Scan(); n++ {
			if columns(lines.Text()) > maxColumns && !text[n] {
				t.Errorf("%s:%d has %d columns, more than %d", path, n, columns(lines.Text()), maxColumns)
			}
		}
		return lines.Err()
	})
	if err != nil {
		t.Error(err)
	}
}

// columns counts a tab as one: what an editor makes of it is its own affair.
func columns(line string) int { return utf8.RuneCountInString(line) }

// literals returns the lines that hold a text which is not broken to fit: a struct tag, JSON, SQL, expected output, or
// the text of the API's description.
func literals(t *testing.T, path string, source []byte) map[int]bool {
	t.Helper()
	files := token.NewFileSet()
	f, err := parser.ParseFile(files, path, source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	held := map[int]bool{}
	ast.Inspect(f, func(n ast.Node) bool {
		if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING && (l.Value[0] == '`' || len(l.Value) > 40) {
			for line := files.Position(l.Pos()).Line; line <= files.Position(l.End()).Line; line++ {
				held[line] = true
			}
		}
		return true
	})
	return held
}

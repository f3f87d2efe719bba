package arch

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"
	"testing"

	gopackages "golang.org/x/tools/go/packages"
)

func TestNoInit(t *testing.T) {
	eachDecl(t, func(p *gopackages.Package, d ast.Decl) {
		if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
			t.Errorf("%s: func init runs before anybody has asked for anything; do it in a constructor", p.Fset.Position(f.Pos()))
		}
	})
}

func TestRootHasNoWireFormat(t *testing.T) {
	for _, p := range loaded(t) {
		if packages()[p.PkgPath] != vocabulary {
			continue
		}
		for _, file := range p.Syntax {
			ast.Inspect(file, func(n ast.Node) bool {
				if f, ok := n.(*ast.Field); ok && f.Tag != nil {
					t.Errorf("%s: field tag in the root package; wire formats belong in httpapi and in the stores", p.Fset.Position(f.Pos()))
				}
				return true
			})
		}
	}
}

func TestClockIsHandedIn(t *testing.T) {
	for _, p := range loaded(t) {
		if _, may := clocks()[p.PkgPath]; may || packages()[p.PkgPath] == testOnly {
			continue
		}
		for id, object := range p.TypesInfo.Uses {
			if f, ok := object.(*types.Func); ok && readsClock(f) {
				t.Errorf("%s: %s reads the machine's clock; take a now func() time.Time or tx.Now()", p.Fset.Position(id.Pos()), f.FullName())
			}
		}
	}
}

func readsClock(f *types.Func) bool {
	switch f.FullName() {
	case "time.Now", "time.Since", "time.Until":
		return true
	}
	return false
}

func TestNoPackageState(t *testing.T) {
	for _, p := range loaded(t) {
		if packages()[p.PkgPath] == testOnly {
			continue
		}
		for _, file := range p.Syntax {
			ast.Inspect(file, func(n ast.Node) bool {
				for _, changed := range changes(n) {
					if v := packageVar(p, changed); v != nil {
						t.Errorf("%s: package variable %s is changed or its address taken; state belongs in a value that somebody owns", p.Fset.Position(n.Pos()), v.Name())
					}
				}
				return true
			})
		}
	}
}

// changes returns the expressions that n may write to.
func changes(n ast.Node) []ast.Expr {
	switch n := n.(type) {
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE {
			return n.Lhs
		}
	case *ast.IncDecStmt:
		return []ast.Expr{n.X}
	case *ast.UnaryExpr:
		if n.Op == token.AND {
			return []ast.Expr{n.X}
		}
	case *ast.SendStmt:
		return []ast.Expr{n.Chan}
	case *ast.CallExpr:
		if f, ok := n.Fun.(*ast.Ident); ok && (f.Name == "delete" || f.Name == "clear" || f.Name == "close") {
			return n.Args[:1]
		}
	}
	return nil
}

// packageVar returns the package-level variable that e is, or is a part of; nil for anything else.
func packageVar(p *gopackages.Package, e ast.Expr) *types.Var {
	switch e := e.(type) {
	case *ast.Ident:
		if v, ok := p.TypesInfo.Uses[e].(*types.Var); ok && v.Parent() == p.Types.Scope() {
			return v
		}
	case *ast.SelectorExpr:
		return packageVar(p, e.X)
	case *ast.IndexExpr:
		return packageVar(p, e.X)
	case *ast.StarExpr:
		return packageVar(p, e.X)
	case *ast.ParenExpr:
		return packageVar(p, e.X)
	}
	return nil
}

func TestNoPackageLocks(t *testing.T) {
	for _, p := range loaded(t) {
		if packages()[p.PkgPath] == testOnly {
			continue
		}
		for _, name := range p.Types.Scope().Names() {
			if v, ok := p.Types.Scope().Lookup(name).(*types.Var); ok && isState(v.Type()) {
				t.Errorf("%s: package variable %s is a %s; state belongs in a value that somebody owns", p.Fset.Position(v.Pos()), name, v.Type())
			}
		}
	}
}

// isState reports whether a value of type t exists to be changed.
func isState(t types.Type) bool {
	if _, ok := t.Underlying().(*types.Chan); ok {
		return true
	}
	name := strings.TrimPrefix(t.String(), "*")
	return strings.HasPrefix(name, "sync.") || strings.HasPrefix(name, "sync/atomic.")
}

// TestNoGlobalTracing: package otel keeps the tracer provider, propagator and error handler of the whole process.
func TestNoGlobalTracing(t *testing.T) {
	for _, p := range loaded(t) {
		if _, imported := p.Imports["go.opentelemetry.io/otel"]; imported && packages()[p.PkgPath] != testOnly {
			t.Errorf("%s imports go.opentelemetry.io/otel, whose globals are state of the process; take a trace.TracerProvider", p.PkgPath)
		}
	}
}

func eachDecl(t *testing.T, f func(*gopackages.Package, ast.Decl)) {
	for _, p := range loaded(t) {
		for _, file := range p.Syntax {
			for _, d := range file.Decls {
				f(p, d)
			}
		}
	}
}

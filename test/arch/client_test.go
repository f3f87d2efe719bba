package arch

import (
	"go/types"
	"slices"
	"strings"
	"testing"
)

func TestClient_ExportedAPI_NoInternalType(t *testing.T) {
	for _, p := range loaded(t) {
		if p.PkgPath != "firemode/client" {
			continue
		}
		for _, use := range internalTypes(p.Types) {
			t.Errorf("%s, which an importer of %s cannot name; give the client a type of its own", use, p.PkgPath)
		}
		return
	}
	t.Fatal("there is no package firemode/client")
}

func TestInternalTypes_EveryPosition_Found(t *testing.T) {
	inner := types.NewPackage("firemode/internal/x", "x")
	hidden := types.NewNamed(types.NewTypeName(0, inner, "T", nil), types.Typ[types.Int], nil)
	p := types.NewPackage("firemode/client", "client")
	field := func(name string, embedded bool) types.Type {
		return types.NewStruct([]*types.Var{types.NewField(0, p, name, hidden, embedded)}, nil)
	}
	result := types.NewTuple(types.NewVar(0, p, "", types.NewMap(types.Typ[types.String], hidden)))
	parameter := types.NewTuple(types.NewVar(0, p, "", types.NewPointer(hidden)))
	for name, position := range map[string]struct {
		t    types.Type
		want int
	}{
		"exported field":   {field("F", false), 1},
		"unexported field": {field("f", false), 0},
		"embedded field":   {field("T", true), 1},
		"parameter":        {types.NewSignatureType(nil, nil, nil, parameter, nil, false), 1},
		"result":           {types.NewSignatureType(nil, nil, nil, nil, result, false), 1},
		"element":          {types.NewSlice(hidden), 1},
		"alias":            {types.NewAlias(types.NewTypeName(0, p, "A", nil), hidden), 1},
		"own type":         {types.NewNamed(types.NewTypeName(0, p, "O", nil), types.Typ[types.Int], nil), 0},
	} {
		w := &apiWalk{pkg: p, seen: map[types.Type]bool{}}
		w.visit(name, position.t)
		if len(w.found) != position.want {
			t.Errorf("%s: found %v, want %d", name, w.found, position.want)
		}
	}
}

// internalTypes describes each use of a type of an internal package in the exported API of p.
func internalTypes(p *types.Package) []string {
	w := &apiWalk{pkg: p, seen: map[types.Type]bool{}}
	for _, name := range p.Scope().Names() {
		if object := p.Scope().Lookup(name); object.Exported() {
			w.visit(name, object.Type())
		}
	}
	slices.Sort(w.found)
	return w.found
}

// apiWalk walks the types that importers of a package see.
type apiWalk struct {
	pkg   *types.Package
	seen  map[types.Type]bool
	found []string
}

// visit walks t, which is at the place where.
func (w *apiWalk) visit(where string, t types.Type) {
	if w.seen[t] {
		return
	}
	w.seen[t] = true
	switch t := t.(type) {
	case *types.Alias:
		w.name(where, t.Obj())
		w.list(where, t.TypeArgs())
		w.visit(where, types.Unalias(t))
	case *types.Named:
		w.named(where, t)
	case *types.TypeParam:
		w.visit(where, t.Constraint())
	case *types.Signature:
		w.signature(where, t)
	case *types.Struct:
		for f := range t.Fields() {
			if f.Exported() || f.Embedded() {
				w.visit(where+"."+f.Name(), f.Type())
			}
		}
	case *types.Interface:
		for m := range t.Methods() {
			w.visit(where+"."+m.Name(), m.Type())
		}
		for e := range t.EmbeddedTypes() {
			w.visit(where, e)
		}
	case *types.Union:
		for term := range t.Terms() {
			w.visit(where, term.Type())
		}
	case *types.Map:
		w.visit(where, t.Key())
		w.visit(where, t.Elem())
	case interface{ Elem() types.Type }: // pointer, slice, array, channel
		w.visit(where, t.Elem())
	}
}

// named walks a type and, if it is one of the package itself, what it consists of.
func (w *apiWalk) named(where string, t *types.Named) {
	w.name(where, t.Obj())
	w.list(where, t.TypeArgs())
	if t.Obj().Pkg() != w.pkg {
		return
	}
	w.visit(t.Obj().Name(), t.Underlying())
	for m := range t.Methods() {
		if m.Exported() {
			w.visit(t.Obj().Name()+"."+m.Name(), m.Type())
		}
	}
}

func (w *apiWalk) signature(where string, s *types.Signature) {
	for p := range s.TypeParams().TypeParams() {
		w.visit(where, p)
	}
	for _, tuple := range []*types.Tuple{s.Params(), s.Results()} {
		for v := range tuple.Variables() {
			w.visit(where, v.Type())
		}
	}
}

func (w *apiWalk) list(where string, all *types.TypeList) {
	for t := range all.Types() {
		w.visit(where, t)
	}
}

func (w *apiWalk) name(where string, o *types.TypeName) {
	if o.Pkg() != nil && strings.Contains(o.Pkg().Path()+"/", "/internal/") {
		w.found = append(w.found, where+" uses "+o.Pkg().Path()+"."+o.Name())
	}
}

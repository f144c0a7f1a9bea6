// Prints the tables of test cases in a Go file as JSON: package variables, and variables `tests` inside of functions.
//
// Literals become what they are, structs and maps objects (with the name of the type under "@type" where it is written),
// calls {"@call": name, "@args": [...]}, other names {"@name": name}. Not known here: what any case means.
package main

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strconv"
)

var known = map[string]ast.Expr{}

func value(e ast.Expr) any {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind == token.STRING {
			if s, err := strconv.Unquote(e.Value); err == nil {
				return s
			}
		}
		return json.Number(e.Value)
	case *ast.ParenExpr:
		return value(e.X)
	case *ast.UnaryExpr:
		if n, ok := value(e.X).(json.Number); ok && e.Op == token.SUB {
			return json.Number("-" + string(n))
		}
		return value(e.X)
	case *ast.BinaryExpr:
		if l, ok := value(e.X).(string); ok {
			if r, ok := value(e.Y).(string); ok {
				return l + r
			}
		}
		return nil
	case *ast.Ident:
		switch e.Name {
		case "true", "false":
			return e.Name == "true"
		case "nil":
			return nil
		}
		if of, ok := known[e.Name]; ok {
			return value(of)
		}
		return map[string]any{"@name": e.Name}
	case *ast.CallExpr:
		if _, ok := e.Fun.(*ast.ArrayType); ok && len(e.Args) == 1 {
			return value(e.Args[0])
		}
		if f, ok := e.Fun.(*ast.FuncLit); ok {
			return schema(f)
		}
		args := []any{}
		for _, a := range e.Args {
			args = append(args, value(a))
		}
		return map[string]any{"@call": name(e.Fun), "@args": args}
	case *ast.CompositeLit:
		return composite(e)
	case *ast.SelectorExpr:
		return map[string]any{"@name": name(e)}
	}
	return nil
}

// A function that makes a parser: the text of its schema, and the name of the type that it takes.
func schema(f ast.Node) any {
	of := map[string]any{}
	ast.Inspect(f, func(n ast.Node) bool {
		if c, ok := n.(*ast.CallExpr); ok && len(c.Args) == 1 {
			if s, ok := c.Fun.(*ast.SelectorExpr); ok && s.Sel.Name == "NewParser" {
				of["schema"] = value(c.Args[0])
			} else if ok && s.Sel.Name == "Type" {
				of["type"] = value(c.Args[0])
			}
		}
		return true
	})
	return of
}

// The parser that a function hands to its tests.
func parserOf(f ast.Node) (parser string) {
	ast.Inspect(f, func(n ast.Node) bool {
		if c, ok := n.(*ast.CallExpr); ok && len(c.Args) == 1 {
			if s, ok := c.Fun.(*ast.SelectorExpr); ok && s.Sel.Name == "Test" {
				parser = name(c.Args[0])
			}
		}
		return true
	})
	return
}

func composite(e *ast.CompositeLit) any {
	list, fields := []any{}, map[string]any{}
	if e.Type != nil && name(e.Type) != "" {
		fields["@type"] = name(e.Type)
	}
	for _, one := range e.Elts {
		pair, ok := one.(*ast.KeyValueExpr)
		if !ok {
			list = append(list, value(one))
			continue
		}
		if key, ok := pair.Key.(*ast.Ident); ok {
			fields[key.Name] = value(pair.Value)
		} else {
			fields[fmt.Sprint(value(pair.Key))] = value(pair.Value)
		}
	}
	if len(list) > 0 || (len(e.Elts) == 0 && fields["@type"] == nil) {
		return list
	}
	return fields
}

func name(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return name(e.X) + "." + e.Sel.Name
	}
	return ""
}

func main() {
	found := map[string]any{}
	// `go run` takes arguments that end in `.go` for its own: files are named without.
	for _, path := range os.Args[1:] {
		path += ".go"
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		for _, d := range file.Decls {
			if g, ok := d.(*ast.GenDecl); ok {
				for _, s := range g.Specs {
					if v, ok := s.(*ast.ValueSpec); ok {
						for i, n := range v.Names {
							if i < len(v.Values) {
								known[n.Name] = v.Values[i]
							}
						}
					}
				}
			}
		}
		for n, e := range known {
			found[n] = value(e)
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Body == nil {
				continue
			}
			for _, s := range f.Body.List {
				if a, ok := s.(*ast.AssignStmt); ok && len(a.Lhs) == 1 && name(a.Lhs[0]) == "tests" {
					found[f.Name.Name] = value(a.Rhs[0])
					found[f.Name.Name+"@parser"] = parserOf(f)
				}
			}
		}
	}
	json.NewEncoder(os.Stdout).Encode(found)
}

package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "pinglake"

// anything is the arrow of the one package that wires all others.
const anything = "*"

// arrows are complete: a package of ours may import these of ours and no other.
// Its tests may also import what those may import.
var arrows = map[string][]string{
	"ingest":        nil,
	"ingest/edge":   {"ingest"},
	"ingest/stream": {"ingest"},
	"ingest/decode": {"ingest", "lake/schema"},
	"ingest/sink":   {"ingest", "ingest/decode", "dedup", "lake"},
	"ingest/sim":    {"ingest"},
	"dedup":         nil,
	"lake":          {"lake/schema"},
	"lake/schema":   nil,
	"batch":         {"batch/sql", "lake", "query"},
	"batch/sql":     nil,
	"query":         {"lake", "lake/schema"},
	"query/shell":   {"query"},
	"query/console": {"query"},
	"conf":          nil,
	"cmd/pinglake":  {anything},
	"e2e":           nil,
	"e2e/bench":     nil,
}

// doors are the packages that may know a big dependency, tests included.
var doors = []struct {
	dependency string
	packages   []string
}{
	{"github.com/cockroachdb/pebble", []string{"dedup"}},
	{"github.com/parquet-go/parquet-go", []string{"lake"}},
	{"github.com/nats-io", []string{"ingest/stream"}},
	{"github.com/oschwald", []string{"ingest/decode"}},
	{"github.com/duckdb", []string{"query"}},
	{"github.com/spf13/viper", []string{"conf"}},
	{"github.com/spf13/cobra", []string{"cmd/pinglake"}},
}

var topFolders = []string{"cmd", "ingest", "dedup", "lake", "batch", "query", "conf", "e2e"}

// moduleRoot is the folder of go.mod: the parent of this package's.
func moduleRoot(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil {
		t.Fatal(err)
	}
	return root
}

type goPackage struct {
	ImportPath, Dir                    string
	Imports, TestImports, XTestImports []string
}

// name is the package's path in the module.
func (p *goPackage) name() string { return strings.TrimPrefix(p.ImportPath, module+"/") }

// goPackages are all packages of the module, as the go command sees them.
func goPackages(t *testing.T) []goPackage {
	t.Helper()
	list := exec.Command("go", "list", "-json=ImportPath,Dir,Imports,TestImports,XTestImports", "./...")
	list.Dir = moduleRoot(t)
	var stderr strings.Builder
	list.Stderr = &stderr
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	var packages []goPackage
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			return packages
		}
		if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

func TestArrows(t *testing.T) {
	for _, p := range goPackages(t) {
		for _, fault := range arrowFaults(p) {
			t.Error(fault)
		}
	}
}

// arrowFaults are a package's imports of ours that it may not have.
func arrowFaults(p goPackage) (faults []string) {
	allowed, known := arrows[p.name()]
	if !known {
		return []string{fmt.Sprintf("%s is not in the list of packages", p.name())}
	}
	forTests := reachable(allowed)
	check := func(imports, allowed []string, what string) {
		for _, path := range imports {
			ours, isOurs := strings.CutPrefix(path, module+"/")
			// A test of package x in package x_test imports x.
			if !isOurs || ours == p.name() || slices.Contains(allowed, ours) || slices.Contains(allowed, anything) {
				continue
			}
			faults = append(faults, fmt.Sprintf("%s imports %s%s: allowed are %v", p.name(), ours, what, allowed))
		}
	}
	check(p.Imports, allowed, "")
	check(p.TestImports, forTests, " in a test")
	check(p.XTestImports, forTests, " in a test")
	return faults
}

// reachable are some packages and all that they may import.
func reachable(from []string) []string {
	all := slices.Clone(from)
	for i := 0; i < len(all); i++ {
		for _, next := range arrows[all[i]] {
			if !slices.Contains(all, next) {
				all = append(all, next)
			}
		}
	}
	return all
}

func TestArrowsAreHeld(t *testing.T) {
	for _, c := range []struct {
		name string
		p    goPackage
		want string
	}{
		{"a package of its own", goPackage{ImportPath: "pinglake/dedup", Imports: []string{"fmt"}}, ""},
		{"against the arrows", goPackage{ImportPath: "pinglake/lake", Imports: []string{"pinglake/query"}}, "lake imports query: allowed are [lake/schema]"},
		{"not directly", goPackage{ImportPath: "pinglake/query/shell", Imports: []string{"pinglake/lake"}}, "query/shell imports lake: allowed are [query]"},
		{"indirectly in a test", goPackage{ImportPath: "pinglake/query/shell", TestImports: []string{"pinglake/lake"}}, ""},
		{"against the arrows in a test", goPackage{ImportPath: "pinglake/dedup", XTestImports: []string{"pinglake/dedup", "pinglake/lake"}}, "dedup imports lake in a test: allowed are []"},
		{"unknown", goPackage{ImportPath: "pinglake/util"}, "util is not in the list of packages"},
		{"all", goPackage{ImportPath: "pinglake/cmd/pinglake", Imports: []string{"pinglake/batch"}}, ""},
	} {
		if got := strings.Join(arrowFaults(c.p), "\n"); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestDoors(t *testing.T) {
	for _, p := range goPackages(t) {
		imports := slices.Concat(p.Imports, p.TestImports, p.XTestImports)
		for _, door := range doors {
			knows := slices.ContainsFunc(imports, func(path string) bool {
				return path == door.dependency || strings.HasPrefix(path, door.dependency+"/")
			})
			if knows && !slices.Contains(door.packages, p.name()) {
				t.Errorf("%s imports %s: only %v may", p.name(), door.dependency, door.packages)
			}
		}
	}
}

func TestTopLevelFolders(t *testing.T) {
	root := moduleRoot(t)
	for _, p := range goPackages(t) {
		path, err := filepath.Rel(root, p.Dir)
		if err != nil {
			t.Fatal(err)
		}
		if top, _, _ := strings.Cut(filepath.ToSlash(path), "/"); !slices.Contains(topFolders, top) {
			t.Errorf("%s has Go code in the top-level folder %q: only %v may", p.name(), top, topFolders)
		}
	}
}

// maxLines is how long a file may be. Past 400 there is mostly a second story.
const maxLines = 500

// longFiles may be longer, for the reason given.
var longFiles = map[string]string{}

// never are texts that no Go file may have. They are put together here so that
// this file has none of them.
var never = []struct {
	what      string
	pattern   *regexp.Regexp
	testsOnly bool
}{
	{"a sleep in a test: poll with a deadline, or use testing/synctest", regexp.MustCompile(`\btime\.` + `Sleep\(`), true},
	{"work left to do", regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME)\b`), false},
	{"an init function", regexp.MustCompile(`(?m)^func ` + `init\(`), false},
}

var generated = regexp.MustCompile(`(?m)^// Code generated .* DO NOT EDIT\.$`)

func TestHouseRules(t *testing.T) {
	root := moduleRoot(t)
	long := map[string]bool{}
	for path, text := range goFiles(t, root) {
		isTest := strings.HasSuffix(path, "_test.go")
		for _, rule := range never {
			if at := rule.pattern.FindIndex(text); at != nil && (isTest || !rule.testsOnly) {
				t.Errorf("%s:%d: %s", path, 1+strings.Count(string(text[:at[0]]), "\n"), rule.what)
			}
		}
		lines := strings.Count(string(text), "\n")
		if isTest || lines <= maxLines || generated.Match(text) {
			continue
		}
		long[path] = true
		if longFiles[path] == "" {
			t.Errorf("%s has %d lines, at most %d are allowed: look for its second story", path, lines, maxLines)
		}
	}
	for path := range longFiles {
		if !long[path] {
			t.Errorf("%s is not long any more: take it off the list", path)
		}
	}
}

// goFiles are the texts of all Go files of the tree, by slash path.
func goFiles(t *testing.T, root string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && path != root && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "testdata" || entry.Name() == "bin") {
			return filepath.SkipDir
		}
		if entry.IsDir() || filepath.Ext(path) != ".go" {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		files[filepath.ToSlash(name)] = text
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

package shell

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pinglake/lake"
	"pinglake/query"
)

var (
	update  = flag.Bool("update", false, "rewrite the expected outputs in testdata")
	session *query.Session // one for all tests; a shell has its own connection
)

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "shell-test-*")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	l, err := lake.Open(lake.Options{Dir: filepath.Join(dir, "lake"), Staging: filepath.Join(dir, "staging")})
	if err == nil {
		session, err = query.Open(context.Background(), l, query.Options{Threads: 2, Memory: "500MB"})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer session.Close()
	return m.Run()
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// run gives what a script prints, and its error.
func run(t *testing.T, o Options, script string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	o.Session, o.Out = session, &out
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = s.Script(t.Context(), strings.NewReader(script))
	return out.String(), err
}

func mustRun(t *testing.T, o Options, script string) string {
	t.Helper()
	out, err := run(t, o, script)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestModes(t *testing.T) {
	for _, mode := range Modes() {
		t.Run(string(mode), func(t *testing.T) {
			got := mustRun(t, Options{Mode: mode}, readFile(t, "testdata/values.sql")+readFile(t, "testdata/control.sql"))
			golden := filepath.Join("testdata", string(mode)+".txt")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(readFile(t, golden), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// The official shell prints the same, but for blanks at the ends of lines.
func TestModesAreThoseOfTheOfficialShell(t *testing.T) {
	official, err := exec.LookPath("duckdb")
	if err != nil {
		t.Skip("no duckdb on PATH: pip install duckdb-cli==1.5.6")
	}
	if version, err := exec.Command(official, "-version").Output(); err != nil || !strings.HasPrefix(string(version), "v1.5.6 ") {
		t.Skipf("duckdb on PATH is %s, want v1.5.6", bytes.TrimSpace(version))
	}
	for _, mode := range Modes() {
		if mode == Trash {
			continue
		}
		t.Run(string(mode), func(t *testing.T) {
			script := readFile(t, "testdata/values.sql")
			cmd := exec.Command(official, "-no-init", "-cmd", "SET TimeZone = 'UTC'", "-cmd", ".mode "+string(mode))
			cmd.Stdin = strings.NewReader(script)
			theirs, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			if mode == JSONLines { // theirs has an empty line for an empty result: no JSON
				theirs = bytes.ReplaceAll(theirs, []byte("\n\n"), []byte("\n"))
			}
			if diff := cmp.Diff(trimLines(string(theirs)), trimLines(mustRun(t, Options{Mode: mode}, script))); diff != "" {
				t.Error("official (-), ours (+):\n" + diff)
			}
		})
	}
}

func trimLines(text string) []string {
	lines := strings.Split(strings.ReplaceAll(text, "\r", ""), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " ")
	}
	return lines
}

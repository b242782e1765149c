package shell

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestSplit(t *testing.T) {
	for n, line := range strings.Split(readFile(t, "testdata/split.txt"), "\n") {
		text, want, ok := strings.Cut(line, " => ")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		statements, rest := split(strings.ReplaceAll(text, `\n`, "\n"))
		var got []string
		for _, s := range statements {
			got = append(got, "["+strings.ReplaceAll(s, "\n", `\n`)+"]")
		}
		got = append(got, "{"+rest+"}")
		if got := strings.Join(got, " "); got != want {
			t.Errorf("line %d: %s\ngot  %s\nwant %s", n+1, text, got, want)
		}
	}
}

// Whatever comes, it ends, and what is cut off a text does not depend on the
// statements after it.
func TestSplitOfAnyText(t *testing.T) {
	piece := rapid.SampledFrom([]string{"a", "e", "$", "$t$", "'", `"`, "\\", "--", "\n", "/*", "*/", ";", " ", "1", "é", "\xff"})
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(piece, 0, 20).Draw(t, "text"), "")
		statements, rest := split(text)
		again, restAgain := split(text + "\n")
		if len(again) < len(statements) || restAgain != rest+"\n" && len(again) == len(statements) {
			t.Fatalf("%q: %q %q; with a line break: %q %q", text, statements, rest, again, restAgain)
		}
		for _, s := range statements {
			if isOpen(s) {
				t.Fatalf("%q: statement %q is open", text, s)
			}
		}
	})
}

func TestIsWhole(t *testing.T) {
	for text, want := range map[string]bool{
		"":                    true,
		"  ":                  true,
		"-- words":            true,
		"/* open":             false,
		"select 1":            false,
		"select 1;":           true,
		"select 1; -- done":   true,
		"select 1; select":    false,
		"select ';":           false,
		".tables":             true,
		"select 1\n.mode csv": false,
		"select $$ ; $$":      false,
	} {
		if got := isWhole(text); got != want {
			t.Errorf("isWhole(%q) = %v", text, got)
		}
	}
}

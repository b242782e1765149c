package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTheDemoNamesEveryDifference(t *testing.T) {
	known := demoCounts{
		days:  []usageDay{{date: 20000, dau: 5}, {date: 20001, dau: 6}},
		lines: []countLine{{storedLine, 10}, {duplicatesLine, 2}},
	}
	if faults := compareDemo(known, known); len(faults) != 0 {
		t.Errorf("equal counts differ: %q", faults)
	}
	for _, c := range []struct {
		what  string
		found demoCounts
		want  string
	}{
		{"a day's number", demoCounts{[]usageDay{{date: 20000, dau: 5}, {date: 20001, dau: 7}}, known.lines}, "2024-10-05: known"},
		{"a day", demoCounts{known.days[:1], known.lines}, "2 days are known, 1 found"},
		{"a count", demoCounts{known.days, []countLine{{storedLine, 11}, {duplicatesLine, 2}}}, "stored: sent 10, found 11"},
		{"a count that is missing", demoCounts{known.days, known.lines[:1]}, "duplicates: sent 2, found 0"},
		{"a reject nobody sent", demoCounts{known.days, append(known.lines[:2:2], countLine{"rejected: x", 1})}, "rejected: x: none sent, found 1"},
	} {
		faults := compareDemo(known, c.found)
		if len(faults) != 1 || !strings.HasPrefix(faults[0], c.want) {
			t.Errorf("%s: got %q, want %s", c.what, faults, c.want)
		}
	}
}

func TestTheDemoClearsOnlyDemos(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "demo")
	if err := clearDemo(dir); err != nil {
		t.Fatal(err)
	}
	left := func() []string {
		t.Helper()
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, e := range entries {
			names = append(names, e.Name())
		}
		return names
	}
	if err := os.WriteFile(filepath.Join(dir, "old"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := clearDemo(dir); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{demoMark}, left()); diff != "" {
		t.Errorf("after a second demo:\n%s", diff)
	}
	if err := keepDemo(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "precious"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := clearDemo(dir); exitCode(err) != exitUsage {
		t.Errorf("a kept folder: %v", err)
	}
	if diff := cmp.Diff([]string{"precious"}, left()); diff != "" {
		t.Errorf("in a kept folder:\n%s", diff)
	}
}

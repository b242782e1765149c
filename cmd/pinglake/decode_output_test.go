package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func TestOutputFilesAreManyAndWhole(t *testing.T) {
	dir := t.TempDir()
	o := newOutputFiles()
	const files = 3 * maxOutputFiles
	path := func(i int) string { return filepath.Join(dir, fmt.Sprint(i%7), fmt.Sprint(i)+".ndjson") }
	for round := range 2 {
		for i := range files {
			if err := o.writeLine(path(i), fmt.Appendf(nil, "%d %d", i, round)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := os.Stat(path(0)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file is seen before all are whole: %v", err)
	}
	if err := o.close(nil); err != nil {
		t.Fatal(err)
	}
	for i := range files {
		text, err := os.ReadFile(path(i))
		if want := fmt.Sprintf("%d 0\n%d 1\n", i, i); err != nil || string(text) != want {
			t.Errorf("file %d holds %q, %v", i, text, err)
		}
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*", ".*")); err != nil || len(left) > 0 {
		t.Errorf("left %q, %v", left, err)
	}
}

func TestOutputFilesLeaveNothingAfterAnError(t *testing.T) {
	dir := t.TempDir()
	o := newOutputFiles()
	if err := o.writeLine(filepath.Join(dir, "a"), []byte("x")); err != nil {
		t.Fatal(err)
	}
	fault := errors.New("no space left")
	if err := o.close(fault); !errors.Is(err, fault) {
		t.Errorf("got %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
}

func TestFileNameParts(t *testing.T) {
	for _, c := range []struct{ value, want string }{
		{"my-app", "my-app"},
		{"", ""},
		{".", "-"},
		{"..", "--"},
		{"../../etc/passwd", "..-..-etc-passwd"},
		{`a/b\c:d`, "a-b-c-d"},
		{"line\nbreak\x00", "line-break-"},
		{"1.0", "1.0"},
	} {
		if got := fileNamePart(c.value); got != c.want {
			t.Errorf("%q: %q, want %q", c.value, got, c.want)
		}
	}
}

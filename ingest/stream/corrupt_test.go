package stream

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A kill in the middle of a write leaves part of a record behind. No Append was
// answered for it, so it vanishes and its number is used again.
func TestTornUnansweredPackVanishes(t *testing.T) {
	o := options(t.TempDir())
	s := mustOpen(t, o)
	mustAppendNumbered(t, s, 1, 4)
	dir := mustCopyTree(t, o.Dir)
	files := blockFiles(t, dir)
	last := files[len(files)-1]
	content, err := os.ReadFile(last)
	if err != nil {
		t.Fatal(err)
	}
	record := len(content) / 4
	for _, torn := range []int{1, record / 2, record - 1} {
		o.Dir = mustCopyTree(t, dir)
		files := blockFiles(t, o.Dir)
		if err := os.Truncate(files[len(files)-1], int64(len(content)-torn)); err != nil {
			t.Fatal(err)
		}
		again := mustOpen(t, o)
		mustAppend(t, again, raw("/submit/new"))
		want := "1.0 /submit/1\n2.0 /submit/2\n3.0 /submit/3\n4.0 /submit/new\n"
		if got := shown(mustRead(t, again, 0, 10)); got != want {
			t.Errorf("%d bytes torn off:\n%s, want\n%s", torn, got, want)
		}
	}
}

// A pack whose frame was damaged before it reached the server.
func TestReadRefusesADamagedFrame(t *testing.T) {
	s := mustOpen(t, options(t.TempDir()))
	mustAppendNumbered(t, s, 1, 2)
	frame := frameOf(t, raw("/submit/3"))
	frame[30] ^= 1
	if err := s.commitPack(frame, 1); err != nil {
		t.Fatal(err)
	}
	if got := shown(mustRead(t, s, 0, 2)); got != "1.0 /submit/1\n2.0 /submit/2\n" {
		t.Errorf("read\n%s", got)
	}
	_, err := s.Read(t.Context(), 2, 1)
	if !errors.Is(err, ErrCorrupt) || !strings.HasPrefix(err.Error(), "read packs after 2: decode pack 3: ") {
		t.Errorf("read: %v, want ErrCorrupt of pack 3", err)
	}
}

// A pack that is gone though nobody trimmed it is named, while the stream runs
// and at the next start.
func TestMissingPackIsNoticed(t *testing.T) {
	o := options(t.TempDir())
	s := mustOpen(t, o)
	mustAppendNumbered(t, s, 1, 6)
	if err := s.node.stream.SecureDeleteMsg(t.Context(), 4); err != nil {
		t.Fatal(err)
	}
	_, err := s.Read(t.Context(), 1, 10)
	if !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), "pack 4 is missing, the next there is 5") {
		t.Errorf("read: %v, want ErrCorrupt that names 4 and 5", err)
	}
	if got := shown(mustRead(t, s, 4, 10)); got != "5.0 /submit/5\n6.0 /submit/6\n" {
		t.Errorf("read after the gap:\n%s", got)
	}
	mustClose(t, s)

	if _, err = Open(t.Context(), o); !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), "pack 4 is missing between 1 and 6") {
		t.Errorf("open: %v, want ErrCorrupt that names 4", err)
	}
	o.After = 4
	again := mustOpen(t, o) // the reader has what is missing
	if diff := cmp.Diff("5.0 /submit/5\n6.0 /submit/6\n", shown(mustRead(t, again, 4, 10))); diff != "" {
		t.Error(diff)
	}
}

// A bit that rots in the middle of a closed stream makes the server cut off
// everything behind it; what was answered must not vanish silently.
func TestRottenPackIsNoticed(t *testing.T) {
	o := options(t.TempDir())
	s := mustOpen(t, o)
	mustAppendNumbered(t, s, 1, 6)
	mustClose(t, s)
	for _, file := range blockFiles(t, o.Dir) {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		at := bytes.Index(content, []byte("/submit/3"))
		if at < 0 {
			continue
		}
		content[at] ^= 1
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := Open(t.Context(), o)
	if err == nil {
		defer mustClose(t, s)
		_, err = s.Read(t.Context(), 0, 10)
	}
	if err == nil {
		_, err = s.Read(t.Context(), 2, 10)
	}
	if !errors.Is(err, ErrCorrupt) {
		t.Errorf("a rotten pack was passed over: %v", err)
	}
}

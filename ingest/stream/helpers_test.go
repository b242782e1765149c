package stream

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pinglake/ingest"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 123456000, time.UTC)

func options(dir string) Options {
	return Options{Dir: dir, MaxBytes: 1 << 30, Logger: slog.New(slog.DiscardHandler)}
}

func mustOpen(t testing.TB, o Options) *Stream {
	t.Helper()
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() { mustClose(t, s) })
	return s
}

func mustClose(t testing.TB, s *Stream) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
}

func raw(uri string) *ingest.Raw {
	return &ingest.Raw{
		URI:        uri,
		Submitted:  noon,
		Attributes: map[string]string{"method": "POST", "args": "", "user_agent": "Mozilla/5.0 \u00ff"},
		Body:       []byte(`{"body of":"` + uri + `"}`),
	}
}

func mustAppend(t testing.TB, s *Stream, raws ...*ingest.Raw) {
	t.Helper()
	for _, r := range raws {
		if err := s.Append(t.Context(), r); err != nil {
			t.Fatalf("append %s: %v", r.URI, err)
		}
	}
}

// mustAppendNumbered appends count raws one after the other, a pack each, named
// for the pack they should become.
func mustAppendNumbered(t testing.TB, s *Stream, first, count int) {
	t.Helper()
	for i := first; i < first+count; i++ {
		mustAppend(t, s, raw(fmt.Sprintf("/submit/%d", i)))
	}
}

func mustRead(t testing.TB, s *Stream, after uint64, limit int) []Pack {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	packs, err := s.Read(ctx, after, limit)
	if err != nil {
		t.Fatalf("read after %d: %v", after, err)
	}
	return packs
}

// shown is packs as text: each position with its URI.
func shown(packs []Pack) string {
	var b strings.Builder
	for _, p := range packs {
		for _, r := range p.Raws {
			fmt.Fprintf(&b, "%d.%d %s\n", r.At.Pack, r.At.Index, r.URI)
		}
	}
	return b.String()
}

// blockFiles are the files that hold the packs, oldest first.
func blockFiles(t testing.TB, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "jetstream", "$G", "streams", streamName, "msgs", "*.blk"))
	if err != nil || len(files) == 0 {
		t.Fatalf("block files of %s: %v, %v", dir, files, err)
	}
	slices.SortFunc(files, func(a, b string) int {
		if len(a) != len(b) {
			return len(a) - len(b)
		}
		return strings.Compare(a, b)
	})
	return files
}

func mustCopyTree(t testing.TB, from string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatalf("copy %s: %v", from, err)
	}
	return to
}

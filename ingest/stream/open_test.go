package stream

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSmallerLimitDropsNothing(t *testing.T) {
	o := options(t.TempDir())
	s := mustOpen(t, o)
	mustAppendNumbered(t, s, 1, 20)
	mustClose(t, s)

	o.MaxBytes = 1000
	s = mustOpen(t, o)
	if got := mustRead(t, s, 0, 100); len(got) != 20 {
		t.Errorf("%d packs are left of 20", len(got))
	}
	if err := s.Append(t.Context(), raw("/submit/x")); !errors.Is(err, ErrFull) {
		t.Errorf("append to a stream over its limit: %v, want ErrFull", err)
	}
	mustClose(t, s)

	o.MaxBytes = 1 << 20
	s = mustOpen(t, o)
	mustAppendNumbered(t, s, 21, 1)
}

func TestTrimmedEmptyStreamContinuesItsNumbers(t *testing.T) {
	o := options(t.TempDir())
	s := mustOpen(t, o)
	mustAppendNumbered(t, s, 1, 3)
	for _, pack := range []uint64{0, 2, 2, 1, 3, 3} {
		if err := s.Trim(t.Context(), pack); err != nil {
			t.Fatalf("trim to %d: %v", pack, err)
		}
	}
	mustClose(t, s)

	o.After = 3
	s = mustOpen(t, o)
	if got := stateText(t, s); got != "0 packs, 4 to 3" {
		t.Errorf("state %s", got)
	}
	mustAppendNumbered(t, s, 4, 2)
	if got := shown(mustRead(t, s, 3, 10)); got != "4.0 /submit/4\n5.0 /submit/5\n" {
		t.Errorf("read\n%s", got)
	}
	if err := s.Trim(t.Context(), 6); err == nil {
		t.Error("a pack that is not there was trimmed")
	}
}

func TestReadPassesOverWhatWasTrimmed(t *testing.T) {
	s := mustOpen(t, options(t.TempDir()))
	mustAppendNumbered(t, s, 1, 5)
	if err := s.Trim(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	if got := shown(mustRead(t, s, 1, 10)); got != "4.0 /submit/4\n5.0 /submit/5\n" {
		t.Errorf("read\n%s", got)
	}
}

func stateText(t *testing.T, s *Stream) string {
	t.Helper()
	state, err := s.State(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	last, err := s.Last(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if last != state.Last {
		t.Errorf("Last is %d, the state says %d", last, state.Last)
	}
	return fmt.Sprintf("%d packs, %d to %d", state.Packs, state.First, state.Last)
}

func TestOpenAgainstTheWatermark(t *testing.T) {
	cases := []struct {
		name    string
		packs   int    // appended in a former life
		trim    uint64 // trimmed in it
		after   uint64
		corrupt bool
		says    string // state, or what the error says
	}{
		{"new, no watermark", 0, 0, 0, false, "0 packs, 1 to 0"},
		{"new, watermark", 0, 0, 41, false, "0 packs, 42 to 41"},
		{"all unread", 3, 0, 0, false, "3 packs, 1 to 3"},
		{"half read, not trimmed", 3, 0, 2, false, "3 packs, 1 to 3"},
		{"all read, not trimmed", 3, 0, 3, false, "3 packs, 1 to 3"},
		{"half read and trimmed", 3, 2, 2, false, "1 packs, 3 to 3"},
		{"empty at the watermark", 3, 3, 3, false, "0 packs, 4 to 3"},
		{"empty before the watermark", 3, 3, 9, false, "0 packs, 10 to 9"},
		{"empty past the watermark", 3, 3, 1, false, "0 packs, 4 to 3"},
		{"ends before the watermark", 3, 0, 4, true, "the watermark is at pack 4 but the last pack is 3"},
		{"begins past the watermark", 3, 2, 1, true, "the watermark is at pack 1 but the first pack is 3"},
		{"begins past no watermark", 3, 2, 0, true, "the watermark is at pack 0 but the first pack is 3"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			o := options(t.TempDir())
			if c.packs > 0 {
				s := mustOpen(t, o)
				mustAppendNumbered(t, s, 1, c.packs)
				if err := s.Trim(t.Context(), c.trim); err != nil {
					t.Fatal(err)
				}
				mustClose(t, s)
			}
			o.After = c.after
			s, err := Open(t.Context(), o)
			if c.corrupt {
				if !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), c.says) {
					t.Fatalf("open: %v, want ErrCorrupt that says %q", err, c.says)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer mustClose(t, s)
			if got := stateText(t, s); got != c.says {
				t.Errorf("state %s, want %s", got, c.says)
			}
			mustAppend(t, s, raw("/submit/next"))
			packs := mustRead(t, s, max(c.after, c.trim), 100)
			if first := packs[0].Seq; first != max(c.after, c.trim)+1 && !strings.HasPrefix(c.name, "empty past") {
				t.Errorf("the first pack read is %d", first)
			}
			last := packs[len(packs)-1]
			if want := uint64(max(c.packs, int(c.after)) + 1); last.Seq != want {
				t.Errorf("the new pack is %d, want %d", last.Seq, want)
			}
		})
	}
}

// A stream that was moved on to the watermark stays there, even if the process
// dies before its first pack.
func TestBeginAfterTheWatermarkIsOnDisk(t *testing.T) {
	o := options(t.TempDir())
	o.After = 1000
	s := mustOpen(t, o)
	killed := options(mustCopyTree(t, o.Dir))
	mustAppend(t, s, raw("/submit/1001"))
	again := mustOpen(t, killed)
	if got := stateText(t, again); got != "0 packs, 1001 to 1000" {
		t.Errorf("state %s", got)
	}
}

func TestOpenRefusesBadOptions(t *testing.T) {
	cases := map[string]Options{
		"no folder": {MaxBytes: 1},
		"limit of 0 bytes: must be from 1 to 1152921504606846976":    {Dir: "x"},
		"largest body of 31457281 bytes: must be from 1 to 31457280": {Dir: "x", MaxBytes: 1, MaxBody: maxMaxBody + 1},
	}
	for says, o := range cases {
		if _, err := Open(t.Context(), o); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("open: %v, want an error that says %q", err, says)
		}
	}
}

// The embedded server refuses every write after one that failed, so the stream
// has to start it again by itself.
func TestStreamRevives(t *testing.T) {
	s := mustOpen(t, options(t.TempDir()))
	mustAppendNumbered(t, s, 1, 3)
	s.node.server.Shutdown()
	s.node.server.WaitForShutdown()
	if err := s.Append(t.Context(), raw("/submit/lost")); err == nil || errors.Is(err, ErrFull) {
		t.Fatalf("append to a dead server: %v", err)
	}
	mustAppendNumbered(t, s, 4, 1)
	if got := shown(mustRead(t, s, 2, 10)); got != "3.0 /submit/3\n4.0 /submit/4\n" {
		t.Errorf("read\n%s", got)
	}
}

func TestReviveRefusesAStreamThatLostItsEnd(t *testing.T) {
	o := options(t.TempDir())
	s := mustOpen(t, o)
	mustAppendNumbered(t, s, 1, 3)
	s.node.server.Shutdown()
	s.node.server.WaitForShutdown()
	files := blockFiles(t, o.Dir)
	last := files[len(files)-1]
	// Without its index the server takes the torn end for a write that was under way.
	if err := os.Remove(filepath.Join(filepath.Dir(last), "index.db")); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(last)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(last, info.Size()-1); err != nil {
		t.Fatal(err)
	}
	err = s.Append(t.Context(), raw("/submit/4"))
	if !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), "pack 3 was stored but the last pack is 2") {
		t.Errorf("append: %v, want ErrCorrupt that names 3 and 2", err)
	}
	if _, err := s.Read(t.Context(), 0, 1); !errors.Is(err, ErrCorrupt) {
		t.Errorf("read: %v, want ErrCorrupt", err)
	}
}

// What keeps the server from starting is told at once, so that the next try is not
// far, and does not stay when its reason is gone.
func TestAServerThatDoesNotStartIsGivenUpAtOnce(t *testing.T) {
	o := options(t.TempDir())
	inTheWay := filepath.Join(o.Dir, "jetstream")
	if err := os.WriteFile(inTheWay, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	// Far below the time that a start may take.
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout/10)
	defer cancel()
	s, err := Open(ctx, o)
	if err == nil {
		mustClose(t, s)
	}
	if err == nil || ctx.Err() != nil || !strings.Contains(err.Error(), "Can't start JetStream") {
		t.Fatalf("open: %v, want JetStream's reason before %v", err, ctx.Err())
	}
	if err := os.Remove(inTheWay); err != nil {
		t.Fatal(err)
	}
	mustAppendNumbered(t, mustOpen(t, o), 1, 1)
}

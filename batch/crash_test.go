package batch

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pinglake/lake"
)

var baseline = lake.TableRef{Dataset: "app_live", Table: "baseline_v1"}

// files are the names and digests of a lake's Parquet files.
func (h *house) files(t testing.TB) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(h.lake.Dir(), func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".parquet" {
			return err
		}
		content, err := os.ReadFile(path)
		all[strings.TrimPrefix(path, h.lake.Dir())] = fmt.Sprintf("%x", sha256.Sum256(content))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func (h *house) temps(t testing.TB) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(filepath.Dir(h.lake.TempFile("x")), "*"))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestRunAgainGivesTheSameBytes(t *testing.T) {
	h := newHouse(t, nil)
	for i, d := range []string{"2026-11-20", "2026-11-21"} {
		once := population(t, d, 3000, 2)
		h.land(t, baseline, d, fmt.Sprint(2*i+1), once)
		h.land(t, baseline, d, fmt.Sprint(2*i+2), once+" WHERE i % 5 = 0") // repeats
	}
	if err := h.runner.Nightly(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := h.files(t)
	if err := h.runner.Backfill(t.Context(), date(t, "2026-11-20"), date(t, "2026-11-21"), RunOptions{}); err != nil {
		t.Fatal(err)
	}
	for name, digest := range h.files(t) {
		if before[name] != digest {
			t.Errorf("%s differs", name)
		}
	}
}

func TestCancelLeavesTheOldPartition(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	h := newHouse(t, func(o *Options) {
		progress := o.Progress
		o.Progress = func(e Event) {
			progress(e)
			if e.State == Started && e.Job == "baseline_clients_daily_v1" {
				cancel()
			}
		}
	})
	h.land(t, baseline, "2026-11-21", "1", population(t, "2026-11-21", 10, 1))
	if err := h.runner.Nightly(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("nightly: %v", err)
	}
	if got := h.query(t, "SELECT count(*) FROM app_stable.baseline_v1"); got != "10\n" {
		t.Errorf("stable rows: %s", got)
	}
	if names := h.temps(t); len(names) > 0 {
		t.Errorf("left behind: %v", names)
	}
	if err := h.runner.Nightly(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := h.query(t, "SELECT count(*) FROM app_derived.baseline_clients_last_seen_v1"); got != "10\n" {
		t.Errorf("rows after the next nightly: %s", got)
	}
}

// TestKilledLeavesTheOldPartition kills a process that makes partitions again, at
// many moments, and looks at what a reader finds.
func TestKilledLeavesTheOldPartition(t *testing.T) {
	if dir := os.Getenv("PINGLAKE_TEST_KILL"); dir != "" {
		runForEver(t, dir)
	}
	h := newHouse(t, nil)
	h.land(t, baseline, "2026-11-21", "1", population(t, "2026-11-21", 20000, 2))
	if err := h.runner.Nightly(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := h.files(t)
	for _, suffix := range []string{"app_stable.baseline_v1", "app_derived.baseline_clients_daily_v1", "app_derived.baseline_clients_last_seen_v1"} {
		killWhileWriting(t, h, suffix)
		for name, digest := range h.files(t) {
			if before[name] != digest {
				t.Errorf("killed while writing %s: %s is not the old file", suffix, name)
			}
		}
	}
	if err := h.lake.Recover(0, 0); err != nil {
		t.Fatal(err)
	}
	if names := h.temps(t); len(names) > 0 {
		t.Errorf("left behind after recovery: %v", names)
	}
	h.events = nil
	if err := h.runner.Nightly(t.Context()); err != nil || len(h.events) > 0 {
		t.Errorf("nightly after the kills: %v %v, want nothing to do", h.events, err)
	}
}

// killWhileWriting starts a process that writes partitions in a loop and kills it
// once the table's temporary file is there.
func killWhileWriting(t *testing.T, h *house, table string) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestKilledLeavesTheOldPartition$")
	child.Env = append(os.Environ(), "PINGLAKE_TEST_KILL="+filepath.Dir(h.lake.Dir()))
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	temp := h.lake.TempFile(table + ".2026-11-21")
	deadline := time.Now().Add(time.Minute)
	for seen := false; !seen; {
		_, err := os.Stat(temp)
		seen = err == nil
		if !seen && time.Now().After(deadline) {
			t.Errorf("%s never came", temp)
			break
		}
	}
	if err := child.Process.Kill(); err != nil {
		t.Error(err)
	}
	var exit *exec.ExitError
	if err := child.Wait(); !errors.As(err, &exit) || exit.ExitCode() != -1 {
		t.Errorf("the writer ended by itself: %v", err)
	}
}

func runForEver(t *testing.T, dir string) {
	l, err := lake.Open(lake.Options{Dir: filepath.Join(dir, "lake"), Staging: filepath.Join(dir, "staging")})
	if err != nil {
		t.Fatal(err)
	}
	r, err := Open(Options{Lake: l})
	if err != nil {
		t.Fatal(err)
	}
	for {
		if err := r.RunDate(t.Context(), date(t, "2026-11-21"), RunOptions{}); err != nil {
			t.Fatal(err)
		}
	}
}

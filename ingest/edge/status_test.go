package edge

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// finds is a check with these findings.
func finds(name string, findings ...Finding) Check {
	return Check{name, func(context.Context) []Finding { return findings }}
}

func TestHeartbeat(t *testing.T) {
	ok, debug := finds("a"), finds("b", Finding{"edge.checks.D001", LevelDebug, "d"})
	info, warning := finds("c", Finding{"edge.checks.I001", LevelInfo, "i"}), finds("d", Finding{"edge.checks.W001", LevelWarning, "w"})
	failed := finds("e", Finding{"edge.checks.E001", LevelError, "e"}, Finding{"edge.checks.W002", LevelWarning, "v"})
	for _, c := range []struct {
		name   string
		checks []Check
		status int
		want   string
	}{
		{"no checks", nil, 200, `{"status":"ok","checks":{},"details":{}}`},
		{"well", []Check{ok}, 200, `{"status":"ok","checks":{"a":"ok"},"details":{}}`},
		{"debug", []Check{debug, ok}, 200, `{"status":"debug","checks":{"a":"ok","b":"debug"},"details":{"b":{"status":"debug","level":10,"messages":{"edge.checks.D001":"d"}}}}`},
		{"info", []Check{info}, 200, `{"status":"info","checks":{"c":"info"},"details":{"c":{"status":"info","level":20,"messages":{"edge.checks.I001":"i"}}}}`},
		{"the worst wins", []Check{warning, info}, 200, `{"status":"warning","checks":{"c":"info","d":"warning"},"details":{` +
			`"c":{"status":"info","level":20,"messages":{"edge.checks.I001":"i"}},"d":{"status":"warning","level":30,"messages":{"edge.checks.W001":"w"}}}}`},
		{"error, two findings", []Check{failed, ok}, 500, `{"status":"error","checks":{"a":"ok","e":"error"},"details":{` +
			`"e":{"status":"error","level":40,"messages":{"edge.checks.E001":"e","edge.checks.W002":"v"}}}}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := do(mustHandler(t, Options{Stream: &recorder{}, Checks: c.checks}), request(t, "GET /__heartbeat__ HTTP/1.1\nHost: x", ""))
			if diff := cmp.Diff(c.want+"\n", textOf(t, got)); got.StatusCode != c.status || diff != "" {
				t.Errorf("status %d, want %d\n%s", got.StatusCode, c.status, diff)
			}
		})
	}
}

// short is a check's findings as id and level.
func short(c Check) []string {
	var all []string
	for _, f := range c.Run(context.Background()) {
		all = append(all, f.ID+" "+f.Level.String())
	}
	return all
}

func TestCheckDisk(t *testing.T) {
	dir := t.TempDir()
	absent := filepath.Join(dir, "absent")
	for _, c := range []struct {
		name    string
		dir     string
		minFree int64
		want    []string
	}{
		{"off", dir, 0, nil},
		{"off, no folder", absent, 0, nil},
		{"one byte", dir, 1, nil},
		{"more than any disk has", dir, 1 << 62, []string{"edge.checks.E001 error"}},
		{"no folder", absent, 1, []string{"edge.checks.W001 warning"}},
		{"no folder, large threshold", absent, 1 << 62, []string{"edge.checks.W001 warning"}},
	} {
		check := CheckDisk(c.dir, c.minFree)
		if diff := cmp.Diff(c.want, short(check)); diff != "" || check.Name != "check_disk_bytes_free" {
			t.Errorf("%s: %s %s", c.name, check.Name, diff)
		}
	}
}

func TestCheckDiskAtTheVeryThreshold(t *testing.T) {
	dir := t.TempDir()
	// Others write to the disk too: try until it held still.
	for range 1000 {
		before, err := freeBytes(dir)
		if err != nil {
			t.Fatal(err)
		}
		exact, more := short(CheckDisk(dir, int64(before))), short(CheckDisk(dir, int64(before)+1))
		after, err := freeBytes(dir)
		if err != nil {
			t.Fatal(err)
		}
		if before != after {
			continue
		}
		if len(exact) != 0 || len(more) != 1 {
			t.Errorf("%d bytes free: found %q for as much, %q for one more", before, exact, more)
		}
		return
	}
	t.Skip("the disk's free bytes do not hold still")
}

func TestCheckStream(t *testing.T) {
	for _, c := range []struct {
		name         string
		taken, limit int64
		err          error
		want         []string
	}{
		{"empty", 0, 1000, nil, nil},
		{"pings wait for their batch", 500, 1000, nil, nil},
		{"nine tenths", 900, 1000, nil, nil},
		{"more", 901, 1000, nil, []string{"edge.checks.W002 warning"}},
		{"room for one more", 950, 1000, nil, []string{"edge.checks.W002 warning"}},
		{"no room", 951, 1000, nil, []string{"edge.checks.E003 error"}},
		{"over a limit that was lowered", 2000, 1000, nil, []string{"edge.checks.E003 error"}},
		{"does not answer", 0, 0, errors.New("closed"), []string{"edge.checks.E002 error"}},
	} {
		check := CheckStream(50, func(context.Context) (int64, int64, error) { return c.taken, c.limit, c.err })
		if diff := cmp.Diff(c.want, short(check)); diff != "" || check.Name != "check_queue_size" {
			t.Errorf("%s: %s %s", c.name, check.Name, diff)
		}
	}
}

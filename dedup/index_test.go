package dedup

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/google/go-cmp/cmp"
)

func open(t testing.TB, options Options) *Index {
	t.Helper()
	x, err := Open(options)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func closeIndex(t testing.TB, x *Index) {
	t.Helper()
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
}

func commit(t testing.TB, x *Index, c Commit) {
	t.Helper()
	if err := x.Commit(c); err != nil {
		t.Fatal(err)
	}
}

func seen(t testing.TB, x *Index, keys ...Key) []bool {
	t.Helper()
	got, err := x.Seen(keys)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func key(table string, id uint64) Key {
	k := Key{Table: table}
	binary.BigEndian.PutUint64(k.ID[8:], id)
	return k
}

func date(day int64) time.Time { return time.Unix(day*86400+3600, 0).UTC() }

func TestKeysAreSeenAfterTheirCommitOnly(t *testing.T) {
	options := Options{Dir: t.TempDir()}
	x := open(t, options)
	a, b, other := key("app.baseline", 1), key("app.baseline", 2), key("app.events", 1)
	if got := seen(t, x, a, b); cmp.Diff(got, []bool{false, false}) != "" {
		t.Errorf("empty index: seen %v", got)
	}
	commit(t, x, Commit{First: 1, Last: 3, Keys: []Key{a, a}, Day: 20000})
	want := []bool{true, false, false, true}
	if got := seen(t, x, a, b, other, a); cmp.Diff(got, want) != "" {
		t.Errorf("seen %v, want %v", got, want)
	}
	commit(t, x, Commit{First: 4, Last: 4, Keys: []Key{other}, Day: 20003})
	closeIndex(t, x)

	x = open(t, options)
	defer closeIndex(t, x)
	if first, last := x.Last(); first != 4 || last != 4 {
		t.Errorf("last span %d-%d after reopen, want 4-4", first, last)
	}
	want = []bool{true, false, true}
	if got := seen(t, x, a, b, other); cmp.Diff(got, want) != "" {
		t.Errorf("after reopen: seen %v, want %v", got, want)
	}
}

func TestCommitRefusesASpanThatDoesNotFollow(t *testing.T) {
	x := open(t, Options{Dir: t.TempDir()})
	defer closeIndex(t, x)
	commit(t, x, Commit{First: 5, Last: 9})
	cases := []struct {
		name   string
		commit Commit
		want   string
	}{
		{"the same span", Commit{First: 5, Last: 9}, "dedup: commit 5-9: span 9 is committed already"},
		{"overlap", Commit{First: 9, Last: 12}, "dedup: commit 9-12: span 9 is committed already"},
		{"backwards", Commit{First: 12, Last: 11}, "dedup: commit 12-11: span ends before it begins"},
		{"before 1970", Commit{First: 10, Last: 10, Day: -1}, "dedup: commit 10-10: day -1 is before 1970"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			c.commit.Keys = []Key{key("t", 1)}
			if err := x.Commit(c.commit); err == nil || err.Error() != c.want {
				t.Errorf("error %v, want %s", err, c.want)
			}
			if seen(t, x, key("t", 1))[0] {
				t.Error("a refused commit left its key")
			}
		})
	}
	commit(t, x, Commit{First: 20, Last: 20}) // spans may leave gaps: positions that were trimmed
}

func TestExpireDropsWholeDaysOlderThanTheWindow(t *testing.T) {
	cases := []struct {
		name  string
		today int64
		want  string // days of which the key is still seen
	}{
		{"all within", 20028, "20000 20001 20028"},
		{"the day after the window", 20029, "20001 20028"},
		{"two days at once", 20030, "20028"},
		{"long after", 20100, ""},
		{"a clock before 1970", -5, "20000 20001 20028"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			x := open(t, Options{Dir: t.TempDir()})
			defer closeIndex(t, x)
			days := []int32{20000, 20001, 20028}
			for i, day := range days {
				commit(t, x, Commit{First: uint64(i + 1), Last: uint64(i + 1), Keys: []Key{key("t", uint64(day))}, Day: day})
			}
			if err := x.Expire(date(c.today)); err != nil {
				t.Fatal(err)
			}
			var left []string
			for _, day := range days {
				if seen(t, x, key("t", uint64(day)))[0] {
					left = append(left, fmt.Sprint(day))
				}
			}
			if got := strings.Join(left, " "); got != c.want {
				t.Errorf("left %q, want %q", got, c.want)
			}
			if _, last := x.Last(); last != 3 {
				t.Errorf("the watermark went to %d", last)
			}
		})
	}
}

func TestExpireGivesTheDiskBack(t *testing.T) {
	dir := t.TempDir()
	x := open(t, Options{Dir: dir, WindowDays: 1})
	defer closeIndex(t, x)
	const keys = 200_000
	for day := range 3 {
		commit(t, x, Commit{First: uint64(day + 1), Last: uint64(day + 1), Keys: randomKeys(keys, uint64(day)), Day: int32(20000 + day)})
	}
	if err := x.db.Flush(); err != nil {
		t.Fatal(err)
	}
	before := diskUsage(t, dir)
	if err := x.Expire(date(20100)); err != nil {
		t.Fatal(err)
	}
	x.db.TestOnlyWaitForCleaning()
	after := diskUsage(t, dir)
	if before < 3*keys*16 {
		t.Errorf("%d bytes before expiry: the keys were not on disk", before)
	}
	// The write-ahead log is recycled, not freed; the tables must be gone.
	if after > 1<<20 {
		t.Errorf("%d bytes of tables left of %d", after, before)
	}
}

// diskUsage adds up the table files.
func diskUsage(t *testing.T, dir string) int64 {
	t.Helper()
	var size int64
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".sst" {
			return ignoreGone(err)
		}
		info, err := entry.Info()
		if err != nil {
			return ignoreGone(err)
		}
		size += info.Size()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return size
}

func ignoreGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func TestOpenRefusesANewerFormatWithAHint(t *testing.T) {
	dir := t.TempDir()
	x := open(t, Options{Dir: dir})
	if err := x.db.Set(metaFormat, encodeFormat(formatVersion+1), pebble.Sync); err != nil {
		t.Fatal(err)
	}
	closeIndex(t, x)
	want := "dedup: open " + dir + ": index has format 2, this pinglake knows up to 1: use the newer pinglake that wrote it"
	if _, err := Open(Options{Dir: dir}); err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestOpenReportsWhatContradicts(t *testing.T) {
	cases := []struct {
		name       string
		key, value []byte
		want       string
	}{
		{"short span", metaSpan, []byte{1}, "span record of 1 bytes, not 16"},
		{"short format", metaFormat, []byte{1}, "format record of 1 bytes, not 4"},
		{"a key of no known length", []byte{recordID, 0, 0, 0, 1, 9}, nil, "key 020000000109 is not an id record"},
		{"a table without a number", []byte{recordTable}, []byte("t"), "key 01 is not a table record"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			x := open(t, Options{Dir: dir})
			if err := x.db.Set(c.key, c.value, pebble.Sync); err != nil {
				t.Fatal(err)
			}
			closeIndex(t, x)
			checkCorrupt(t, dir, c.want)
		})
	}
}

func TestASecondOpenSaysThatTheFolderIsHeld(t *testing.T) {
	dir := t.TempDir()
	x := open(t, Options{Dir: dir})
	defer closeIndex(t, x)
	if _, err := Open(Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "another process holds the folder") {
		t.Errorf("error %v", err)
	}
}

func TestADamagedFileIsCorruptAndNamesTheFolder(t *testing.T) {
	cases := []struct {
		name   string
		damage func(path string, size int64) error
	}{
		{"shorter", func(path string, size int64) error { return os.Truncate(path, size/2) }},
		{"missing", func(path string, _ int64) error { return os.Remove(path) }},
		{"zeroes", func(path string, size int64) error { return os.WriteFile(path, make([]byte, size), 0o644) }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			x := open(t, Options{Dir: dir})
			commit(t, x, Commit{First: 1, Last: 1, Keys: randomKeys(1000, 1), Day: 20000})
			if err := x.db.Flush(); err != nil {
				t.Fatal(err)
			}
			closeIndex(t, x)
			tables, err := filepath.Glob(filepath.Join(dir, "*.sst"))
			if err != nil || len(tables) == 0 {
				t.Fatalf("tables %v, %v", tables, err)
			}
			for _, table := range tables {
				info, err := os.Stat(table)
				if err != nil {
					t.Fatal(err)
				}
				if err := c.damage(table, info.Size()); err != nil {
					t.Fatal(err)
				}
			}
			checkCorrupt(t, dir, "")
		})
	}
}

// checkCorrupt opens a damaged index and uses it: one of the two must tell.
func checkCorrupt(t *testing.T, dir, want string) {
	t.Helper()
	x, err := Open(Options{Dir: dir})
	if err == nil {
		defer closeIndex(t, x)
		_, err = x.Seen(randomKeys(10, 1))
	}
	if !errors.Is(err, ErrCorrupt) {
		t.Fatalf("error %v is not ErrCorrupt", err)
	}
	for _, part := range []string{dir, want, "restore the folder from a backup, or move it away"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not say %q", err, part)
		}
	}
}

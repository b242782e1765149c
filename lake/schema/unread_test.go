package schema

import (
	"bytes"
	"errors"
	"io/fs"
	"log/slog"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// flaky is a folder whose files cannot be opened while broken.
type flaky struct {
	fs.FS
	broken *atomic.Bool
}

func (f flaky) Open(name string) (fs.File, error) {
	if f.broken.Load() {
		return nil, &fs.PathError{Op: "open", Path: name, Err: syscall.EMFILE}
	}
	return f.FS.Open(name)
}

// withOrder opens a folder with the schema shop/order/1, which cannot be read while
// broken.
func withOrder(t *testing.T, log *bytes.Buffer) (r *Registry, dir string, broken *atomic.Bool) {
	t.Helper()
	dir = t.TempDir()
	write(t, dir, "shop/order/order.1.schema.json", schemaWith(withA))
	r, err := Open(Options{Dir: dir, Logger: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	return r, dir, breakOrder(r.index)
}

func breakOrder(x *index) *atomic.Bool {
	e, broken := x.entries[keyOf("shop", "order", "1")], new(atomic.Bool)
	broken.Store(true)
	e.folder = flaky{e.folder, broken}
	return broken
}

func TestSchemaThatCouldNotBeReadIsReadAgain(t *testing.T) {
	var log bytes.Buffer
	r, _, broken := withOrder(t, &log)
	for range 3 {
		if _, err := r.Lookup("shop", "order", "1"); !errors.Is(err, ErrUnknownDoctype) || !strings.Contains(err.Error(), "too many open files") {
			t.Fatal(err)
		}
	}
	if n := strings.Count(log.String(), "\n"); n != 1 {
		t.Errorf("%d lines logged:\n%s", n, &log)
	}
	if faults := r.Faults(); len(faults) != 1 || !strings.HasSuffix(faults[0].File, "order.1.schema.json") {
		t.Errorf("faults %v", faults)
	}
	broken.Store(false)
	if got := columnsNow(t, r); got != "a BIGINT" {
		t.Errorf("columns %s", got)
	}
	if faults := r.Faults(); len(faults) != 0 {
		t.Errorf("faults %v", faults)
	}
}

func TestReloadReadsAgainWhatCouldNotBeRead(t *testing.T) {
	r, dir, broken := withOrder(t, new(bytes.Buffer))
	broken.Store(false)
	columnsNow(t, r)

	// The altered file cannot be read at first: the doctype stays as it was.
	write(t, dir, "shop/order/order.1.schema.json", schemaWith(withA+`,"b":{"type":"string"}`))
	x, err := r.list()
	if err != nil {
		t.Fatal(err)
	}
	broken = breakOrder(x)
	if changed := r.compare(x, r.index); len(changed) != 0 {
		t.Errorf("changed %v", changed)
	}
	r.index = x
	for range 2 {
		if got := reload(t, r); got != "[]" || len(r.Faults()) != 1 {
			t.Errorf("changed %s, faults %v", got, r.Faults())
		}
		if got := columnsNow(t, r); got != "a BIGINT" {
			t.Errorf("columns %s", got)
		}
	}
	broken.Store(false)
	if got := reload(t, r); got != "[shop/order/1]" || len(r.Faults()) != 0 {
		t.Errorf("changed %s, faults %v", got, r.Faults())
	}
	if got := columnsNow(t, r); got != "a BIGINT, b VARCHAR" {
		t.Errorf("columns %s", got)
	}
	if got := reload(t, r); got != "[]" {
		t.Errorf("changed again: %s", got)
	}
}

func TestWatchTellsOfWhatCouldBeReadAtLast(t *testing.T) {
	for _, c := range []struct {
		what string
		then func(t *testing.T, r *Registry)
	}{
		{"by watching", func(*testing.T, *Registry) {}},
		{"by a lookup", func(t *testing.T, r *Registry) { columnsNow(t, r) }},
	} {
		t.Run(c.what, func(t *testing.T) {
			r, _, broken := withOrder(t, new(bytes.Buffer))
			r.retry = 10 * time.Millisecond
			if _, err := r.Lookup("shop", "order", "1"); err == nil {
				t.Fatal("an unreadable schema was read")
			}
			told := watched(t, r)
			broken.Store(false)
			c.then(t, r)
			waitFor(t, told, "shop/order/1")
			if r.behind() {
				t.Error("something is left to read or to tell")
			}
		})
	}
}

package schema

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fastjson"
	"go.uber.org/goleak"
)

func reload(t testing.TB, r *Registry) string {
	t.Helper()
	changed, err := r.Reload()
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(changed)
}

func columnsNow(t testing.TB, r *Registry) string {
	t.Helper()
	d, err := r.Lookup("shop", "order", "1")
	if err != nil {
		t.Fatal(err)
	}
	table, err := d.Table()
	if err != nil {
		t.Fatal(err)
	}
	return describeColumns(table.Columns[len(systemColumns("")) : len(table.Columns)-1])
}

func TestReload(t *testing.T) {
	const file = "shop/order/order.1.schema.json"
	dir := t.TempDir()
	write(t, dir, file, schemaWith(withA))
	r := open(t, dir)
	if got := columnsNow(t, r); got != "a BIGINT" {
		t.Fatal(got)
	}
	for _, step := range []struct{ what, schema, changed, columns, fault string }{
		{"nothing", "", "[]", "a BIGINT", ""},
		{"a column more", schemaWith(withA + `,"b":{"type":"string"}`), "[shop/order/1]", "a BIGINT, b VARCHAR", ""},
		{"a column less", schemaWith(withA), "[shop/order/1]", "a BIGINT, b VARCHAR", ""},
		{"another type", schemaWith(`"a":{"type":"string"}`), "[]", "a BIGINT, b VARCHAR", "column a would change from BIGINT to VARCHAR: publish it as a new version"},
		{"the removed column with another type", schemaWith(withA + `,"b":{"type":"integer"}`), "[]", "a BIGINT, b VARCHAR", "column b would change from VARCHAR to BIGINT"},
		{"half a file", `{"type":`, "[]", "a BIGINT, b VARCHAR", "not JSON"},
		{"nothing again", "", "[]", "a BIGINT, b VARCHAR", "not JSON"},
		{"nested", schemaWith(withA + `,"c":{"type":"object","properties":{"x":{"type":"integer"}}}`), "[shop/order/1]", "a BIGINT, c STRUCT(x BIGINT), b VARCHAR", ""},
		{"nested, another member", schemaWith(withA + `,"c":{"type":"object","properties":{"y":{"type":"integer"}}}`), "[shop/order/1]", "a BIGINT, c STRUCT(y BIGINT, x BIGINT), b VARCHAR", ""},
		{"nested, another type", schemaWith(withA + `,"c":{"type":"object","properties":{"y":{"type":"array","items":{"type":"integer"}}}}`), "[]", "a BIGINT, c STRUCT(y BIGINT, x BIGINT), b VARCHAR", "column c.y would change from BIGINT to LIST"},
	} {
		if step.schema != "" {
			write(t, dir, file, step.schema)
		}
		if got := reload(t, r); got != step.changed {
			t.Errorf("%s: changed %s", step.what, got)
		}
		if got := columnsNow(t, r); got != step.columns {
			t.Errorf("%s: columns %s", step.what, got)
		}
		faults := fmt.Sprint(r.Faults())
		if (faults != "[]") != (step.fault != "") || !strings.Contains(faults, step.fault) {
			t.Errorf("%s: faults %s", step.what, faults)
		}
	}
	d, err := r.Lookup("shop", "order", "1")
	if err != nil {
		t.Fatal(err)
	}
	row, left := rowJSON(t, d, `{"a":1,"b":"still","c":{"x":1,"y":2}}`)
	sameJSON(t, "row", row, `{"a":1,"b":"still","c":{"x":1,"y":2}}`)
	sameJSON(t, "left over", left, `{}`)
}

func TestReloadValidatesByTheNewSchema(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "shop/order/order.1.schema.json", schemaWith(withA))
	r := open(t, dir)
	columnsNow(t, r)
	write(t, dir, "shop/order/order.1.schema.json", `{"required":["b"],`+schemaWith(withA)[1:])
	reload(t, r)
	d, err := r.Lookup("shop", "order", "1")
	if err != nil {
		t.Fatal(err)
	}
	if d.Validate(fastjson.MustParse(`{"a":1}`)) == nil {
		t.Error("the old schema still answers")
	}
}

func TestReloadFindsAddedAndRemovedFiles(t *testing.T) {
	dir := t.TempDir()
	r := open(t, dir)
	write(t, dir, "shop/order/order.1.schema.json", schemaWith(withA), "shop/bad/bad.1.schema.json", `{`, "till/app.toml", "glean = true")
	if got, want := reload(t, r), "[shop/order/1 till/baseline/1 till/deletion-request/1 till/events/1 till/metrics/1]"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if faults := r.Faults(); len(faults) != 1 {
		t.Errorf("faults %v", faults)
	}
	for _, name := range []string{"shop", "till"} {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if got := reload(t, r); got != "[]" {
		t.Errorf("changed %s", got)
	}
	for _, name := range []string{"shop/order", "till/baseline"} {
		namespace, doctype, _ := strings.Cut(name, "/")
		if _, err := r.Lookup(namespace, doctype, "1"); !errors.Is(err, ErrUnknownDoctype) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if faults := r.Faults(); len(faults) != 0 {
		t.Errorf("faults %v", faults)
	}
}

func TestReloadOfTheGleanSchemaReachesEveryPing(t *testing.T) {
	dir := t.TempDir()
	r := open(t, dir)
	if _, err := arrive(r, "my-app", "learnt"); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "glean/glean/glean.1.schema.json", schemaWith(`"extra_column":{"type":"integer"}`))
	want := "[glean/glean/1 my-app/baseline/1 my-app/deletion-request/1 my-app/events/1 my-app/learnt/1 my-app/metrics/1]"
	if got := reload(t, r); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	d, err := r.Lookup("my-app", "learnt", "1")
	if err != nil {
		t.Fatal(err)
	}
	if columnNamed(d.columns, "extra_column") == nil || columnNamed(d.columns, "client_info") == nil {
		t.Errorf("columns %s", describeColumns(d.columns))
	}
	write(t, dir, "glean/glean/glean.1.schema.json", schemaWith(`"client_info":{"type":"string"}`))
	if got := reload(t, r); got != "[]" || len(r.Faults()) != 1 {
		t.Errorf("changed %s, faults %v", got, r.Faults())
	}
	if again, err := r.Lookup("my-app", "learnt", "1"); err != nil || again != d {
		t.Errorf("the ping did not stay: %v", err)
	}
}

func TestSchemaForAPingThatWasGleanKeepsItsColumns(t *testing.T) {
	dir := t.TempDir()
	r := open(t, dir)
	write(t, dir, "my-app/metrics/metrics.1.schema.json", schemaWith(withA))
	if got := reload(t, r); got != "[my-app/metrics/1]" {
		t.Errorf("changed %s", got)
	}
	d, err := r.Lookup("my-app", "metrics", "1")
	if err != nil {
		t.Fatal(err)
	}
	if columnNamed(d.columns, "a") == nil || columnNamed(d.columns, "ping_info") == nil {
		t.Errorf("columns %s", describeColumns(d.columns))
	}
}

// watched runs Watch and hands out what it tells of.
func watched(t *testing.T, r *Registry) <-chan string {
	t.Helper()
	told := make(chan string, 100)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- r.Watch(ctx, func(changed []*Doctype) {
			for _, d := range changed {
				told <- d.String()
			}
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return told
}

// waitFor reads names until the wanted ones were told.
func waitFor(t *testing.T, told <-chan string, want ...string) {
	t.Helper()
	missing := map[string]bool{}
	for _, name := range want {
		missing[name] = true
	}
	deadline := time.After(20 * time.Second)
	for len(missing) > 0 {
		select {
		case name := <-told:
			delete(missing, name)
		case <-deadline:
			t.Fatalf("not told of %v", missing)
		}
	}
}

func TestWatchTellsWhatChanged(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	t.Run("watching", func(t *testing.T) {
		dir := t.TempDir()
		write(t, dir, "shop/order/order.1.schema.json", schemaWith(withA))
		r := open(t, dir)
		columnsNow(t, r)
		write(t, dir, "shop/before/before.1.schema.json", schemaWith(withA))
		told := watched(t, r)
		waitFor(t, told, "shop/before/1")

		write(t, dir, "shop/order/order.1.schema.json", schemaWith(withA+`,"b":{"type":"string"}`))
		waitFor(t, told, "shop/order/1")
		if got := columnsNow(t, r); got != "a BIGINT, b VARCHAR" {
			t.Errorf("columns %s", got)
		}
		write(t, dir, "new-namespace/deep/deep.1.schema.json", schemaWith(withA))
		waitFor(t, told, "new-namespace/deep/1")
		write(t, dir, "new-namespace/deep/deep.2.schema.json", schemaWith(withA))
		waitFor(t, told, "new-namespace/deep/2")

		if err := r.AddApp("my-shop"); err != nil {
			t.Fatal(err)
		}
		waitFor(t, told, "my-shop/baseline/1", "my-shop/deletion-request/1", "my-shop/events/1", "my-shop/metrics/1")
	})
}

func TestWatchWithoutAFolder(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := open(t, "").Watch(ctx, nil); err != nil {
		t.Error(err)
	}
	if err := open(t, filepath.Join(t.TempDir(), "none")).Watch(ctx, nil); err == nil {
		t.Error("a folder that is not there is watched")
	}
}

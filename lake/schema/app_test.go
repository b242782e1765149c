package schema

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAddedAppAnswersForAnyPing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "schemas-to-be")
	r := open(t, dir)
	if _, err := r.Lookup("my-shop", "baseline", "1"); !errors.Is(err, ErrUnknownDoctype) {
		t.Fatal(err)
	}
	for range 2 {
		if err := r.AddApp("my-shop"); err != nil {
			t.Fatal(err)
		}
	}
	d, err := arrive(r, "my-shop", "shopping-cart")
	if err != nil {
		t.Fatal(err)
	}
	table, err := d.Table()
	if err != nil || table.String() != "my_shop_live.shopping_cart_v1" {
		t.Errorf("table %v, %v", table, err)
	}
	want := "[my-shop/baseline/1 my-shop/deletion-request/1 my-shop/events/1 my-shop/metrics/1 my-shop/shopping-cart/1]"
	if got := fmt.Sprint(r.Doctypes()[5:]); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if _, err := open(t, dir).Lookup("my-shop", "metrics", "1"); err != nil {
		t.Errorf("after a restart: %v", err)
	}
	files, err := os.ReadDir(filepath.Join(dir, "my-shop"))
	if err != nil || len(files) != 1 || files[0].Name() != "app.toml" {
		t.Errorf("files %v, %v", files, err)
	}
}

func TestNamesOfApps(t *testing.T) {
	r := open(t, t.TempDir())
	for _, name := range []string{"", "My-Shop", "1shop", "-a", "a/b", "../a", "a.b", strings.Repeat("a", 101),
		"telemetry", "monitoring", "payload-bytes-raw", "shop-live", "shop_derived"} {
		if err := r.AddApp(name); err == nil {
			t.Errorf("%q was added", name)
		}
	}
	for _, name := range []string{"a", "org_mozilla-fenix2", strings.Repeat("a", 100), "my-app"} {
		if err := r.AddApp(name); err != nil {
			t.Error(err)
		}
	}
	if err := open(t, "").AddApp("shop"); err == nil {
		t.Error("added without a folder")
	}
}

// arrive is a valid ping of a Glean app.
func arrive(r *Registry, namespace, doctype string) (*Doctype, error) {
	d, err := r.Lookup(namespace, doctype, "1")
	if err != nil {
		return nil, err
	}
	return d, r.Accept(d)
}

func TestAppsPingsAreBounded(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "shop/app.toml", "glean = true\nmax_pings = 6\n")
	r := open(t, dir)
	// Names that only broken pings bear take no place.
	var late *Doctype
	for i := range 2 * maxOffered {
		var err error
		if late, err = r.Lookup("shop", fmt.Sprintf("junk-%d", i), "1"); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"a", "b", "a"} {
		if _, err := arrive(r, "shop", name); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Accept(late); !errors.Is(err, ErrUnknownDoctype) {
		t.Errorf("a valid ping too many: %v", err)
	}
	_, err := r.Lookup("shop", "c", "1")
	if !errors.Is(err, ErrUnknownDoctype) || !strings.Contains(err.Error(), "max_pings") {
		t.Errorf("the seventh: %v", err)
	}
	r.Learn("shop", "seen_before")
	for _, name := range []string{"seen-before", "b", "baseline"} {
		if _, err := r.Lookup("shop", name, "1"); err != nil {
			t.Error(err)
		}
	}
	if _, err := r.Lookup("shop", "d", "2"); !errors.Is(err, ErrUnknownVersion) {
		t.Error(err)
	}
}

func TestLearnLeavesOthersAlone(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "shop/app.toml", "glean = true", "shop/order/order.2.schema.json", schemaWith(withA))
	r := open(t, dir)
	before := fmt.Sprint(r.Doctypes())
	r.Learn("nobody", "baseline")
	r.Learn("shop", "order")
	r.Learn("shop", "deletion_request")
	r.Learn("shop", "No Ping")
	if got := fmt.Sprint(r.Doctypes()); got != before {
		t.Errorf("got  %s\nwant %s", got, before)
	}
}

func TestOwnSchemaOfAnAppsPingGoesBeforeGlean(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "shop/app.toml", "glean = true", "shop/metrics/metrics.1.schema.json", schemaWith(withA))
	r := open(t, dir)
	d, err := r.Lookup("shop", "metrics", "1")
	if err != nil {
		t.Fatal(err)
	}
	if got := describeColumns(d.columns); got != "a BIGINT" {
		t.Errorf("columns %s", got)
	}
	if got := strings.Count(fmt.Sprint(r.Doctypes()), "shop/metrics/1"); got != 1 {
		t.Errorf("it is known %d times", got)
	}
}

func TestOddAppFiles(t *testing.T) {
	for _, c := range []struct {
		text         string
		known, fault bool
	}{
		{"glean = true", true, false},
		{"glean = false", false, false},
		{"", false, false},
		{"glean = true\nmax_ping = 3", true, true},
		{"glean = 'yes'", false, true},
		{"glean", false, true},
	} {
		dir := t.TempDir()
		write(t, dir, "shop/app.toml", c.text)
		r := open(t, dir)
		_, err := r.Lookup("shop", "baseline", "1")
		if (err == nil) != c.known || (len(r.Faults()) > 0) != c.fault {
			t.Errorf("%q: %v, faults %v", c.text, err, r.Faults())
		}
	}
}

func TestOwnGleanSchemaIsUsedForApps(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "glean/glean/glean.1.schema.json", schemaWith(`"metrics":{"type":"object","properties":{
		"url":{"type":"object","additionalProperties":{"type":"string"}},"zeta":{"type":"integer"}}}`))
	r := open(t, dir)
	d, err := r.Lookup("my-app", "baseline", "1")
	if err != nil {
		t.Fatal(err)
	}
	if got := describeColumns(d.columns); got != "metrics STRUCT(url2 MAP(VARCHAR), zeta BIGINT)" {
		t.Errorf("columns %s", got)
	}
	row, left := rowJSON(t, d, `{"metrics":{"url":{"a.b":"c:d"}}}`)
	sameJSON(t, "row", row, `{"metrics":{"url2":{"a.b":"c:d"}}}`)
	sameJSON(t, "left over", left, `{}`)

	write(t, dir, "glean/glean/glean.1.schema.json", `{"broken`)
	r = open(t, dir)
	if _, err := r.Lookup("my-app", "baseline", "1"); err != nil {
		t.Errorf("with a broken file the embedded one should do: %v", err)
	}
	if len(r.Faults()) != 1 {
		t.Errorf("faults %v", r.Faults())
	}
}

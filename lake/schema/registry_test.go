package schema

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/valyala/fastjson"
)

// write puts files into a folder: pairs of a path and its content. It replaces by
// rename, as an operator's tools do.
func write(t testing.TB, dir string, files ...string) {
	t.Helper()
	for i := 0; i < len(files); i += 2 {
		name := filepath.Join(dir, files[i])
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		temp := filepath.Join(dir, ".temp")
		if err := os.WriteFile(temp, []byte(files[i+1]), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(temp, name); err != nil {
			t.Fatal(err)
		}
	}
}

func open(t testing.TB, dir string) *Registry {
	t.Helper()
	r, err := Open(Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func schemaWith(properties string) string {
	return `{"type":"object","properties":{` + properties + `}}`
}

const withA = `"a":{"type":"integer"}`

func TestLookup(t *testing.T) {
	dir := t.TempDir()
	write(t, dir,
		"live-sink/my.Doc/my.Doc.1.schema.json", schemaWith(withA),
		"shop/order/order.1.schema.json", schemaWith(withA),
		"shop/order/order.2.schema.json", schemaWith(withA),
		"shop/broken/broken.1.schema.json", `{"type":`,
		"shop/odd/odd.1.schema.json", `{"type":"integre"}`,
	)
	r := open(t, dir)
	for _, c := range []struct {
		asked string
		want  string // the doctype found
		err   error
	}{
		{"shop/order/1", "shop/order/1", nil},
		{"shop/order/2", "shop/order/2", nil},
		{"Shop/ORDER/2", "shop/order/2", nil},
		{"shop/order/3", "", ErrUnknownVersion},
		{"shop/order/", "", ErrUnknownVersion},
		{"shop/orders/1", "", ErrUnknownDoctype},
		{"shop/../1", "", ErrUnknownDoctype},
		{"shops/order/1", "", ErrUnknownDoctype},
		{"//", "", ErrUnknownDoctype},
		{"liveSink/my.Doc/1", "live-sink/my.Doc/1", nil},
		{"live_sink/MY.Doc/1", "live-sink/my.Doc/1", nil},
		{"live_sink/my.doc/1", "", ErrUnknownDoctype},
		{"shop/broken/1", "", ErrUnknownDoctype},
		{"shop/odd/1", "", ErrUnknownDoctype},
		{"my-app/signup/1", "my-app/signup/1", nil},
		{"my-app/signup/2", "", ErrUnknownVersion},
		{"my-app/baseline/1", "my-app/baseline/1", nil},
		{"my_app/deletion_request/1", "my-app/deletion-request/1", nil},
		{"my-app/baseline/2", "", ErrUnknownVersion},
		{"my-app/Not_A_Ping/1", "", ErrUnknownDoctype},
		{"glean/glean/1", "", ErrUnknownDoctype},
	} {
		parts := strings.Split(c.asked, "/")
		for range 2 { // the second answer comes from the cache
			d, err := r.Lookup(parts[0], parts[1], strings.Join(parts[2:], "/"))
			if !errors.Is(err, c.err) || err != nil && c.err == nil || d != nil && d.String() != c.want {
				t.Errorf("%s: %v, %v; want %s, %v", c.asked, d, err, c.want, c.err)
			}
			if err != nil && !strings.HasPrefix(err.Error(), parts[0]+"/"+parts[1]) {
				t.Errorf("%s: the error does not say so: %v", c.asked, err)
			}
		}
	}
	faults := r.Faults()
	if len(faults) != 2 || !strings.HasSuffix(faults[0].File, "broken.1.schema.json") || !strings.HasSuffix(faults[1].File, "odd.1.schema.json") {
		t.Errorf("faults %v", faults)
	}
}

func TestFolderGoesBeforeEmbedded(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "my_app/signup/signup.1.schema.json", schemaWith(withA))
	d, err := open(t, dir).Lookup("my-app", "signup", "1")
	if err != nil {
		t.Fatal(err)
	}
	if got := describeColumns(d.columns); got != "a BIGINT" {
		t.Errorf("columns %s", got)
	}
}

func TestMissingFolderIsEmpty(t *testing.T) {
	r := open(t, filepath.Join(t.TempDir(), "none"))
	if len(r.Doctypes()) == 0 || len(r.Faults()) > 0 {
		t.Errorf("doctypes %v, faults %v", r.Doctypes(), r.Faults())
	}
}

func TestEmbeddedDoctypes(t *testing.T) {
	r := open(t, "")
	if got, want := fmt.Sprint(r.Doctypes()), "[my-app/baseline/1 my-app/deletion-request/1 my-app/events/1 my-app/metrics/1 my-app/signup/1]"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	d, err := r.Lookup("my-app", "signup", "1")
	if err != nil {
		t.Fatal(err)
	}
	const want = "amount DOUBLE, client_id VARCHAR, extra MAP(VARCHAR), newsletter BOOLEAN, plan VARCHAR, " +
		"referrer STRUCT(campaign VARCHAR, currency VARCHAR), seats BIGINT, signed_up_at TIMESTAMP, tags VARCHAR[]"
	if got := describeColumns(d.columns); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	payload := `{"client_id":"c1ad2577-aa23-4e35-a1e0-aeb60dc34228","plan":"team","amount":10,"signedUpAt":"2026-11-22T19:41:10Z","extra":{"a":"b"}}`
	if err := d.Validate(fastjson.MustParse(payload)); err != nil {
		t.Error(err)
	}
	if err := d.Validate(fastjson.MustParse(`{"client_id":"me","plan":"team"}`)); err == nil {
		t.Error("a client_id that is no UUID is valid")
	}
}

func TestOpenReadsNoSchemaBeforeItIsAskedFor(t *testing.T) {
	dir := t.TempDir()
	for i := range 1000 {
		doctype := fmt.Sprintf("ping%d", i)
		name := filepath.Join(dir, fmt.Sprintf("ns%d", i%80), doctype, doctype+".1.schema.json")
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(`{"broken`), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	r := open(t, dir)
	if faults := r.Faults(); len(faults) > 0 {
		t.Fatalf("%d files were read", len(faults))
	}
	if _, err := r.Lookup("ns7", "ping7", "1"); !errors.Is(err, ErrUnknownDoctype) {
		t.Error(err)
	}
	if faults := r.Faults(); len(faults) != 1 {
		t.Errorf("%d faults after one was asked for", len(faults))
	}
}

func TestFilesThatMeanNothing(t *testing.T) {
	dir := t.TempDir()
	write(t, dir,
		"shop/order/order.1.schema.json", schemaWith(withA),
		"shop/order/other.1.schema.json", schemaWith(withA),
		"shop/order/order.schema.json", schemaWith(withA),
		"shop/Order/Order.1.schema.json", schemaWith(withA),
		"shop/order/.order.1.schema.json", schemaWith(withA),
		"shop/order/README.md", "text",
		"README.md", "text",
		".git/order/order.1.schema.json", schemaWith(withA),
	)
	r := open(t, dir)
	var faults []string
	for _, f := range r.Faults() {
		faults = append(faults, strings.TrimPrefix(f.String(), dir+"/"))
	}
	got := strings.Join(faults, "\n")
	want := "shop/order/order.1.schema.json: same doctype as " + dir + "/shop/Order/Order.1.schema.json\n" +
		"shop/order/order.schema.json: file name is not order.<version>.schema.json\n" +
		"shop/order/other.1.schema.json: file name is not order.<version>.schema.json"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestCheckoutNeedsPipelineMetadata(t *testing.T) {
	dir := t.TempDir()
	write(t, dir,
		"schemas/shop/order/order.1.schema.json", schemaWith(withA),
		"schemas/shop/sale/sale.1.schema.json", `{"mozPipelineMetadata":{},"type":"object"}`)
	r := open(t, dir)
	if _, err := r.Lookup("shop", "order", "1"); !errors.Is(err, ErrUnknownDoctype) {
		t.Errorf("a schema that is not for pings: %v", err)
	}
	if _, err := r.Lookup("shop", "sale", "1"); err != nil {
		t.Error(err)
	}
	if faults := r.Faults(); len(faults) > 0 {
		t.Errorf("faults %v", faults)
	}
}

func TestManyAskAtOnce(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "shop/order/order.1.schema.json", richSchema, "shop/app.toml", "glean = true")
	r := open(t, dir)
	var wait sync.WaitGroup
	for i := range 16 {
		wait.Go(func() {
			for j := range 30 {
				d, err := r.Lookup("shop", "order", "1")
				if err != nil {
					t.Error(err)
					return
				}
				if err := d.Validate(fastjson.MustParse(`{"test_int":1}`)); err != nil {
					t.Error(err)
				}
				if _, err := d.Row(Document{Payload: fastjson.MustParse(`{"list_list":[["a"]]}`)}); err != nil {
					t.Error(err)
				}
				if _, err := arrive(r, "shop", fmt.Sprintf("ping-%d", j)); err != nil {
					t.Error(err)
				}
				r.Learn("shop", fmt.Sprintf("learnt_%d", j))
				if i == 0 {
					if _, err := r.Reload(); err != nil {
						t.Error(err)
					}
				}
				r.Doctypes()
				r.Faults()
			}
		})
	}
	wait.Wait()
	if n := len(r.Doctypes()); n != 5+1+4+60 {
		t.Errorf("%d doctypes", n)
	}
}

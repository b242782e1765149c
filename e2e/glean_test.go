package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// gleanJS is the version of @mozilla/glean that the shop's import map is for.
const gleanJS = "5.0.10"

// nodeModules is the folder in which npm put Glean.js, or skips.
func nodeModules(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("E2E_NODE_MODULES")
	if dir == "" {
		t.Skip("no Glean.js here: npm install @mozilla/glean@" + gleanJS + " anywhere, and E2E_NODE_MODULES=<that folder>/node_modules")
	}
	text, err := os.ReadFile(filepath.Join(dir, "@mozilla", "glean", "package.json"))
	if err != nil {
		t.Fatal(err)
	}
	var found struct{ Version string }
	if decodeJSON(t, string(text), &found); found.Version != gleanJS {
		t.Fatalf("%s has Glean.js %s, want %s", dir, found.Version, gleanJS)
	}
	return dir
}

// shop is a web site with Glean.js in its pages.
type shop struct {
	*httptest.Server
	next chan string // where the visitor goes next
}

func openShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{next: make(chan string)}
	routes := http.NewServeMux()
	routes.Handle("GET /", http.FileServer(http.Dir(filepath.Join("testdata", "shop"))))
	routes.Handle("GET /node_modules/", http.StripPrefix("/node_modules/", http.FileServer(http.Dir(nodeModules(t)))))
	routes.HandleFunc("GET /next", func(w http.ResponseWriter, r *http.Request) {
		select {
		case page := <-s.next:
			_, _ = io.WriteString(w, page) // a visitor that is gone is seen by the test
		case <-r.Context().Done():
		}
	})
	routes.HandleFunc("POST /fault", func(_ http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		if err != nil {
			text = []byte(err.Error())
		}
		t.Errorf("the shop's page: %s", text)
	})
	s.Server = httptest.NewServer(routes)
	t.Cleanup(s.Close)
	return s
}

// page is the path of the shop's page for a visit that sends its pings to edge.
func page(edge, visit string) string {
	return "/?" + url.Values{"edge": {edge}, "visit": {visit}}.Encode()
}

// visitor is a browser with the shop open.
type visitor struct {
	*program
	shop *shop
	edge string
}

// visit opens the shop in a browser, for a first visit.
func (s *shop) visit(t *testing.T, chromium, edge string) *visitor {
	t.Helper()
	p := start(t, chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--ignore-certificate-errors",
		"--user-data-dir="+t.TempDir(), "--no-first-run", "--disable-dev-shm-usage", "--disable-breakpad", "--enable-logging=stderr",
		// It knows no host but this one, so nothing of it leaves the machine.
		"--disable-background-networking", "--disable-component-update", "--no-proxy-server",
		"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
		s.URL+page(edge, "buy"))
	return &visitor{p, s, edge}
}

// goOn sends the visitor to the shop's page for another visit.
func (v *visitor) goOn(visit string) {
	v.t.Helper()
	select {
	case v.shop.next <- page(v.edge, visit):
	case <-v.ended:
		v.t.Fatalf("the browser ended before %s: %v", visit, v.err)
	case <-time.After(patience):
		v.t.Fatalf("the page does not ask where to go: %s", visit)
	}
}

// leave closes the browser.
func (v *visitor) leave() {
	v.t.Helper()
	if err := v.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		v.t.Fatal(err)
	}
	_ = v.wait() // ended by a signal is as good as any
}

// tlsEdge is the address of the edge that speaks TLS.
func (d *daemon) tlsEdge() string {
	d.t.Helper()
	for line := range strings.Lines(d.log.String()) {
		var serving struct{ Msg, TLS string }
		if json.Unmarshal([]byte(line), &serving) == nil && serving.Msg == "serving" && serving.TLS != "" {
			return serving.TLS
		}
	}
	d.t.Fatal("the daemon tells no address of its TLS edge")
	return ""
}

func TestGleanJSInABrowserOverTLS(t *testing.T) {
	chromium := lookFor(t, "chromium", "apt-get install chromium")
	shop := openShop(t)
	data := t.TempDir()
	d := serve(t, data, "--tls-addr", "127.0.0.1:0", "--tls-self-signed")
	if r := pinglake(t, "schema", "add-app", "my-shop", "--data", data); r.code != 0 {
		t.Fatal(r.err)
	}
	visitor := shop.visit(t, chromium, "https://"+d.tlsEdge())

	// Without tags Glean.js sends beacons: no headers of its own, nothing packed.
	visitor.untilRows(data, `SELECT ping_info.reason, metrics.counter['basket.items'], client_info.app_channel, client_info.app_display_version, normalized_channel,
		metadata.user_agent.browser, metadata.user_agent.os, metadata.header.x_telemetry_agent, metadata.header.x_debug_id FROM my_shop.purchase`,
		"checkout,2,nightly,7.8.9,nightly,Chrome,Linux,NULL,NULL")
	visitor.untilRows(data, "SELECT e.category, e.name, e.extra['sku'] FROM (SELECT unnest(events) AS e FROM my_shop.events)", "basket,item_added,tea-500g")

	// With tags it fetches: gzip and its own headers, which the edge must allow first.
	visitor.goOn("debug")
	visitor.untilRows(data, `SELECT metrics.counter['basket.items'], metadata.header.x_debug_id, metadata.header.x_source_tags,
		metadata.header.x_telemetry_agent LIKE 'Glean/`+gleanJS+`%' FROM my_shop.purchase WHERE ping_info.reason = 'one_click'`,
		`1,shop-under-test,"automation,shop",true`)
	visitor.goOn("leave")
	visitor.untilRows(data, "SELECT ping_info.reason FROM my_shop.deletion_request", "set_upload_enabled")
	visitor.leave()
	d.stop()

	noRejects(t, data)
	for sql, want := range map[string]string{
		// One visitor, who is the one that asks to be forgotten.
		`SELECT count(DISTINCT c), count(DISTINCT id), count(*) FROM (
			SELECT client_info.client_id AS c, document_id AS id FROM my_shop.purchase UNION ALL
			SELECT client_info.client_id, document_id FROM my_shop.events UNION ALL
			SELECT client_info.client_id, document_id FROM my_shop.deletion_request)`: "1,4,4",
		// What came over the wire, gzip's magic number or a brace.
		`SELECT split_part(uri, '/', 4), CASE WHEN hex(payload) LIKE '1F8B%' THEN 'gzip' WHEN hex(payload) LIKE '7B%' THEN 'plain' END,
			host = '` + d.tlsEdge() + `' FROM payload_bytes_raw.structured ORDER BY ALL`: "deletion-request,plain,true events,plain,true purchase,gzip,true purchase,plain,true",
	} {
		if got := strings.Join(query(t, data, sql), " "); got != want {
			t.Errorf("%s\n got %s\nwant %s", sql, got, want)
		}
	}
}

package e2e

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// captured is a request of a real client as it arrived on the wire.
type captured struct {
	Method  string
	URL     string
	Headers map[string]string
	Body    string `json:"body_base64"`
}

func readCaptured(t *testing.T) []captured {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(shared(t, "fixtures", "glean"), "*-POST.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all []captured
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var c captured
		if err := json.Unmarshal(text, &c); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all = append(all, c)
	}
	return all
}

func (c captured) header() http.Header {
	header := http.Header{}
	for name, value := range c.Headers {
		switch name {
		case "host", "connection", "content-length":
		default:
			header.Set(name, value)
		}
	}
	return header
}

func TestCapturedClientsSentTwiceAreStoredOnce(t *testing.T) {
	data := t.TempDir()
	requests := readCaptured(t)
	d := serve(t, data)
	for _, name := range []string{"my-shop", "my-cli", "firefox-desktop"} {
		if r := pinglake(t, "schema", "add-app", name, "--data", data); r.code != 0 {
			t.Fatal(r.err)
		}
	}
	eventually(t, data, "SELECT count(*) FROM information_schema.schemata WHERE schema_name IN ('my_shop_live', 'my_cli_live', 'firefox_desktop_live')", "3")

	sent := map[string]map[string]bool{} // table -> document_ids
	for _, c := range requests {
		parts := strings.Split(c.URL, "/")
		if len(parts) != 6 || parts[2] == "telemetry" {
			continue
		}
		body, err := base64.StdEncoding.DecodeString(c.Body)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if status := d.post(c.URL, c.header(), body); status != http.StatusOK {
				t.Fatalf("%s: %d", c.URL, status)
			}
		}
		table := strings.ReplaceAll(parts[2]+"_live."+parts[3]+"_v1", "-", "_")
		if sent[table] == nil {
			sent[table] = map[string]bool{}
		}
		sent[table][parts[5]] = true
	}
	if len(sent) < 6 {
		t.Fatalf("only %d tables were sent to", len(sent))
	}
	d.stop()
	for table, ids := range sent {
		got := query(t, data, "SELECT document_id FROM "+table+" ORDER BY ALL")
		var want []string
		for id := range ids {
			want = append(want, id)
		}
		sort.Strings(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-sent +stored):\n%s", table, diff)
		}
	}
	var kept int
	for _, ids := range sent {
		kept += len(ids)
	}
	rows := query(t, data, "SELECT reason, count(*) FROM payload_bytes_error.structured GROUP BY ALL ORDER BY ALL")
	raws := query(t, data, "SELECT count(*) FROM payload_bytes_raw.structured")[0]
	if want := fmt.Sprintf("duplicate,%d", atoi(t, raws)-kept); len(rows) != 1 || rows[0] != want {
		t.Errorf("rejects: got %q, want %s", rows, want)
	}
}

func TestAddressesReachNoFile(t *testing.T) {
	data := t.TempDir()
	d := serve(t, data)
	header := http.Header{"X-Forwarded-For": {"203.0.113.77, 10.0.0.1"}}
	d.post("/submit/my-app/baseline/1/"+newID(1), header, baseline(newID(2)))
	d.post("/submit/my-app/baseline/1/"+newID(1), header, baseline(newID(2))) // duplicate
	d.post("/submit/my-app/nothing-known/7/"+newID(3), header, []byte("{}"))  // reject
	d.stop()
	for _, table := range []string{"my_app_live.baseline_v1", "payload_bytes_raw.structured", "payload_bytes_error.structured"} {
		got := query(t, data, "SELECT count(*) FROM "+table+" t WHERE t::VARCHAR LIKE '%203.0.113%' OR t::VARCHAR LIKE '%127.0.0.1,%'")
		if got[0] != "0" {
			t.Errorf("%s has %s rows with an address", table, got[0])
		}
	}
	if got := query(t, data, "SELECT reason FROM payload_bytes_error.structured ORDER BY 1"); strings.Join(got, " ") != "duplicate unknown_doctype" &&
		strings.Join(got, " ") != "duplicate unknown_version" {
		t.Errorf("reasons: %q", got)
	}
}

func base64Text(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

func atoi(t *testing.T, text string) int {
	t.Helper()
	var n int
	if _, err := fmt.Sscan(text, &n); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return n
}

// newID is the n-th document_id or client_id of a test.
func newID(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }

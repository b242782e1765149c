package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// corpusPing is one file of the validation corpus.
type corpusPing struct {
	name    string // of the file
	id, uri string
	table   string
	pass    bool
}

// newCorpusPing reads the name <namespace>/<doctype>.<version>.<case>.<pass|fail>.json.
func newCorpusPing(t *testing.T, file string, body []byte, number int) corpusPing {
	t.Helper()
	namespace := filepath.Base(filepath.Dir(file))
	parts := strings.Split(filepath.Base(file), ".")
	if len(parts) != 5 || parts[3] != "pass" && parts[3] != "fail" {
		t.Fatalf("%s is not named as the corpus is", file)
	}
	doctype, version, id := parts[0], parts[1], newID(number)
	uri := fmt.Sprintf("/submit/%s/%s/%s/%s", namespace, doctype, version, id)
	if namespace == "telemetry" {
		uri = fmt.Sprintf("/submit/telemetry/%s/%s/Firefox/100.0/release/20260101000000", id, doctype)
		version = ownVersion(body, version)
	}
	return corpusPing{
		name: namespace + "/" + filepath.Base(file), id: id, uri: uri, pass: parts[3] == "pass",
		table: strings.ReplaceAll(fmt.Sprintf("%s_live.%s_v%s", namespace, doctype, version), "-", "_"),
	}
}

// ownVersion is the version that a telemetry ping says of itself, which is what
// counts and not its file's name.
func ownVersion(body []byte, otherwise string) string {
	var says struct{ Version, V any }
	if json.Unmarshal(body, &says) != nil {
		return otherwise
	}
	for _, version := range []any{says.Version, says.V} {
		if version != nil {
			return fmt.Sprint(version)
		}
	}
	return otherwise
}

// neverStored are pings of the corpus that have no row though their schema accepts
// them: nobody wants them, their time is over, or they hold what a user typed and
// are dropped.
var neverStored = map[string]string{
	"telemetry/frecency-update":                   "unwanted",
	"messaging-system/whats-new-panel":            "expired",
	"contextual-services/quicksuggest-impression": "",
}

func (p corpusPing) want() string {
	for prefix, reason := range neverStored {
		if strings.HasPrefix(p.name, prefix) && p.pass {
			return reason
		}
	}
	if p.pass {
		return p.table
	}
	return "refused"
}

// The schemas' own sample pings, each sent over HTTP: what should pass is a row of
// its table, what should fail is an error row, and nothing is both or neither.
func TestTheValidationCorpusOverHTTP(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(shared(t, "fixtures", "mozilla-pipeline-schemas"), "validation", "*", "*.json"))
	if err != nil || len(files) < 100 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	data := t.TempDir()
	d := serve(t, data, "--schemas", shared(t, "fixtures", "mozilla-pipeline-schemas"))
	var pings []corpusPing
	tables := map[string]bool{}
	for i, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		ping := newCorpusPing(t, file, body, i+1)
		if status := d.post(ping.uri, nil, body); status != http.StatusOK {
			t.Fatalf("%s: %d", ping.name, status)
		}
		pings = append(pings, ping)
		tables[ping.table] = true
	}
	d.stop()

	var sql []string
	for table := range tables {
		sql = append(sql, fmt.Sprintf("SELECT document_id, '%s' FROM %s", table, table))
	}
	for _, family := range []string{"structured", "telemetry"} {
		sql = append(sql, "SELECT document_id, reason FROM payload_bytes_error."+family)
	}
	found := map[string][]string{}
	for _, line := range query(t, data, strings.Join(sql, " UNION ALL ")) {
		id, where, _ := strings.Cut(line, ",")
		found[id] = append(found[id], where)
	}
	for _, ping := range pings {
		got := strings.Join(found[ping.id], " ")
		switch want := ping.want(); {
		case want == "refused" && (got == "schema_violation" || got == "missing_version"):
		case got != want:
			t.Errorf("%s: found as %q, want %q", ping.name, got, want)
		}
	}
}

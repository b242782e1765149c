package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const clickSchema = `{
  "$schema": "http://json-schema.org/draft-07/schema#",
  "type": "object",
  "required": ["button"],
  "properties": {
    "button": {"type": "string", "maxLength": 20},
    "xPosition": {"type": "integer"}%s
  }
}`

func writeSchema(t *testing.T, data, version, more string) {
	t.Helper()
	file := filepath.Join(data, "schemas", "my-site", "click", "click."+version+".schema.json")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, fmt.Appendf(nil, clickSchema, more), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestASchemaDroppedInIsServedWithoutARestart(t *testing.T) {
	data := t.TempDir()
	d := serve(t, data)
	writeSchema(t, data, "1", "")
	eventually(t, data, `SELECT string_agg(table_schema || '.' || table_name, ' ' ORDER BY table_schema) FROM information_schema.tables WHERE table_name LIKE 'click%'`,
		"my_site.click_my_site_live.click_v1_my_site_stable.click_v1")
	d.post("/submit/my-site/click/1/"+newID(1), nil, []byte(`{"button":"buy","xPosition":7,"surprise":true}`))
	d.post("/submit/my-site/click/1/"+newID(2), nil, []byte(`{"xPosition":7}`))
	eventually(t, data, "SELECT button, x_position, additional_properties->>'surprise' FROM my_site.click", "buy,7,true")
	eventually(t, data, "SELECT reason FROM payload_bytes_error.structured", "schema_violation")

	// A new column comes, old rows have none of it.
	writeSchema(t, data, "1", `, "weight": {"type": "number"}`)
	eventually(t, data, "SELECT count(*) FROM information_schema.columns WHERE table_schema = 'my_site' AND column_name = 'weight'", "1")
	d.post("/submit/my-site/click/1/"+newID(3), nil, []byte(`{"button":"sell","weight":1.5}`))
	eventually(t, data, "SELECT button, weight FROM my_site.click ORDER BY ALL", "buy,NULL sell,1.5")
	d.stop()
}

func TestACheckoutOfSchemasServes(t *testing.T) {
	checkout := shared(t, "fixtures", "mozilla-pipeline-schemas")
	data := t.TempDir()
	d := serve(t, data, "--schemas", checkout)
	passes, err := filepath.Glob(filepath.Join(checkout, "validation", "telemetry", "main.4.*.pass.json"))
	if err != nil || len(passes) == 0 {
		t.Fatalf("passing pings: %v, %v", passes, err)
	}
	for i, file := range passes {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if status := d.post("/submit/telemetry/"+newID(i)+"/main/Firefox/100.0/release/20260101", nil, body); status != 200 {
			t.Fatalf("%s: %d", file, status)
		}
	}
	fails, err := filepath.Glob(filepath.Join(checkout, "validation", "telemetry", "main.4.*.fail.json"))
	if err != nil || len(fails) == 0 {
		t.Fatalf("failing pings: %v, %v", fails, err)
	}
	for i, file := range fails {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		d.post("/submit/telemetry/"+newID(1000+i)+"/main/Firefox/100.0/release/20260101", nil, body)
	}
	d.stop()
	want := fmt.Sprint(len(passes))
	if got := query(t, data, "SELECT count(*) FROM telemetry.main"); got[0] != want {
		t.Errorf("stored %s, want %s; rejects: %q", got[0], want,
			query(t, data, "SELECT error_message FROM payload_bytes_error.telemetry WHERE document_id NOT LIKE '%00001___'"))
	}
	// One of them has no version, without which there is no schema to break.
	want = fmt.Sprintf("missing_version,1 schema_violation,%d", len(fails)-1)
	if got := strings.Join(query(t, data, "SELECT reason, count(*) FROM payload_bytes_error.telemetry GROUP BY ALL ORDER BY ALL"), " "); got != want {
		t.Errorf("rejects %s, want %s", got, want)
	}
}

func TestTheOfficialShellReadsTheCatalogWhileTheDaemonRuns(t *testing.T) {
	shell, err := exec.LookPath("duckdb")
	if err != nil {
		t.Skip("the official duckdb shell is not here: pip install duckdb-cli==1.5.6")
	}
	data := t.TempDir()
	d := serve(t, data)
	d.post("/submit/my-app/baseline/1/"+newID(1), nil, baseline(newID(2)))
	eventually(t, data, "SELECT count(*) FROM my_app.baseline", "1")
	for _, ask := range [][]string{
		{"-readonly", filepath.Join(data, "lake", "lake.duckdb"), "-csv", "-noheader", "-c", "SELECT document_id, bits28.to_string(5) FROM my_app.baseline"},
		{"-init", filepath.Join(data, "lake", "init.sql"), "-csv", "-noheader", "-c", "SELECT document_id, mozfun.bits28.to_string(5) FROM my_app.baseline"},
	} {
		cmd := exec.Command(shell, ask...)
		cmd.Dir = t.TempDir()
		out, err := cmd.CombinedOutput()
		if want := newID(1) + "," + strings.Repeat("0", 25) + "101"; err != nil || !strings.Contains(string(out), want) {
			t.Errorf("duckdb %q: %v\n%s", ask, err, out)
		}
	}
	d.stop()
}

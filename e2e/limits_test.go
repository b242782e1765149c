package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAFullStreamRefusesAndLosesNothing(t *testing.T) {
	data := t.TempDir()
	t.Setenv("PINGLAKE_STREAM_MAX_BYTES", "16MiB")
	t.Setenv("PINGLAKE_SINK_ENABLED", "false")
	d := serve(t, data)
	large := append(baseline(newID(900)), strings.Repeat(" ", 1<<20)...)
	answered := 0
	for i := range 100 {
		status := d.post("/submit/my-app/baseline/1/"+newID(i), nil, large)
		if status == http.StatusInsufficientStorage {
			break
		}
		if status != http.StatusOK {
			t.Fatalf("status %d", status)
		}
		answered++
	}
	if answered < 8 || answered > 16 {
		t.Errorf("%d pings of 1 MiB were taken into 16 MiB", answered)
	}
	d.stop()

	// With the sink on, what was answered lands, and there is room again.
	t.Setenv("PINGLAKE_SINK_ENABLED", "true")
	d = serve(t, data)
	eventually(t, data, "SELECT count(DISTINCT document_id) FROM my_app_live.baseline_v1", fmt.Sprint(answered))
	if status := d.post("/submit/my-app/baseline/1/"+newID(500), nil, large); status != http.StatusOK {
		t.Errorf("after the landing: status %d", status)
	}
	d.stop()
}

func TestImportNamesTheLinesItLeavesOut(t *testing.T) {
	data := t.TempDir()
	file := filepath.Join(t.TempDir(), "messages.ndjson")
	message := func(timestamp string) string {
		return `{"attributeMap":{"uri":"/submit/my-app/baseline/1/` + newID(1) + `","submission_timestamp":"` + timestamp + `"},"payload":"` +
			base64Text(baseline(newID(2))) + `"}`
	}
	lines := []string{message("2026-01-02T03:04:05Z"), "hello", message("1969-07-20T20:17:00Z"), message("yesterday"), `{"attributeMap":{}}`, strings.Repeat("x", 65<<20), message("2026-01-03T03:04:05Z")}
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o644); err != nil {
		t.Fatal(err)
	}
	r := pinglake(t, "import", "--data", data, file)
	if r.code != 1 || !strings.Contains(r.out, "imported 2 messages, left out 5 lines") {
		t.Errorf("exit %d: %s", r.code, r.out)
	}
	for _, want := range []string{":2: message: not JSON", ":3: append: raw is refused: submission_timestamp 1969", ":4: message: submission_timestamp", ":5: message: attributeMap has no uri", ":6: the line is longer than"} {
		if !strings.Contains(r.err, file+want) {
			t.Errorf("no %q in\n%s", want, r.err)
		}
	}
	// The two good ones are of one id.
	if got := query(t, data, countByID); got[0] != "1,1" {
		t.Errorf("stored %s", got[0])
	}
}

func TestASchemaThatDoesNotFitItsTableStopsNoOther(t *testing.T) {
	data := t.TempDir()
	writeSchema(t, data, "1", "")
	d := serve(t, data)
	d.post("/submit/my-site/click/1/"+newID(1), nil, []byte(`{"button":"buy","xPosition":7}`))
	d.stop()
	file := filepath.Join(data, "schemas", "my-site", "click", "click.1.schema.json")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(text), `"integer"`, `"string"`, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	d = serve(t, data)
	if !strings.Contains(d.log.String(), "publish the schema as a new version") {
		t.Errorf("the log says nothing of it:\n%s", d.log)
	}
	d.post("/submit/my-site/click/1/"+newID(2), nil, []byte(`{"button":"buy","xPosition":"left"}`))
	d.post("/submit/my-app/baseline/1/"+newID(3), nil, baseline(newID(4)))
	d.stop()
	if got := strings.Join(query(t, data, "SELECT document_id, reason FROM payload_bytes_error.structured"), " "); got != newID(2)+",unknown_version" {
		t.Errorf("rejects: %s", got)
	}
	if got := query(t, data, countByID); got[0] != "1,1" {
		t.Errorf("the other table has %s", got[0])
	}
}

func TestWrongSettingsAreToldAllAtOnce(t *testing.T) {
	t.Setenv("PINGLAKE_SINK_BATCH_ROWZ", "1")
	t.Setenv("PINGLAKE_LOG_LEVEL", "loud")
	data := t.TempDir()
	if err := os.WriteFile(filepath.Join(data, "pinglake.toml"), []byte("[edge]\nmax_bodi = \"1MiB\"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	r := pinglake(t, "serve", "--data", data)
	if r.code != 2 {
		t.Errorf("exit %d", r.code)
	}
	for _, want := range []string{"edge.max_bodi", "PINGLAKE_SINK_BATCH_ROWZ", "log.level", "did you mean"} {
		if !strings.Contains(r.err, want) {
			t.Errorf("no %q in\n%s", want, r.err)
		}
	}
}

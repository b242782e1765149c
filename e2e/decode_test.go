package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type message struct {
	Attributes map[string]string `json:"attributeMap"`
	Payload    []byte            `json:"payload"`
}

func (m message) line(t *testing.T) string {
	t.Helper()
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(text) + "\n"
}

func readMessages(t *testing.T, text string) (all []message) {
	t.Helper()
	for line := range strings.Lines(text) {
		var m message
		decodeJSON(t, line, &m)
		all = append(all, m)
	}
	return all
}

// decodeInput is a stub ping, a good ping, its twin, a bad ping and a ping without
// a schema.
func decodeInput(t *testing.T) string {
	t.Helper()
	at := func(second int) string { return fmt.Sprintf("2026-11-22T00:00:%02d.000001Z", second) }
	stub := "/stub/v6" + strings.Repeat("/1", 35)
	good := message{map[string]string{"uri": "/submit/my-app/baseline/1/" + newID(1), "submission_timestamp": at(1), "x_forwarded_for": "203.0.113.77"}, baseline(newID(9))}
	return message{map[string]string{"uri": stub, "submission_timestamp": at(0)}, nil}.line(t) +
		good.line(t) + good.line(t) + "\n" +
		message{map[string]string{"uri": "/submit/my-app/baseline/1/" + newID(2), "submission_timestamp": at(2)}, []byte(`{"ping_info":7}`)}.line(t) +
		message{map[string]string{"uri": "/submit/nobody/baseline/1/" + newID(3), "submission_timestamp": at(3)}, []byte(`{}`)}.line(t)
}

func TestDecodeIsAFilter(t *testing.T) {
	dir := t.TempDir()
	input, rejects := filepath.Join(dir, "in.ndjson"), filepath.Join(dir, "rejects.ndjson")
	if err := os.WriteFile(input, []byte(decodeInput(t)), 0o644); err != nil {
		t.Fatal(err)
	}
	once := pinglake(t, "decode", "--data", dir, "--errors", rejects, input)
	if once.code != 0 || !strings.Contains(once.err, "decoded 2 pings, rejected 3 messages, dropped 0, left out 0 lines") {
		t.Fatalf("exit %d: %s", once.code, once.err)
	}
	var got []string
	for _, m := range readMessages(t, once.out) {
		got = append(got, m.Attributes["document_id"])
		if _, ok := m.Attributes["x_forwarded_for"]; ok {
			t.Error("a decoded ping keeps the client's address")
		}
	}
	if diff := cmp.Diff([]string{newID(1), newID(1)}, got); diff != "" {
		t.Error(diff)
	}
	text, err := os.ReadFile(rejects)
	if err != nil {
		t.Fatal(err)
	}
	var classes []string
	for _, m := range readMessages(t, string(text)) {
		classes = append(classes, m.Attributes["error_type"]+" "+m.Attributes["exception_class"])
	}
	notFound := "ParsePayload com.mozilla.telemetry.ingestion.core.schema.SchemaNotFoundException"
	want := []string{notFound, "ParsePayload org.everit.json.schema.ValidationException", notFound}
	if diff := cmp.Diff(want, classes); diff != "" {
		t.Error(diff)
	}

	again := filepath.Join(dir, "once.ndjson")
	if err := os.WriteFile(again, []byte(once.out), 0o644); err != nil {
		t.Fatal(err)
	}
	twice := pinglake(t, "decode", "--data", dir, again)
	if twice.code != 0 || twice.out != once.out || twice.err != "" {
		t.Errorf("decoding its own output: exit %d, %s\n%s", twice.code, twice.err, cmp.Diff(once.out, twice.out))
	}
	if entries, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(entries) != 3 {
		t.Errorf("decode left %q, %v", entries, err)
	}
}

func TestDecodeTellsWhatIsNoMessage(t *testing.T) {
	dir := t.TempDir()
	input := filepath.Join(dir, "in.ndjson")
	if err := os.WriteFile(input, []byte("nonsense\n"+decodeInput(t)), 0o644); err != nil {
		t.Fatal(err)
	}
	r := pinglake(t, "decode", "--data", dir, input)
	if r.code != 1 || !strings.HasPrefix(r.err, input+":1: message: not JSON at byte 2") || strings.Count(r.out, "\n") != 2 {
		t.Errorf("exit %d, %d lines out, err %s", r.code, strings.Count(r.out, "\n"), r.err)
	}
	for _, args := range [][]string{
		{"decode", "--data", dir, filepath.Join(dir, "missing")},
		{"decode", "--data", dir, "--schemas", filepath.Join(dir, "missing"), input},
		{"decode", "--data", dir, "--errors", filepath.Join(dir, "missing", "x"), input},
		{"decode", "--data", dir, "--geo-city", filepath.Join(dir, "missing"), input},
		{"decode", "--data", dir, "--geo-skip", "-1", input},
		{"decode", "--data", dir, "--scrub", filepath.Join(dir, "missing"), input},
		{"decode", "--data", dir, "a", "b"},
	} {
		if r := pinglake(t, args...); r.code != 2 || strings.Count(r.err, "\n") != 1 || r.out != "" {
			t.Errorf("%q: exit %d, %s", args[2:], r.code, r.err)
		}
	}
}

func TestDecodeWritesFilesByATemplate(t *testing.T) {
	dir := t.TempDir()
	input := filepath.Join(dir, "in.ndjson")
	if err := os.WriteFile(input, []byte(decodeInput(t)), 0o644); err != nil {
		t.Fatal(err)
	}
	template := filepath.Join(dir, "out", "${document_namespace}", "${x_debug_id:-none}", "${submission_date}.ndjson")
	r := pinglake(t, "decode", "--data", dir, "--errors", filepath.Join(dir, "rejects"), "--output", template, input)
	if r.code != 0 || r.out != "" {
		t.Fatalf("exit %d: %s%s", r.code, r.out, r.err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "out", "my-app", "none", "2026-11-22.ndjson"))
	if err != nil || len(readMessages(t, string(text))) != 2 {
		t.Errorf("%q, %v", text, err)
	}
	if r := pinglake(t, "decode", "--data", dir, "--output", "${nobody", input); r.code != 2 || !strings.Contains(r.err, "is not closed") {
		t.Errorf("exit %d: %s", r.code, r.err)
	}
	if r := pinglake(t, "decode", "--data", dir, "--output", filepath.Join(dir, "${nobody}"), input); r.code != 1 ||
		strings.Count(r.err, "the ping has no nobody and there is no default") != 2 {
		t.Errorf("exit %d: %s", r.code, r.err)
	}
}

// Decoded pings go through the line as requests do, and land where they should.
func TestImportTakesWhatDecodeGives(t *testing.T) {
	dir := t.TempDir()
	input := filepath.Join(dir, "in.ndjson")
	if err := os.WriteFile(input, []byte(decodeInput(t)), 0o644); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(dir, "data")
	decoded := filepath.Join(dir, "decoded.ndjson")
	if err := os.WriteFile(decoded, []byte(pinglake(t, "decode", "--data", data, input).out), 0o644); err != nil {
		t.Fatal(err)
	}
	if r := pinglake(t, "import", "--data", data, decoded); r.code != 0 {
		t.Fatal(r.err)
	}
	got := query(t, data, "SELECT document_id, client_info.client_id, sample_id >= 0, submission_timestamp FROM my_app_live.baseline_v1")
	want := []string{newID(1) + "," + newID(9) + ",true,2026-11-22_00:00:01.000001"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := query(t, data, "SELECT reason FROM payload_bytes_error.structured"); strings.Join(got, " ") != "duplicate" {
		t.Errorf("error rows: %q", got)
	}
}

package decode

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"

	"pinglake/ingest"
	"pinglake/lake/schema"
)

const (
	documentID = "2C3A0767-d84a-4d02-8a92-fa54a3376049"
	baseline   = "/submit/my-app/baseline/1/" + documentID
	good       = `{"ping_info":{"seq":0,"start_time":"2026-01-01T00:00+00:00","end_time":"2026-01-01T00:01+00:00"},` +
		`"client_info":{"telemetry_sdk_build":"1","client_id":"2907648D-711b-4e9f-94b5-52a2b40a44b1","os":"Windows_NT",` +
		`"os_version":"10.0.19045.1","app_channel":"nightly-cck-x","app_build":"1","app_display_version":"1","architecture":"x86",` +
		`"first_run_date":"2026-01-01+00:00"}}`
)

func newDecoder(t testing.TB) *Decoder {
	t.Helper()
	registry, err := schema.Open(schema.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return New(Options{Schemas: registry})
}

func rawOf(uri, body string) *ingest.Raw {
	return &ingest.Raw{
		URI:       uri,
		Submitted: time.Date(2026, 11, 22, 12, 0, 0, 123456000, time.UTC),
		Attributes: map[string]string{
			"method": "POST", "protocol": "HTTP/1.1", "host": "lake:8080", "args": "",
			"remote_addr": "192.0.2.1", "x_forwarded_for": "203.0.113.9, 192.0.2.7",
			"user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:85.0) Gecko/20100101 Firefox/85.0",
		},
		Body: []byte(body),
	}
}

func gzipped(t testing.TB, texts ...string) string {
	t.Helper()
	var packed bytes.Buffer
	for _, text := range texts {
		w := gzip.NewWriter(&packed)
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return packed.String()
}

func TestAPingIsKnownByItsAttributes(t *testing.T) {
	result, err := newDecoder(t).Decode(rawOf(baseline, gzipped(t, good)))
	if err != nil || len(result.Pings) != 1 {
		t.Fatalf("%d pings, %v", len(result.Pings), err)
	}
	ping := result.Pings[0]
	want := map[string]string{
		"method": "POST", "protocol": "HTTP/1.1", "host": "lake:8080", "args": "", "uri": baseline,
		"client_compression": "gzip",
		"document_namespace": "my-app", "document_type": "baseline", "document_version": "1", "document_id": documentID,
		"client_id": "2907648d-711b-4e9f-94b5-52a2b40a44b1", "sample_id": "67",
		"app_update_channel": "nightly-cck-x", "normalized_channel": "nightly",
		"os": "Windows_NT", "normalized_os": "Windows", "os_version": "10.0.19045.1", "normalized_os_version": "10.0.19045",
		"user_agent_browser": "Firefox", "user_agent_version": "85", "user_agent_os": "Linux",
	}
	if diff := cmp.Diff(want, ping.Attributes); diff != "" {
		t.Errorf("attributes:\n%s", diff)
	}
	if got := ping.ID.String(); got != strings.ToLower(documentID) {
		t.Errorf("id %s", got)
	}
	if got := ping.Row.Table.String(); got != "my_app_live.baseline_v1" || schema.FormatDate(ping.Row.Date) != "2026-11-22" {
		t.Errorf("row of %s on %s", got, schema.FormatDate(ping.Row.Date))
	}
}

func TestRejectsSayWhy(t *testing.T) {
	decoder := newDecoder(t)
	for _, c := range []struct {
		uri, body string
		want      string // the reject; "" for none
	}{
		{baseline, good, ""},
		{baseline + "/", good, ""},
		{baseline, good + " trailing", ""},
		{baseline, "\xef\xbb\xbf" + good, ""},
		{baseline, gzipped(t, good[:20], good[20:]), ""},
		{baseline, gzipped(t, good) + "garbage", ""},
		{baseline, gzipped(t, good) + "\x1f\x8bgarbage", ""},
		{baseline, "", "not_an_object: json value is not an object"},
		{baseline, " \n", "not_an_object: json value is not an object"},
		{baseline, "hello", "invalid_json: byte 0 is 'h' where a value is expected"},
		{baseline, gzipped(t, good)[:40], "invalid_json: byte 0 is '\\x1f' where a value is expected"},
		{baseline, `{"a":"` + "\xff" + `"}`, "invalid_json: invalid UTF-8 at byte 6"},
		{baseline, "[]", "not_an_object: json value is not an object"},
		{"/submit/my-app/baseline/2/" + documentID, good, "unknown_version: No schema with name: my-app/baseline/baseline.2.schema.json"},
		{"/submit/nobody/baseline/1/" + documentID, good, "unknown_doctype: No such docType: nobody/baseline"},
		{"/submit/telemetry/" + documentID + "/main/Firefox/1/release/2", good, "unknown_doctype"},
		{baseline, `{"ping_info":7}`, "schema_violation"},
		{baseline, strings.Repeat(" ", DefaultMaxPayload-len(good)) + good, ""},
		{baseline, strings.Repeat(" ", DefaultMaxPayload-len(good)+1) + good, "payload_too_large: Message payload is 8388609bytes, larger than the configured limit of 8388608"},
		{baseline, gzipped(t, strings.Repeat(" ", DefaultMaxPayload)+good), "payload_too_large: Message payload is more than 8388608bytes, larger than the configured limit of 8388608"},
	} {
		result, err := decoder.Decode(rawOf(c.uri, c.body))
		if c.want == "" {
			if err != nil || len(result.Pings) != 1 {
				t.Errorf("%s %.40q: %d pings, %v", c.uri, c.body, len(result.Pings), err)
			}
			continue
		}
		var reject *ingest.RejectError
		if !errors.As(err, &reject) || !strings.HasPrefix(reject.Error(), c.want) {
			t.Errorf("%s %.40q:\n got %v\nwant %s", c.uri, c.body, err, c.want)
			continue
		}
		for name, value := range reject.Attributes {
			if strings.Contains(value, "192.0.2.") || strings.Contains(value, "203.0.113.") {
				t.Errorf("%s: the reject keeps an address in %s", c.uri, name)
			}
		}
	}
}

func TestAClientCanNotSpeakForTheServer(t *testing.T) {
	liar := `{"metadata":{"geo":{"city":"Nowhere"},"header":{"x_debug_id":"no"}},"submission_timestamp":"2001-01-01T00:00:00Z",` +
		`"document_id":"11111111-1111-4111-8111-111111111111","sample_id":99,"normalized_channel":"esr",` + good[1:]
	decoder := newDecoder(t)
	honest, err := decoder.Decode(rawOf(baseline, good))
	if err != nil {
		t.Fatal(err)
	}
	lying, err := decoder.Decode(rawOf(baseline, liar))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(cells(honest.Pings[0].Row), cells(lying.Pings[0].Row)); diff != "" {
		t.Errorf("what a client says of itself changed its row:\n%s", diff)
	}
}

// cells is a row as text, a line a value.
func cells(row schema.Row) string {
	var b strings.Builder
	for _, c := range row.Cells {
		fmt.Fprintf(&b, "%s r%d d%d %d %q\n", strings.Join(row.Table.Leaves()[c.Leaf].Path, "."), c.Rep, c.Def, c.Num, c.Bytes)
	}
	return b.String()
}

func TestAPanicIsOneReject(t *testing.T) {
	decoder := New(Options{Schemas: panicking{newDecoder(t).Schemas}, Geo: openGeo(t, GeoOptions{City: geoFile(t, "city.mmdb", cityDatabase(t))})})
	for _, uri := range []string{"/submit/panic/baseline/1/" + documentID, "/submit/panic/main/7/" + documentID} {
		raw := rawOf(uri, gzipped(t, good))
		_, err := decoder.Decode(raw)
		var reject *ingest.RejectError
		if !errors.As(err, &reject) || reject.Reason != ingest.DecoderPanic {
			t.Fatalf("got %v", err)
		}
		row := columns(decoder.ErrorRow(raw, reject))
		if !strings.Contains(row["stack_trace"], "panicking.Lookup") || row["error_message"] != "pinglake.DecoderPanic: a fault of ours" || row["document_id"] != documentID {
			t.Errorf("got %q", row)
		}
		for name, value := range row {
			if strings.Contains(value, "192.0.2.") || strings.Contains(value, "203.0.113.") {
				t.Errorf("the row keeps an address in %s", name)
			}
		}
		if result, err := decoder.Decode(rawOf(baseline, good)); err != nil || len(result.Pings) != 1 {
			t.Errorf("the next ping: %v", err)
		}
	}
}

// panicking panics for one namespace.
type panicking struct{ Schemas }

func (p panicking) Lookup(namespace, doctype, version string) (*schema.Doctype, error) {
	if namespace == "panic" {
		panic("a fault of ours")
	}
	return p.Schemas.Lookup(namespace, doctype, version)
}

// columns are a flat row's values by column.
func columns(row schema.Row) map[string]string {
	values := map[string]string{}
	for _, c := range row.Cells {
		values[row.Table.Leaves()[c.Leaf].Path[0]] = string(c.Bytes)
	}
	return values
}

func TestErrorRowsExplainThemselves(t *testing.T) {
	raw := rawOf("/submit/nobody/baseline/1/"+documentID, gzipped(t, good))
	raw.Attributes["x_debug_id"] = strings.Repeat("é", 600)
	decoder := newDecoder(t)
	_, err := decoder.Decode(raw)
	var reject *ingest.RejectError
	if !errors.As(err, &reject) {
		t.Fatalf("got %v", err)
	}
	row := decoder.ErrorRow(raw, reject)
	if again := decoder.ErrorRow(raw, reject); again.Table != row.Table {
		t.Error("two error rows of one family are of two tables: each would get a file of its own")
	}
	got := columns(row)
	if got["reason"] != "unknown_doctype" || got["error_type"] != "ParsePayload" || got["document_namespace"] != "nobody" ||
		got["document_id"] != documentID || got["user_agent"] == "" {
		t.Errorf("got %q", got)
	}
	if tag := got["x_debug_id"]; len(tag) > 1024 || !strings.HasSuffix(tag, "é...") {
		t.Errorf("a long value of %d bytes: %.20q", len(tag), tag)
	}
	plain, err := gunzip([]byte(got["payload"]), 1<<20)
	if err != nil || string(plain) != good {
		t.Errorf("the payload is %.40q, %v", plain, err)
	}
}

func BenchmarkDecode(b *testing.B) {
	decoder := newDecoder(b)
	raw := rawOf(baseline, gzipped(b, good))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := decoder.Decode(raw); err != nil {
			b.Fatal(err)
		}
	}
}

func TestErrorRowsAreOfTheirFamily(t *testing.T) {
	decoder := newDecoder(t)
	for _, c := range []struct{ uri, namespace, want string }{
		{"/submit/telemetry/x", "", "telemetry"},
		{"/submit/a/b/1/x", "", "structured"},
		{"/stub/v6", "", "stub_installer"},
		{"/elsewhere", "", "structured"},
		{"", "telemetry", "telemetry"},
		{"", "my-app", "structured"},
	} {
		raw := &ingest.Raw{URI: c.uri, Attributes: map[string]string{"document_namespace": c.namespace}}
		errors, landfill := decoder.ErrorRow(raw, &ingest.RejectError{Reason: ingest.InvalidJSON}), decoder.LandfillRow(raw)
		if got := errors.Table.Name + " " + landfill.Table.Name; got != c.want+" "+c.want {
			t.Errorf("%s %s: %s", c.uri, c.namespace, got)
		}
	}
}

func newDecoderOf(schemas Schemas) *Decoder { return New(Options{Schemas: schemas}) }

type unknownDoctypes struct{}

func (unknownDoctypes) Names(_, _ string) (schema.Names, bool) { return schema.Names{}, false }

func (unknownDoctypes) Accept(*schema.Doctype) error { return nil }

func (unknownDoctypes) Lookup(_, _, _ string) (*schema.Doctype, error) {
	return nil, schema.ErrUnknownDoctype
}

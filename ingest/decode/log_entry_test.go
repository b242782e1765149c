package decode

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pinglake/ingest"
)

func TestLogEntries(t *testing.T) {
	const (
		fields = `"document_id":"1-1-1-1-1","document_namespace":"shop","document_type":"order","document_version":"1","user_agent":"Chrome/90","payload":"{\"n\":1,\"document_id\":\"2-2-2-2-2\"}"`
		ping   = `document_id=1-1-1-1-1 document_namespace=shop document_type=order document_version=1%s submission_timestamp=2026-11-22T12:34:56.123456789Z user_agent_browser=Chrome user_agent_version=90`
		class  = "com.mozilla.telemetry.decoder.ParseLogEntry$InvalidLogEntryException"
	)
	entry := func(fields, rest string) string {
		return `{"jsonPayload":{"Fields":{` + fields + `}}` + rest + `}`
	}
	const received = `,"receiveTimestamp":"2026-11-22T12:34:56.123456789Z"`
	decoder := New(Options{
		Schemas: schemasOf(t, messageSchemas), LogEntries: true,
		Geo: openGeo(t, GeoOptions{City: geoFile(t, "city.mmdb", cityDatabase(t))}),
	})
	place := " geo_country=PH geo_db_version=" + geoVersion + " normalized_country_code=PH"
	for _, c := range []struct{ name, payload, want string }{
		{"an entry", entry(fields, received), strings.Replace(ping, "%s", "", 1)},
		{"with an address", entry(`"ip_address":"198.51.100.1",`+fields, received), strings.Replace(ping, "%s", place, 1)},
		{"with no address", entry(`"ip_address":null,`+fields, received), strings.Replace(ping, "%s", "", 1)},
		{"with an address that is no text", entry(`"ip_address":7,`+fields, received), strings.Replace(ping, "%s", "", 1)},
		{"without a time", entry(`"ip_address":"198.51.100.1",`+fields, ""), "invalid_log_entry " + entry(fields, "")},
		{"with a time that is none", entry(fields, `,"receiveTimestamp":"today"`), "invalid_log_entry " + entry(fields, `,"receiveTimestamp":"today"`)},
		{"without a ping", entry(`"document_id":"1"`, received), "invalid_log_entry " + entry(`"document_id":"1"`, received)},
		{"with a version that is no text", entry(strings.Replace(fields, `"document_version":"1"`, `"document_version":1`, 1), received),
			"invalid_log_entry " + entry(strings.Replace(fields, `"document_version":"1"`, `"document_version":1`, 1), received)},
		{"nothing", ``, "invalid_log_entry "},
		{"null", `null`, "invalid_log_entry null"},
		{"another thing", `{"jsonPayload":null}`, `invalid_log_entry {"jsonPayload":null}`},
	} {
		pings, err := decoder.DecodeMessage(ingest.Message{Payload: []byte(c.payload)}, ingest.Position{})
		got := ""
		var reject *ingest.RejectError
		if errors.As(err, &reject) {
			got = string(reject.Reason) + " " + string(reject.Payload)
			if m := decoder.ErrorMessage(reject); m.Attributes["error_type"] != "ParseLogEntry" || m.Attributes["exception_class"] != class {
				t.Errorf("%s: %v", c.name, m.Attributes)
			}
		}
		for _, p := range pings {
			got = list(p.Attributes)
		}
		if diff := cmp.Diff(sorted(c.want), sorted(got)); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", c.name, diff)
		}
	}

	stamped := ingest.Message{Attributes: map[string]string{"submission_timestamp": stamp}, Payload: []byte(entry(fields, received))}
	var reject *ingest.RejectError
	if _, err := decoder.DecodeMessage(stamped, ingest.Position{}); !errors.As(err, &reject) || reject.Reason != ingest.UnknownDoctype {
		t.Errorf("a stamped message is no log entry: %v", err)
	}
}

// sorted puts the words of an attribute list in order.
func sorted(text string) []string {
	words := strings.Split(text, " ")
	if strings.HasPrefix(text, "document_id=") || strings.HasPrefix(text, "geo_") {
		slices.Sort(words)
	}
	return words
}

package schema

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/valyala/fastjson"
)

// baselinePing is a baseline ping of about 2 KB, as a phone sends it.
func baselinePing() []byte {
	var b bytes.Buffer
	b.WriteString(`{"client_info":{"telemetry_sdk_build":"67.3.2","build_date":"2026-11-01T00:00:00+00:00",
"first_run_date":"2026-11-22+00:00","client_id":"5338f70b-12c8-4db6-824b-24beeca38860","os_version":"14",
"app_build":"2026110315","app_channel":"release","app_display_version":"153.7.0","architecture":"arm64-v8a",
"device_manufacturer":"Example","device_model":"Phone 9","android_sdk_version":"34","locale":"en-US","os":"Android",
"session_id":"ad21000c-04ed-43c8-9f54-18518814fdd4","session_count":17},
"ping_info":{"seq":12,"start_time":"2026-11-22T19:58:28.518+00:00","end_time":"2026-11-22T20:04:29.333+00:00","reason":"inactive",
"experiments":{"new-tab":{"branch":"control","extra":{"type":"nimbus"}},"search":{"branch":"treatment-a"}}},
"metrics":{"timespan":{"glean.baseline.duration":{"time_unit":"second","value":361}},
"datetime":{"glean.validation.first_run_hour":"2026-11-22T19+00:00"},
"string":{"glean.baseline.locale":"en-US","search.default_engine.code":"example","search.default_engine.name":"Example"},
"boolean":{"metrics.default_browser":true,"preferences.signed_in":false,"preferences.toolbar_bottom":true},
"counter":{"glean.validation.metrics_ping_count":4,"browser.total_uri_count":57,"tabs.opened":9},
"labeled_counter":{"glean.error.invalid_label":{"search.counts":1},"browser.search.with_ads":{"example":3,"other":1},
"glean.validation.pings_submitted":{"baseline":2,"events":1,"metrics":1}},"string_list":{"tabs.groups":["work","home","later"]},"quantity":{`)
	for i := range 12 {
		fmt.Fprintf(&b, `"category_%d.metric_name":%d,`, i, i*37)
	}
	b.WriteString(`"last.one":1}},"events":[{"category":"app","name":"opened","timestamp":0,"extra":{"source":"icon"}},
{"category":"tabs","name":"switched","timestamp":1422}]}`)
	return b.Bytes()
}

func benchmarkDoctype(b *testing.B) (*Doctype, []byte) {
	d, err := open(b, "").Lookup("my-app", "baseline", "1")
	if err != nil {
		b.Fatal(err)
	}
	ping := baselinePing()
	if err := d.Validate(fastjson.MustParseBytes(ping)); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(ping)))
	b.ReportAllocs()
	return d, ping
}

func BenchmarkValidate(b *testing.B) {
	d, ping := benchmarkDoctype(b)
	payload := fastjson.MustParseBytes(ping)
	for b.Loop() {
		if err := d.Validate(payload); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRow(b *testing.B) {
	d, ping := benchmarkDoctype(b)
	payload := fastjson.MustParseBytes(ping)
	for b.Loop() {
		if _, err := d.Row(Document{Payload: payload, Submitted: submitted}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLookup(b *testing.B) {
	r := open(b, "")
	for b.Loop() {
		if _, err := r.Lookup("my-app", "baseline", "1"); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkValidateHostile is a payload of 8 MiB that breaks its schema at every
// place.
func BenchmarkValidateHostile(b *testing.B) {
	d := doctypeOf(b, `{"type":"object","properties":{"a":{"type":"array","items":{"type":"string"}}}}`)
	payload := fastjson.MustParse(`{"a":[` + string(bytes.Repeat([]byte("1,"), 4<<20)) + `1]}`)
	b.ReportAllocs()
	for b.Loop() {
		if d.Validate(payload) == nil {
			b.Fatal("valid")
		}
	}
}

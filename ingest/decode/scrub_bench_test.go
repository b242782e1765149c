package decode

import (
	"strconv"
	"strings"
	"testing"
)

func BenchmarkScrub(b *testing.B) {
	s := loadScrubber(b, exampleScrubRules)
	many := func(code string) string {
		var members []string
		for _, engine := range []string{"lake", "pond", "sea", "brook"} {
			for _, source := range []string{"sap", "sap-follow-on", "organic", "tagged"} {
				members = append(members, `"`+engine+`.in-content:`+source+`:`+code+`":{"sum":1}`)
			}
		}
		return `{"type":"main","clientId":"2907648d-711b-4e9f-94b5-52a2b40a44b1","payload":{"keyedHistograms":{"SEARCH_COUNTS":{` + strings.Join(members, ",") + `}}}}`
	}
	for _, c := range []struct{ name, attributes, payload string }{
		{"glean baseline, no hit", "my-app/baseline user_agent=Glean/1", good},
		{"telemetry main, no hit", "telemetry/main app=Firefox v=120.0", `{"type":"main","clientId":"2907648d-711b-4e9f-94b5-52a2b40a44b1","payload":{}}`},
		{"telemetry main, 16 keys stay", "telemetry/main app=Firefox v=120.0", many("none")},
	} {
		b.Run(c.name, func(b *testing.B) {
			attributes, document := attributesIn(c.attributes), scrubDocument(b, c.payload)
			b.ReportAllocs()
			for b.Loop() {
				if v := s.scrub(attributes, document); v.hits != nil {
					b.Fatal(said(v))
				}
			}
		})
	}
	// A redaction works once on a document: parsing is a part of these.
	for _, c := range []struct{ name, attributes, payload string }{
		{"parse and redact 16 keys", "telemetry/main app=Firefox v=120.0", many("mine")},
		{"parse only", "telemetry/x app=Firefox v=120.0", many("mine")},
	} {
		b.Run(c.name, func(b *testing.B) {
			attributes, payload := attributesIn(c.attributes), []byte(c.payload)
			b.ReportAllocs()
			for b.Loop() {
				document, err := parseDocument(payload)
				if err != nil {
					b.Fatal(err)
				}
				if v := s.scrub(attributes, document); v.kind != scrubKeep {
					b.Fatal(said(v))
				}
			}
		})
	}
	var hostile strings.Builder
	hostile.WriteString(`{"payload":{"keyedHistograms":{"SEARCH_COUNTS":{"a":1`)
	for i := 0; hostile.Len() < DefaultMaxPayload-100; i++ {
		hostile.WriteString(`,"` + strings.Repeat("z", i%3) + string(rune('a'+i%26)) + strconv.Itoa(i) + `.in-content:s:m":1`)
	}
	hostile.WriteString(`}}}}`)
	for _, c := range []struct{ name, attributes string }{
		{"8 MiB of keys, parse and redact", "telemetry/main app=Firefox v=120.0"},
		{"8 MiB of keys, parse only", "telemetry/x app=Firefox v=120.0"},
	} {
		b.Run(c.name, func(b *testing.B) {
			attributes, payload := attributesIn(c.attributes), []byte(hostile.String())
			b.SetBytes(int64(len(payload)))
			b.ReportAllocs()
			for b.Loop() {
				document, err := parseDocument(payload)
				if err != nil {
					b.Fatal(err)
				}
				s.scrub(attributes, document)
			}
		})
	}
}

package ingest

import (
	"strings"
	"testing"
)

func TestParseDocumentIDIsAsLenientAsJava(t *testing.T) {
	for _, c := range []struct {
		text, want string // want "" for refused
	}{
		{"2C3A0767-D84A-4D02-8A92-FA54A3376049", "2c3a0767-d84a-4d02-8a92-fa54a3376049"},
		{"2c3a0767-d84a-4d02-8a92-fa54a3376049", "2c3a0767-d84a-4d02-8a92-fa54a3376049"},
		{"1-1-1-1-1", "00000001-0001-0001-0001-000000000001"},
		{"+1-1-1-1-1", "00000001-0001-0001-0001-000000000001"},
		{"11111111111-1-1-1-1", "11111111-0001-0001-0001-000000000001"}, // surplus high digits are cut
		{"", ""},
		{"n/a", ""},
		{"2c3a0767d84a4d028a92fa54a3376049", ""},
		{"2c3a0767-d84a-4d02-8a92-fa54a33760490", ""},
		{"{2c3a0767-d84a-4d02-8a92-fa54a337604}", ""},
		{" 1-1-1-1-1", ""},
		{"1--1-1-1", ""},
		{"1-1-1-1-1-1", ""},
		{"fffffffffffffffff-1-1-1-1", ""},
		{"g-1-1-1-1", ""},
	} {
		id, ok := ParseDocumentID(c.text)
		got := ""
		if ok {
			got = id.String()
		}
		if got != c.want {
			t.Errorf("%q: got %q, want %q", c.text, got, c.want)
		}
	}
}

func FuzzParseDocumentIDRoundTrips(f *testing.F) {
	for _, seed := range []string{"1-1-1-1-1", "2C3A0767-D84A-4D02-8A92-FA54A3376049", "----", strings.Repeat("f", 37)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		id, ok := ParseDocumentID(text)
		if !ok {
			return
		}
		again, ok := ParseDocumentID(id.String())
		if !ok || again != id {
			t.Fatalf("%q gave %v, which gave %v %v", text, id, again, ok)
		}
	})
}

func TestTimestampsKeepMicroseconds(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"2026-11-22T19:41:13.300001Z", "2026-11-22T19:41:13.300001Z"},
		{"2026-11-22T19:41:13Z", "2026-11-22T19:41:13.000000Z"}, // the reference drops a zero fraction
		{"2026-11-22T19:41:13.123456789Z", "2026-11-22T19:41:13.123456Z"},
		{"2026-11-22T20:41:13+01:00", "2026-11-22T19:41:13.000000Z"},
	} {
		got, err := ParseTimestamp(c.text)
		if err != nil || FormatTimestamp(got) != c.want {
			t.Errorf("%s: got %s, %v; want %s", c.text, FormatTimestamp(got), err, c.want)
		}
	}
	if _, err := ParseTimestamp("yesterday"); err == nil {
		t.Error("yesterday was read as a timestamp")
	}
}

func TestFamilyOfURI(t *testing.T) {
	for uri, want := range map[string]string{
		"/submit/telemetry/1-1-1-1-1/main/Firefox/1/release/1": FamilyTelemetry,
		"/submit/my-app/baseline/1/1-1-1-1-1":                  FamilyStructured,
		"/submit/sslreports":                                   FamilyStructured,
		"/stub/v6/x":                                           FamilyStubInstaller,
	} {
		if got := Family(uri); got != want {
			t.Errorf("%s: got %s, want %s", uri, got, want)
		}
	}
}

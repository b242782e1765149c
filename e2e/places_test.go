package e2e

import (
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"
)

// writeDatabase writes a MaxMind database that knows one network.
func writeDatabase(t *testing.T, kind, network string, record mmdbtype.Map) string {
	t.Helper()
	tree, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: kind, IncludeReservedNetworks: true, BuildEpoch: 1772582400})
	if err != nil {
		t.Fatal(err)
	}
	_, parsed, err := net.ParseCIDR(network)
	if err != nil {
		t.Fatal(err)
	}
	if err := tree.Insert(parsed, record); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), kind+".mmdb")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tree.WriteTo(file); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// A client's address becomes a place and a provider, also in an error row, and is
// in no file.
func TestAddressesBecomePlaces(t *testing.T) {
	data := t.TempDir()
	city := writeDatabase(t, "GeoLite2-City", "203.0.113.0/24", mmdbtype.Map{
		"country": mmdbtype.Map{"iso_code": mmdbtype.String("NZ")},
		"city":    mmdbtype.Map{"geoname_id": mmdbtype.Uint32(7), "names": mmdbtype.Map{"en": mmdbtype.String("Quayside")}},
	})
	isp := writeDatabase(t, "GeoIP2-ISP", "203.0.113.0/24", mmdbtype.Map{"isp": mmdbtype.String("Acme")})
	d := serve(t, data, "--geo-city", city, "--geo-isp", isp, "--geo-skip", "1")
	header := http.Header{"X-Forwarded-For": {"198.51.100.1, 203.0.113.77, 10.9.8.7"}}
	for uri, body := range map[string][]byte{"/submit/my-app/baseline/1/" + newID(1): baseline(newID(2)), "/submit/my-app/baseline/1/" + newID(3): []byte("{}")} {
		if status := d.post(uri, header, body); status != http.StatusOK {
			t.Fatal(status)
		}
	}
	d.stop()
	got := query(t, data, "SELECT metadata.geo.country, metadata.geo.city, metadata.geo.db_version, metadata.isp.name, normalized_country_code FROM my_app_live.baseline_v1")
	if diff := cmp.Diff([]string{"NZ,Quayside,2026-03-04T00:00:00Z,Acme,NZ"}, got); diff != "" {
		t.Error(diff)
	}
	got = query(t, data, "SELECT reason, geo_country, geo_city, isp_name FROM payload_bytes_error.structured")
	if diff := cmp.Diff([]string{"schema_violation,NZ,Quayside,Acme"}, got); diff != "" {
		t.Error(diff)
	}
	for _, table := range []string{"my_app_live.baseline_v1", "payload_bytes_raw.structured", "payload_bytes_error.structured"} {
		got := query(t, data, "SELECT count(*) FROM "+table+" t WHERE t::VARCHAR LIKE '%203.0.113%' OR t::VARCHAR LIKE '%198.51.100%'")
		if got[0] != "0" {
			t.Errorf("%s has %s rows with an address", table, got[0])
		}
	}
}

// What a rule of the operator's own drops has no row and is counted; what it
// refuses is an error row.
func TestScrubberRulesOfOnesOwn(t *testing.T) {
	data := t.TempDir()
	rules := filepath.Join(t.TempDir(), "rules.toml")
	text := `include = "default"
[[rule]]
id = "secret"
kind = "drop"
[rule.match]
document_namespace = "my-app"
[rule.match_payload]
"client_info.os" = "Secret"
[[rule]]
id = "too-old"
kind = "bug"
[rule.match_payload]
"client_info.os" = "Old"
`
	if err := os.WriteFile(rules, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	d := serve(t, data, "--scrub", rules)
	for i, os := range []string{"Linux", "Secret", "Old"} {
		body := strings.ReplaceAll(string(baseline(newID(9))), "Linux", os)
		if status := d.post("/submit/my-app/baseline/1/"+newID(i+1), nil, []byte(body)); status != http.StatusOK {
			t.Fatal(status)
		}
	}
	d.post("/submit/sslreports", nil, []byte("{}"))
	d.awaitMetric(`pinglake_ingest_scrubber_hits_total{rule="secret"} 1`)
	d.awaitMetric(`pinglake_ingest_scrubber_hits_total{rule="too-old"} 1`)
	d.awaitMetric(`pinglake_ingest_scrubber_hits_total{rule="1585144"} 1`)
	d.stop()
	if got := query(t, data, "SELECT document_id FROM my_app_live.baseline_v1"); strings.Join(got, " ") != newID(1) {
		t.Errorf("stored: %q", got)
	}
	got := query(t, data, "SELECT reason, error_type, error_message FROM payload_bytes_error.structured ORDER BY ALL")
	want := []string{
		"affected_by_bug,ParsePayload,com.mozilla.telemetry.decoder.MessageScrubber$AffectedByBugException:_too-old",
		"unwanted_uri,ParseUri,com.mozilla.telemetry.decoder.MessageScrubber$UnwantedDataException:_1585144",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

package e2e

import (
	"fmt"
	"net/http"
	"testing"
)

func TestWhatBecameOfPingsIsCounted(t *testing.T) {
	d := serve(t, t.TempDir())
	signup := []byte(`{"client_id":"` + newID(9) + `","plan":"free","seats":9223372036854775808}`)
	packed := gzipped(t, signup)
	for uri, body := range map[string][]byte{
		"/submit/my-app/signup/1/" + newID(1):      packed,
		"/submit/my-app/signup/1/" + newID(2):      signup,
		"/submit/my-app/signup/1/" + newID(3):      []byte("{}"),
		"/submit/my-app/signup/9/" + newID(5):      []byte("{}"),
		"/submit/my_app/Signup/1/" + newID(6):      []byte("[1"),
		"/submit/my-app/baseline/1/" + newID(7):    []byte("7"),
		"/submit/nobody/strange-%25/1/" + newID(4): []byte("{}"),
	} {
		if status := d.post(uri, nil, body); status != http.StatusOK {
			t.Fatal(status)
		}
	}
	d.post("/submit/my-app/signup/1/"+newID(2), nil, signup) // once more
	const signups = `doctype="signup",namespace="my-app"`
	for _, line := range []string{
		`pinglake_ingest_pings_total{` + signups + `} 2`,
		fmt.Sprintf(`pinglake_ingest_ping_bytes_total{`+signups+`} %d`, 2*len(signup)),
		fmt.Sprintf(`pinglake_ingest_received_bytes_total{`+signups+`} %d`, len(packed)+2*len(signup)+6),
		`pinglake_ingest_rejects_total{` + signups + `,reason="duplicate"} 1`,
		fmt.Sprintf(`pinglake_ingest_reject_bytes_total{`+signups+`,reason="duplicate"} %d`, len(signup)),
		`pinglake_ingest_rejects_total{` + signups + `,reason="schema_violation"} 1`,
		`pinglake_ingest_reject_bytes_total{` + signups + `,reason="schema_violation"} 2`,
		`pinglake_ingest_rejects_total{` + signups + `,reason="unknown_version"} 1`,
		`pinglake_ingest_rejects_total{` + signups + `,reason="invalid_json"} 1`,
		`pinglake_ingest_rejects_total{doctype="baseline",namespace="my-app",reason="not_an_object"} 1`,
		`pinglake_ingest_rejects_total{doctype="unknown",namespace="unknown",reason="unknown_doctype"} 1`,
		`pinglake_ingest_coercions_total{coercion="not_coerced_to_int",` + signups + `} 2`,
		`pinglake_ingest_decode_bodies_total{compression="gzip"} 1`,
		`pinglake_ingest_decode_bodies_total{compression="none"} 7`,
		`pinglake_ingest_decode_parse_seconds_count 8`,
		`pinglake_ingest_decode_validate_seconds_count 4`,
		`pinglake_ingest_geo_lookups_total{database="city",found="ip"} 0`,
		`pinglake_ingest_edge_requests_total{code="200"} 8`,
	} {
		d.awaitMetric(line)
	}
	d.stop()
}

package e2e

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func gzipped(t *testing.T, plain []byte) []byte {
	t.Helper()
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

func TestBadInputHasAStatusOrARowWithItsReason(t *testing.T) {
	data := t.TempDir()
	d := serve(t, data)
	good := baseline(newID(900))
	packed := gzipped(t, good)
	for i, c := range []struct {
		what   string
		uri    string // %s is a fresh document_id
		body   []byte
		status int
		reason string // "" when the edge refuses, "stored" when it is no fault
	}{
		{"a good ping", "/submit/my-app/baseline/1/%s", good, 200, "stored"},
		{"a gzip'd ping", "/submit/my-app/baseline/1/%s", packed, 200, "stored"},
		{"garbage behind gzip", "/submit/my-app/baseline/1/%s", append(bytes.Clone(packed), "garbage"...), 200, "stored"},
		{"tokens behind the object", "/submit/my-app/baseline/1/%s", append(bytes.Clone(good), " trailing"...), 200, "stored"},
		{"unknown namespace", "/submit/nobody/baseline/1/%s", good, 200, "unknown_doctype"},
		{"wrong version", "/submit/my-app/baseline/99/%s", good, 200, "unknown_version"},
		{"not JSON", "/submit/my-app/baseline/1/%s", []byte("hello"), 200, "invalid_json"},
		{"an empty body", "/submit/my-app/baseline/1/%s", nil, 200, "not_an_object"},
		{"not an object", "/submit/my-app/baseline/1/%s", []byte("[1]"), 200, "not_an_object"},
		{"invalid UTF-8", "/submit/my-app/baseline/1/%s", bytes.Replace(good, []byte("Linux"), []byte("Li\xffux"), 1), 200, "invalid_json"},
		{"truncated gzip", "/submit/my-app/baseline/1/%s", packed[:len(packed)/2], 200, "invalid_json"},
		{"a gzip bomb", "/submit/my-app/baseline/1/%s", gzipped(t, make([]byte, 64<<20)), 200, "payload_too_large"},
		{"a body of 9 MiB", "/submit/my-app/baseline/1/%s", make([]byte, 9<<20), 413, ""},
		{"an id that is no UUID", "/submit/my-app/baseline/1/not-a-uuid", good, 200, "invalid_document_id"},
		{"too few parts", "/submit/my-app/baseline/1", good, 200, "path_elements"},
		{"a schema violation", "/submit/my-app/baseline/1/%s", []byte(`{"ping_info":7}`), 200, "schema_violation"},
		{"200 levels deep", "/submit/my-app/baseline/1/%s", deep(good, 200), 200, "stored"},
		{"300 levels deep", "/submit/my-app/baseline/1/%s", deep(good, 300), 200, "invalid_json"},
		{"a path nobody serves", "/elsewhere", good, 404, ""},
		{"a header of 2 KB", "/submit/my-app/baseline/1/%s?" + strings.Repeat("x", 2000), good, 431, ""},
	} {
		uri := c.uri
		if strings.Contains(uri, "%s") {
			uri = fmt.Sprintf(uri, newID(i))
		}
		// Each case is told apart by its debug tag.
		header := http.Header{"X-Debug-Id": {fmt.Sprintf("case-%d", i)}}
		if status := d.post(uri, header, c.body); status != c.status {
			t.Errorf("%s: status %d, want %d", c.what, status, c.status)
		}
		if c.status != 200 {
			continue
		}
		want := c.reason
		sql := fmt.Sprintf(`SELECT 'stored' FROM my_app_live.baseline_v1 WHERE metadata.header.x_debug_id = 'case-%d'
			UNION ALL SELECT reason FROM payload_bytes_error.structured WHERE x_debug_id = 'case-%[1]d'`, i)
		t.Run(c.what, func(t *testing.T) { eventually(t, data, sql, want) })
	}
	// The daemon lives, and every refused body is kept.
	if status := d.post("/submit/my-app/baseline/1/"+newID(500), nil, good); status != 200 {
		t.Fatalf("a good ping after all that: %d", status)
	}
	d.stop()
	got := query(t, data, "SELECT reason FROM payload_bytes_error.structured WHERE payload IS NULL ORDER BY ALL")
	if diff := cmp.Diff([]string{"not_an_object"}, got); diff != "" { // the empty body
		t.Errorf("error rows without a payload:\n%s", diff)
	}
}

// deep adds a member with n levels of arrays to an object.
func deep(object []byte, n int) []byte {
	nested := `{"x":` + strings.Repeat("[", n-1) + strings.Repeat("]", n-1) + ","
	return append([]byte(nested), object[1:]...)
}

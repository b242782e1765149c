package e2e

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Stub installer pings have no document_id: each request is a ping of its own, also
// the one that says the same as another, and restarting stores none again.
func TestStubPingsLandByWhatTheirPathSays(t *testing.T) {
	data := t.TempDir()
	schemas, err := filepath.Abs(filepath.Join("testdata", "schemas"))
	if err != nil {
		t.Fatal(err)
	}
	d := serve(t, data, "--schemas", schemas)
	parts := strings.Split("v6/release/esr/en-US/1/0/10/0/19045/SP1/0/0/1"+strings.Repeat("/7", 23), "/")
	uri := "/stub/" + strings.Join(parts, "/")
	for _, path := range []string{uri, uri, "/stub/v15" + strings.TrimPrefix(uri, "/stub/v6"), uri + "/8"} {
		response, err := http.Get(d.edge + path)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d", path, response.StatusCode)
		}
	}
	d.stop()
	serve(t, data, "--schemas", schemas).stop()
	got := query(t, data, "SELECT build_channel, locale, os_version, _64bit_build, succeeded, download_time, count(*), count(DISTINCT document_id) FROM firefox_installer_live.install_v1 GROUP BY ALL")
	if diff := cmp.Diff([]string{"release,en-US,10.0.19045,true,true,7,2,2"}, got); diff != "" {
		t.Error(diff)
	}
	got = query(t, data, "SELECT reason, error_type FROM payload_bytes_error.stub_installer ORDER BY ALL")
	if diff := cmp.Diff([]string{"path_elements,ParseUri", "unknown_stub,ParseUri"}, got); diff != "" {
		t.Error(diff)
	}
	if raws := query(t, data, fmt.Sprintf("SELECT count(*) FROM payload_bytes_raw.stub_installer WHERE uri = '%s'", uri)); raws[0] != "2" {
		t.Errorf("%s raws", raws[0])
	}
}

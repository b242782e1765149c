package e2e

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tlsAddr is the address for HTTPS in the daemon's log, "" if there is none.
func (d *daemon) tlsAddr() string {
	for line := range strings.Lines(d.log.String()) {
		var entry struct{ Msg, TLS string }
		if json.Unmarshal([]byte(line), &entry) == nil && entry.Msg == "serving" {
			return entry.TLS
		}
	}
	return ""
}

func TestSelfSignedHTTPSBesideHTTP(t *testing.T) {
	data := t.TempDir()
	certificate := filepath.Join(data, "tls", "cert.pem")
	var first []byte
	for i := range 2 {
		d := serve(t, data, "--tls-self-signed", "--tls-addr", "127.0.0.1:0")
		text, err := os.ReadFile(certificate)
		if err != nil {
			t.Fatal(err)
		}
		if i == 1 && !bytes.Equal(text, first) {
			t.Error("a restart made another certificate")
		}
		first = text
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(text)
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: "localhost"}}
		client := http.Client{Transport: transport}
		response, err := client.Post("https://"+d.tlsAddr()+"/submit/my-app/baseline/1/"+newID(2*i), "", bytes.NewReader(baseline(newID(100+i))))
		if err != nil {
			t.Fatal(err)
		}
		if err := response.Body.Close(); err != nil || response.StatusCode != 200 {
			t.Errorf("HTTPS: %s, %v", response.Status, err)
		}
		transport.CloseIdleConnections()
		if status := d.post("/submit/my-app/baseline/1/"+newID(2*i+1), nil, baseline(newID(200+i))); status != 200 {
			t.Errorf("HTTP: %d", status)
		}
		d.stop()
	}
	if got := query(t, data, countByID); got[0] != "4,4" {
		t.Errorf("stored %s", got[0])
	}
	info, err := os.Stat(filepath.Join(data, "tls", "key.pem"))
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("the key's mode is %v, %v", info.Mode(), err)
	}
}

func TestDockerflow(t *testing.T) {
	t.Setenv("PINGLAKE_EDGE_MIN_FREE_DISK", "1B")
	d := serve(t, t.TempDir())
	if d.tlsAddr() != "" {
		t.Errorf("HTTPS at %s without a certificate", d.tlsAddr())
	}
	// Pings that wait for their batch are no finding.
	if status := d.post("/submit/my-app/baseline/1/"+newID(1), nil, baseline(newID(2))); status != 200 {
		t.Fatal(status)
	}
	get := func(path string) (int, map[string]any) {
		t.Helper()
		response, err := http.Get(d.edge + path)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		var answer map[string]any
		if len(text) > 0 {
			decodeJSON(t, string(text), &answer)
		}
		return response.StatusCode, answer
	}
	code, beat := get("/__heartbeat__")
	well := map[string]any{
		"status": "ok", "details": map[string]any{},
		"checks": map[string]any{"check_disk_bytes_free": "ok", "check_queue_size": "ok"},
	}
	if diff := cmp.Diff(well, beat); code != 200 || diff != "" {
		t.Errorf("heartbeat: %d %s", code, diff)
	}
	code, version := get("/__version__")
	if keys := slices.Sorted(maps.Keys(version)); code != 200 || !slices.Equal(keys, []string{"build", "commit", "source", "version"}) {
		t.Errorf("version: %d %v", code, keys)
	}
	if code, answer := get("/__lbheartbeat__"); code != 200 || answer != nil {
		t.Errorf("lbheartbeat: %d %v", code, answer)
	}
	d.stop()

	t.Setenv("PINGLAKE_EDGE_MIN_FREE_DISK", "8000TiB")
	d = serve(t, t.TempDir())
	code, beat = get("/__heartbeat__")
	if text, err := json.Marshal(beat); err != nil || code != 500 || !strings.Contains(string(text), "edge.checks.E001") {
		t.Errorf("heartbeat of a full disk: %d %s, %v", code, text, err)
	}
	d.stop()
}

func TestRoutesOfTheOperators(t *testing.T) {
	t.Setenv("PINGLAKE_EDGE_ROUTES", `[["/submit/my-app/<suffix:path>","projects/p/topics/ingestion",["put"]]]`)
	data := t.TempDir()
	d := serve(t, data)
	for _, c := range []struct {
		method, uri string
		want        int
	}{
		{"PUT", "/submit/my-app/baseline/1/" + newID(1), 200},
		{"POST", "/submit/my-app/baseline/1/" + newID(2), 405},
		{"PUT", "/submit/my-site/baseline/1/" + newID(3), 404},
		{"OPTIONS", "/submit/my-app/baseline/1/" + newID(4), 204},
		{"GET", "/stub/v6/a", 404},
	} {
		request, err := http.NewRequest(c.method, d.edge+c.uri, bytes.NewReader(baseline(newID(9))))
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		if err := response.Body.Close(); err != nil || response.StatusCode != c.want {
			t.Errorf("%s %s: %s, want %d (%v)", c.method, c.uri, response.Status, c.want, err)
		}
	}
	d.stop()
	if got := query(t, data, countByID); got[0] != "1,1" {
		t.Errorf("stored %s", got[0])
	}
}

func TestWhatAnEdgeCanNotBeStartedWith(t *testing.T) {
	for _, c := range []struct {
		name  string
		flags []string
		env   string
		want  []string
	}{
		{"two certificates", []string{"--tls-self-signed", "--tls-cert", "c"}, "",
			[]string{"edge.tls_self_signed and edge.tls_cert or edge.tls_key", "edge.tls_cert is set and edge.tls_key is not"}},
		{"an address for nothing", []string{"--tls-addr", ":1"}, "", []string{"edge.tls_addr is set"}},
		{"a certificate that is not there", []string{"--tls-cert", "/absent", "--tls-key", "/absent"}, "", []string{"/absent: no such file", "--tls-cert"}},
		{"routes", nil, `[["a","ingestion"],["/b","c"]]`, []string{`route 1: pattern "a"`, `route 2: topic "c"`, "env PINGLAKE_EDGE_ROUTES"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("PINGLAKE_EDGE_ROUTES", c.env)
			r := pinglake(t, append([]string{"serve", "--data", t.TempDir(), "--edge-addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0"}, c.flags...)...)
			if r.code != 2 {
				t.Errorf("exit %d", r.code)
			}
			for _, want := range c.want {
				if !strings.Contains(r.err, want) {
					t.Errorf("no %q in\n%s", want, r.err)
				}
			}
		})
	}
}

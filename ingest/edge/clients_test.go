package edge

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pinglake/ingest"
)

// sent is a request of a real client, as it arrived on the wire.
type sent struct {
	Method     string            `json:"method"`
	URL        string            `json:"url"`
	Version    string            `json:"http_version"`
	Headers    map[string]string `json:"headers"`
	RawHeaders []string          `json:"raw_headers"`
	Body       string            `json:"body_base64"`
	body       []byte
}

// TestRealClients replays captured requests byte for byte over a connection.
func TestRealClients(t *testing.T) {
	files := clientFiles(t)
	stream := &recorder{}
	server := httptest.NewServer(mustHandler(t, Options{Stream: stream}))
	defer server.Close()
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			s := mustLoad(t, file)
			response := replay(t, server.Listener.Addr().String(), s)
			raws := stream.taken()
			if s.Method == http.MethodOptions {
				wantPreflight(t, s, response)
				if len(raws) != 0 {
					t.Error("a preflight was stored")
				}
				return
			}
			if response.StatusCode != 200 || response.Header.Get("Access-Control-Allow-Origin") != "*" {
				t.Fatalf("status %d, headers %v", response.StatusCode, response.Header)
			}
			if diff := cmp.Diff([]ingest.Raw{wantRaw(s)}, raws); diff != "" {
				t.Errorf("raw differs (-sent +stored):\n%s", diff)
			}
		})
	}
}

// clientFiles are the captured requests in shared/fixtures/glean beside the
// repository.
func clientFiles(t *testing.T) []string {
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the working directory")
		}
		dir = filepath.Dir(dir)
	}
	files, err := filepath.Glob(filepath.Join(dir, "..", "shared", "fixtures", "glean", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skip("no captured requests: ../shared/fixtures/glean is not beside the repository")
	}
	return files
}

func mustLoad(t *testing.T, file string) sent {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var s sent
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	if s.body, err = base64.StdEncoding.DecodeString(s.Body); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return s
}

// wire is the request byte for byte.
func (s sent) wire() *bytes.Buffer {
	var wire bytes.Buffer
	fmt.Fprintf(&wire, "%s %s HTTP/%s\r\n", s.Method, s.URL, s.Version)
	for i := 0; i < len(s.RawHeaders); i += 2 {
		fmt.Fprintf(&wire, "%s: %s\r\n", s.RawHeaders[i], s.RawHeaders[i+1])
	}
	wire.WriteString("\r\n")
	wire.Write(s.body)
	return &wire
}

func replay(t *testing.T, address string, s sent) *http.Response {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := io.Copy(conn, s.wire()); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	return response
}

func wantPreflight(t *testing.T, s sent, got *http.Response) {
	t.Helper()
	if got.StatusCode != 204 ||
		got.Header.Get("Access-Control-Allow-Origin") != "*" ||
		!strings.Contains(got.Header.Get("Access-Control-Allow-Methods"), s.Headers["access-control-request-method"]) ||
		got.Header.Get("Access-Control-Allow-Headers") != s.Headers["access-control-request-headers"] {
		t.Errorf("status %d, headers %v for a preflight asking %v", got.StatusCode, got.Header, s.Headers)
	}
}

// wantRaw is what has to be kept of s, by the reference's own list of headers.
func wantRaw(s sent) ingest.Raw {
	uri, args, _ := strings.Cut(s.URL, "?")
	kept := map[string]string{
		"args": args, "host": s.Headers["host"], "method": s.Method, "protocol": "HTTP/" + s.Version, "remote_addr": "127.0.0.1",
	}
	for name := range strings.FieldsSeq(`content-length date dnt user-agent x-forwarded-for x-pingsender-version
		x-pipeline-proxy x-debug-id x-foxsec-ip-reputation x-lb-tags x-source-tags x-telemetry-agent`) {
		if value, present := s.Headers[name]; present {
			kept[strings.ReplaceAll(name, "-", "_")] = value
		}
	}
	return ingest.Raw{URI: uri, Submitted: noon.Truncate(1000), Attributes: kept, Body: s.body}
}

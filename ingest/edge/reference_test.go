package edge

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"pinglake/ingest"
)

// What the reference's own tests ask of any edge, over a real connection: for each
// route and method, a request with one part that is out of the ordinary.

// referenceRequests are the routes and methods. path is what the uri begins with;
// only below a path a suffix may follow.
var referenceRequests = []struct {
	method, path string
	below        bool
}{
	{"GET", "/stub/", true},
	{"POST", "/submit/telemetry/", true},
	{"PUT", "/submit/telemetry/", true},
	{"POST", "/submit/sslreports", false},
	{"PUT", "/submit/sslreports", false},
	{"POST", "/submit/", true},
	{"PUT", "/submit/", true},
	{"POST", "/submit", false},
	{"PUT", "/submit", false},
}

// part is the request's one part that is not the usual.
type part struct {
	name   string
	suffix string
	args   string
	header string // a whole line
	data   []byte
}

// wire is the request with the part, as a client sends it.
func (p part) wire(method, path string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s%s", method, path, p.suffix)
	if p.args != "" {
		fmt.Fprintf(&b, "?%s", p.args)
	}
	host := "Host: edge.example\r\n"
	if strings.HasPrefix(p.header, "Host:") {
		host = ""
	}
	fmt.Fprintf(&b, " HTTP/1.1\r\n%s", host)
	if p.header != "" {
		fmt.Fprintf(&b, "%s\r\n", p.header)
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n", len(p.data))
	b.Write(p.data)
	return b.Bytes()
}

func send(t *testing.T, address string, wire []byte) string {
	t.Helper()
	c := dial(t, address)
	if _, err := c.Write(wire); err != nil {
		t.Fatal(err)
	}
	return c.answer()
}

func gzipped(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// allBytes are the 256 bytes in their order.
func allBytes() []byte {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	return all
}

// headerBytes are all bytes but those that end a line, the last first. What ends a
// value is not taken for a part of it, so something follows the spaces.
func headerBytes() string {
	may := slices.DeleteFunc(allBytes(), func(b byte) bool { return b == '\r' || b == '\n' })
	slices.Reverse(may)
	return string(may) + "."
}

func TestReferenceAccepts(t *testing.T) {
	const (
		x     = "x"
		debug = "X-Debug-ID: "
	)
	thousand := strings.Repeat(x, 1024)
	cases := []part{
		{"plain", x, "", "", nil},
		{"suffix of parts", "p/a/t/h", "", "", nil},
		{"suffix up to 1024", thousand, "", "", nil}, // cut to fit below
		{"args", x, "args", "", nil},
		{"args of 1024", x, thousand, "", nil},
		{"data", x, "", "", []byte("data")},
		{"gzip", x, "", "", gzipped(t, "data")},
		{"all bytes", x, "", "", allBytes()},
		{"8 MiB", x, "", "", bytes.Repeat([]byte(x), 8<<20)},
		{"empty header", x, "", debug, nil},
		{"header", x, "", debug + "header", nil},
		{"header of all bytes", x, "", debug + headerBytes(), nil},
		{"header of 1024", x, "", debug + thousand, nil},
		{"header of 1024 in UTF-8", x, "", debug + strings.Repeat("\xff", 512), nil},
		{"Host of 1024", x, "", "Host: " + thousand, nil},
		{"everything", x, "args", debug + "header", []byte("data")},
	}
	stream := &recorder{}
	_, address := startServer(t, Options{Stream: stream})
	for _, r := range referenceRequests {
		for _, c := range cases {
			if len(r.path)+len(c.suffix) > 1024 {
				c.suffix = c.suffix[:1024-len(r.path)]
			}
			if !r.below {
				if c.suffix != x {
					continue
				}
				c.suffix = ""
			}
			t.Run(r.method+" "+r.path+" "+c.name, func(t *testing.T) {
				if got := send(t, address, c.wire(r.method, r.path)); !strings.HasPrefix(got, `200 ""`) {
					t.Fatal(got)
				}
				want := ingest.Raw{URI: r.path + c.suffix, Submitted: noon.Truncate(1000), Attributes: map[string]string{
					"args": c.args, "host": "edge.example", "method": r.method, "protocol": "HTTP/1.1",
					"remote_addr": "127.0.0.1", "content_length": fmt.Sprint(len(c.data)),
				}}
				if name, value, ok := strings.Cut(c.header, ": "); ok {
					want.Attributes[attributeOf(name)] = latin1(value)
				}
				raws := stream.taken()
				if len(raws) != 1 || !bytes.Equal(raws[0].Body, c.data) {
					t.Fatalf("%d raws were stored, or another body", len(raws))
				}
				raws[0].Body = nil
				if diff := cmp.Diff(want, raws[0]); diff != "" {
					t.Errorf("raw differs (-sent +stored):\n%s", diff)
				}
			})
		}
	}
}

func attributeOf(header string) string {
	return strings.ReplaceAll(strings.ToLower(header), "-", "_")
}

// latin1 is s read as ISO-8859-1.
func latin1(s string) string {
	var text []byte
	for _, b := range []byte(s) {
		text = utf8.AppendRune(text, rune(b))
	}
	return string(text)
}

func TestReferenceRefusesWhatIsTooLong(t *testing.T) {
	over := strings.Repeat("x", 1025)
	cases := []part{
		{"suffix", over, "", "", nil}, // cut to 1025 in all below
		{"args", "x", over, "", nil},
		{"Host", "x", "", "Host: " + over, nil},
		{"Date", "x", "", "Date: " + over, nil},
		{"DNT", "x", "", "DNT: " + over, nil},
		{"User-Agent", "x", "", "User-Agent: " + over, nil},
		{"X-Forwarded-For", "x", "", "X-Forwarded-For: " + over, nil},
		{"X-Pingsender-Version", "x", "", "X-Pingsender-Version: " + over, nil},
		{"X-Pipeline-Proxy", "x", "", "X-Pipeline-Proxy: " + over, nil},
		{"X-Debug-ID", "x", "", "X-Debug-ID: " + over, nil},
		{"X-Foxsec-IP-Reputation", "x", "", "X-Foxsec-IP-Reputation: " + over, nil},
		{"X-LB-Tags", "x", "", "X-LB-Tags: " + over, nil},
		{"X-Source-Tags", "x", "", "X-Source-Tags: " + over, nil},
		{"X-Telemetry-Agent", "x", "", "X-Telemetry-Agent: " + over, nil},
		{"513 bytes of 0xFF", "x", "", "Date: " + strings.Repeat("\xff", 513), nil},
	}
	stream := &recorder{}
	_, address := startServer(t, Options{Stream: stream})
	for _, r := range referenceRequests {
		for _, c := range cases {
			if len(r.path)+len(c.suffix) > 1025 {
				c.suffix = c.suffix[:1025-len(r.path)]
			}
			if !r.below {
				if c.suffix != "x" {
					continue
				}
				c.suffix = ""
			}
			t.Run(r.method+" "+r.path+" "+c.name, func(t *testing.T) {
				want := `431 "header too large\n"`
				if r.method != http.MethodGet {
					want += " Access-Control-Allow-Origin: *"
				}
				if got := send(t, address, c.wire(r.method, r.path)); got != want {
					t.Errorf("got %s, want %s", got, want)
				}
				if got := len(stream.taken()); got != 0 {
					t.Errorf("%d raws were stored", got)
				}
			})
		}
	}
}

func TestReferenceConcurrently(t *testing.T) {
	const clients, each = 32, 8
	stream := &recorder{}
	_, address := startServer(t, Options{Stream: stream})
	var all sync.WaitGroup
	for i := range clients {
		c := dial(t, address)
		all.Go(func() {
			for j := range each {
				p := part{data: fmt.Appendf(nil, "%d", i*each+j)}
				if _, err := c.Write(p.wire("POST", "/submit/a")); err != nil {
					t.Error(err)
					return
				}
				response, err := http.ReadResponse(c.in, nil)
				if err != nil || response.StatusCode != 200 {
					t.Errorf("%v, %v", response, err)
					return
				}
			}
		})
	}
	all.Wait()
	stored := map[string]bool{}
	for _, raw := range stream.taken() {
		stored[string(raw.Body)] = true
	}
	if len(stored) != clients*each {
		t.Errorf("%d different raws of %d were stored", len(stored), clients*each)
	}
}

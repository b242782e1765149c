package edge

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"testing"

	"pinglake/ingest"
)

type nothing struct{}

func (nothing) Append(context.Context, *ingest.Raw) error { return nil }

// discard is a ResponseWriter that costs nothing.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}

// BenchmarkHandler is a usual ping of 1 kB without the network and the disk.
func BenchmarkHandler(b *testing.B) {
	h := mustHandler(b, Options{Stream: nothing{}})
	r := request(b, `POST /submit/my-shop/baseline/1/e6054f21-fa19-414c-a95f-5e552900cd02 HTTP/1.1
Host: incoming.example.org
Content-Length: 1000
Date: Sun, 22 Nov 2026 19:58:28 GMT
User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36
X-Telemetry-Agent: Glean/5.0.10 (JS on Linux)`, "")
	body := bytes.NewReader(make([]byte, 1000))
	r.Body = io.NopCloser(body)
	w := discard{http.Header{}}
	b.SetBytes(1000)
	b.ReportAllocs()
	for range b.N {
		if _, err := body.Seek(0, io.SeekStart); err != nil {
			b.Fatal(err)
		}
		h.ServeHTTP(w, r)
	}
}

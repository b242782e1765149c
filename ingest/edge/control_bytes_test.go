package edge

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// script is a connection that reads given pieces.
type script struct {
	net.Conn
	pieces [][]byte
}

func (s *script) Read(p []byte) (int, error) {
	if len(s.pieces) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.pieces[0])
	if s.pieces[0] = s.pieces[0][n:]; len(s.pieces[0]) == 0 {
		s.pieces = s.pieces[1:]
	}
	return n, nil
}

// However a request arrives and is read, its line and its body are untouched and its
// header is what it was once it is put back.
func TestEscapedHeadersComeBackAndBodiesAreUntouched(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		anyBytes := rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, '\t', 0x1f, ' ', 'a', '\r', '\n', '@', '?', 0x7f, 0x80, 0xbf, 0xfe, 0xff}), 0, 60)
		header := strings.NewReplacer("\r", "", "\n", "").Replace(string(anyBytes.Draw(t, "header")))
		body := string(anyBytes.Draw(t, "body"))
		eol := rapid.SampledFrom([]string{"\r\n", "\n"}).Draw(t, "eol")
		line, rest := "POST /\xff\x01 HTTP/1.1"+eol+"A: ", eol+"B: c"+eol+eol
		c := &conn{Conn: &script{pieces: split(t, []byte(line+header+rest+body))}}
		var got bytes.Buffer
		size := rapid.IntRange(1, 40).Draw(t, "read size")
		for {
			p := make([]byte, size)
			n, err := c.Read(p)
			got.Write(p[:n])
			if err != nil {
				break
			}
		}
		text, ok := strings.CutPrefix(got.String(), line)
		if !ok {
			t.Fatalf("the line became %q", got.String())
		}
		escaped, ok := strings.CutSuffix(text, rest+body)
		if !ok {
			t.Fatalf("what follows the header became %q, want %q", text, rest+body)
		}
		for i := range len(escaped) {
			if escaped[i] < ' ' && escaped[i] != '\t' || escaped[i] == 0x7f {
				t.Fatalf("net/http sees %q", escaped)
			}
		}
		if back := unescape(escaped); back != header || c.first.escaped != (escaped != header) {
			t.Fatalf("put back as %q, want %q", back, header)
		}
	})
}

func split(t *rapid.T, text []byte) (pieces [][]byte) {
	for len(text) > 0 {
		n := rapid.IntRange(1, len(text)).Draw(t, "piece")
		pieces, text = append(pieces, text[:n]), text[n:]
	}
	return pieces
}

// Later requests of a connection are refused, not mistaken: their headers are not
// followed, and their bodies are never touched.
func TestControlBytesOfLaterRequests(t *testing.T) {
	stream := &recorder{}
	_, address := startServer(t, Options{Stream: stream})
	c := dial(t, address)
	say := func(header, body string) string {
		t.Helper()
		p := part{header: "X-Debug-ID: " + header, data: []byte(body)}
		if _, err := c.Write(p.wire("POST", "/submit/a")); err != nil {
			t.Fatal(err)
		}
		if err := c.SetReadDeadline(time.Now().Add(testDeadline)); err != nil {
			t.Fatal(err)
		}
		response, err := http.ReadResponse(c.in, nil)
		if err != nil {
			t.Fatal(err)
		}
		return response.Status[:3]
	}
	binary := "\n\n\x00\x01\xff\r\n\r\n\x02\xff\xbf"
	got := say("a\x01\xffb", binary) + " " + say("\xff\xbf", binary) + " " + say("a\x01b", binary)
	if got != "200 200 400" {
		t.Errorf("got %s", got)
	}
	var headers []string
	for _, raw := range stream.taken() {
		headers = append(headers, raw.Attributes["x_debug_id"])
		if string(raw.Body) != binary {
			t.Errorf("a body became %q", raw.Body)
		}
	}
	if want := []string{"a\x01ÿb", "ÿ¿"}; strings.Join(headers, ",") != strings.Join(want, ",") {
		t.Errorf("headers %q, want %q", headers, want)
	}
}

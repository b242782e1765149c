package edge

import (
	"net/http"
	"strings"
)

// Header values may hold any byte but the two that end a line: the reference takes
// them as they come. net/http refuses a request with a control byte in a header, so
// before it reads them these bytes are written in a form that it takes, and put back
// when the header is kept.
//
// This is done for the first request of a connection only. Its headers begin with
// the connection's first byte; where those of a later one begin is not known for
// sure, and nothing of a body may ever be touched.

// escape begins the two bytes that a control byte becomes. It is doubled itself.
const escape = 0xFF

// isEscaped says whether net/http may not see a header's byte as it is.
func isEscaped(b byte) bool {
	return b == escape || b == 0x7F || b < ' ' && b != '\t' && b != '\r' && b != '\n'
}

// firstHead follows the first request's line and headers to their end.
type firstHead struct {
	lineRead bool // the request line has come to its end
	inLine   bool // the current line has a byte other than a carriage return
	ended    bool // the empty line has come: what follows is a body
	escaped  bool // header values are to be put back
}

// pass gives what was read as net/http may see it: itself, if there is nothing to
// escape.
func (h *firstHead) pass(read []byte) []byte {
	var out []byte // once it differs from read
	for i, b := range read {
		if h.ended {
			if out != nil {
				out = append(out, read[i:]...)
			}
			break
		}
		if h.lineRead && isEscaped(b) {
			if out == nil {
				out = append(make([]byte, 0, 2*len(read)), read[:i]...)
			}
			h.escaped, h.inLine = true, true
			out = append(out, escape, b^0x40)
			continue
		}
		if out != nil {
			out = append(out, b)
		}
		h.step(b)
	}
	if out == nil {
		return read
	}
	return out
}

// step follows a byte that is no control byte of a header.
func (h *firstHead) step(b byte) {
	switch {
	case b == '\n':
		h.ended = !h.inLine
		h.lineRead, h.inLine = true, false
	case b != '\r':
		h.inLine = true
	}
}

// unescape puts the bytes of a header back.
func unescape(value string) string {
	if strings.IndexByte(value, escape) < 0 {
		return value
	}
	back := make([]byte, 0, len(value))
	for i := 0; i < len(value); i++ {
		b := value[i]
		if b == escape && i+1 < len(value) {
			i++
			b = value[i] ^ 0x40
		}
		back = append(back, b)
	}
	return string(back)
}

// unescapeHeaders puts the headers of a request back, if they were escaped.
func unescapeHeaders(r *http.Request) {
	c := connOf(r)
	if c == nil || !c.first.escaped {
		return
	}
	for _, values := range r.Header {
		for i := range values {
			values[i] = unescape(values[i])
		}
	}
}

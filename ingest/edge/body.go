package edge

import (
	"errors"
	"io"
	"sync/atomic"
)

// firstRead is how much is set aside for a body before any of it has come: a
// client that announces much and sends nothing costs no more.
const firstRead = 8 << 10

var (
	errBodyTooLarge = errors.New("body too large")
	errNoRoom       = errors.New("too many bytes of bodies in memory")
)

// inflight bounds the memory of all bodies that are being read or wait to be made
// durable. What counts is what is set aside for a body, not what was announced.
type inflight struct {
	max  int64
	used atomic.Int64
}

// take sets n bytes aside for a body, or says that there is no room for them.
func (f *inflight) take(n int64) bool {
	if f.used.Add(n) > f.bound(n) {
		f.used.Add(-n)
		return false
	}
	return true
}

func (f *inflight) give(n int64) { f.used.Add(-n) }

// fits says whether there is room for a body of n bytes now.
func (f *inflight) fits(n int64) bool { return f.used.Load()+n <= f.bound(n) }

// bound is how much may be in use, with n bytes for one more body. The last quarter
// is for the first of each body, enough for nearly all pings: with large bodies a few
// slow clients could hold everything and have all others refused.
func (f *inflight) bound(n int64) int64 {
	if n <= firstRead {
		return f.max
	}
	return f.max - f.max/4
}

// readBody reads a body of the announced length, or up to its end if length is
// negative. It returns errBodyTooLarge when there are more than maxBytes, of which
// no more than maxBytes+1 are read, and errNoRoom when room has no more. The slice
// belongs to the caller, who gives its capacity back to room.
func readBody(body io.Reader, length, maxBytes int64, room *inflight) ([]byte, error) {
	if length == 0 {
		return nil, nil
	}
	bound := maxBytes + 1
	if length > 0 {
		bound = min(length, bound)
	}
	size := min(bound, firstRead)
	if !room.fits(max(length, size)) || !room.take(size) {
		return nil, errNoRoom
	}
	buffer := make([]byte, size)
	filled := int64(0)
	for {
		n, err := fill(body, buffer[filled:])
		filled += int64(n)
		switch {
		case err == nil && filled < bound:
			if size = min(bound, 4*filled); !room.take(size) {
				room.give(filled)
				return nil, errNoRoom
			}
			larger := make([]byte, size)
			copy(larger, buffer)
			buffer = larger
			room.give(filled)
			continue
		case err == nil && filled > maxBytes:
			err = errBodyTooLarge
		case err == nil:
			return buffer, nil
		case errors.Is(err, io.EOF) && length < 0:
			return buffer[:filled], nil
		}
		room.give(size)
		return nil, err
	}
}

// fill reads until p is full or an error comes. It is not io.ReadFull, after which
// the end of a chunked body looks like a body that was cut off.
func fill(body io.Reader, p []byte) (filled int, err error) {
	for filled < len(p) && err == nil {
		var n int
		n, err = body.Read(p[filled:])
		filled += n
	}
	if filled == len(p) {
		return filled, nil
	}
	return filled, err
}

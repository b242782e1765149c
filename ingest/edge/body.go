package edge

import (
	"errors"
	"io"
)

// How much is set aside for a body before any of it has come: a client that
// announces much and sends nothing costs no more.
const (
	firstRead            = 64 << 10
	firstReadUnannounced = 4 << 10
)

var errBodyTooLarge = errors.New("body too large")

// readBody reads a body of the announced length, or up to its end if length is
// negative. It returns errBodyTooLarge when there are more than maxBytes, and no
// more than maxBytes+1 are read. The slice belongs to the caller.
func readBody(body io.Reader, length, maxBytes int64) ([]byte, error) {
	if length == 0 {
		return nil, nil
	}
	bound, first := maxBytes+1, int64(firstReadUnannounced)
	if length > 0 {
		bound, first = min(length, bound), firstRead
	}
	buffer := make([]byte, min(bound, first))
	filled := int64(0)
	for {
		n, err := io.ReadFull(body, buffer[filled:])
		filled += int64(n)
		switch {
		case err == nil && filled < bound:
			buffer = append(make([]byte, 0, min(bound, 4*filled)), buffer...)
			buffer = buffer[:cap(buffer)]
			continue
		case err == nil && filled > maxBytes:
			return nil, errBodyTooLarge
		case err == nil:
			return buffer, nil
		case errors.Is(err, io.EOF) && length < 0, errors.Is(err, io.ErrUnexpectedEOF) && length < 0:
			return buffer[:filled:filled], nil
		}
		return nil, err
	}
}

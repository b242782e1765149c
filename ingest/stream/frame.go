package stream

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"slices"
	"time"

	"pinglake/ingest"
)

// A frame is one pack as the stream stores it. ingest/DESIGN.md shows it byte by
// byte; every number is little-endian.
const (
	frameMagic   = "PLPK"
	frameVersion = 1

	frameHeaderBytes  = 12 // magic, version, three zeros, count
	frameTrailerBytes = 4  // CRC-32C of everything before it
	entryMinBytes     = 8 + 4 + 2 + 4
)

// ErrCorrupt is wrapped by every error that says the stream on disk contradicts
// itself or the watermark. Nothing was deleted; an operator has to look.
var ErrCorrupt = fmt.Errorf("stream is %w", ingest.ErrCorrupt)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// entryBytes is the size of raw inside a frame, or an error if its parts cannot
// be written down.
func entryBytes(raw *ingest.Raw) (int, error) {
	if len(raw.Attributes) > math.MaxUint16 {
		return 0, fmt.Errorf("raw with %d attributes: at most %d fit", len(raw.Attributes), math.MaxUint16)
	}
	size := entryMinBytes + len(raw.URI) + len(raw.Body)
	for name, value := range raw.Attributes {
		if len(name) > math.MaxUint16 {
			return 0, fmt.Errorf("attribute with a name of %d bytes: at most %d fit", len(name), math.MaxUint16)
		}
		size += 2 + len(name) + 4 + len(value)
	}
	return size, nil
}

// appendEntry writes raw after dst. The caller has checked it with entryBytes.
func appendEntry(dst []byte, raw *ingest.Raw) []byte {
	le := binary.LittleEndian
	dst = le.AppendUint64(dst, uint64(raw.Submitted.UnixMicro()))
	dst = le.AppendUint32(dst, uint32(len(raw.URI)))
	dst = append(dst, raw.URI...)

	var room [32]string
	names := room[:0]
	for name := range raw.Attributes {
		names = append(names, name)
	}
	slices.Sort(names)
	dst = le.AppendUint16(dst, uint16(len(names)))
	for _, name := range names {
		value := raw.Attributes[name]
		dst = le.AppendUint16(dst, uint16(len(name)))
		dst = append(dst, name...)
		dst = le.AppendUint32(dst, uint32(len(value)))
		dst = append(dst, value...)
	}

	dst = le.AppendUint32(dst, uint32(len(raw.Body)))
	return append(dst, raw.Body...)
}

// appendFrame writes a whole frame of already encoded entries after dst, which
// must be empty.
func appendFrame(dst []byte, entries [][]byte) []byte {
	dst = append(dst, frameMagic...)
	dst = append(dst, frameVersion, 0, 0, 0)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(entries)))
	for _, entry := range entries {
		dst = append(dst, entry...)
	}
	return binary.LittleEndian.AppendUint32(dst, crc32.Checksum(dst, castagnoli))
}

// decodePack reads the frame stored as pack seq. Bodies alias frame. Any fault
// wraps ErrCorrupt, except a version of ours that is newer than this program.
func decodePack(seq uint64, frame []byte) ([]ingest.Raw, error) {
	raws, err := decodeFrame(seq, frame)
	if err != nil {
		return nil, fmt.Errorf("decode pack %d: %w", seq, err)
	}
	return raws, nil
}

func decodeFrame(seq uint64, frame []byte) ([]ingest.Raw, error) {
	if len(frame) < frameHeaderBytes+frameTrailerBytes {
		return nil, fmt.Errorf("%w: %d bytes are too few for a frame", ErrCorrupt, len(frame))
	}
	if string(frame[:4]) != frameMagic {
		return nil, fmt.Errorf("%w: frame begins with %q, not %q", ErrCorrupt, frame[:4], frameMagic)
	}
	switch version := frame[4]; {
	case version > frameVersion:
		return nil, fmt.Errorf("frame version %d is newer than this program knows (%d): start the newer pinglake that wrote it", version, frameVersion)
	case version == 0:
		return nil, fmt.Errorf("%w: frame version 0 never existed", ErrCorrupt)
	}
	content, trailer := frame[:len(frame)-frameTrailerBytes], frame[len(frame)-frameTrailerBytes:]
	if got, want := crc32.Checksum(content, castagnoli), binary.LittleEndian.Uint32(trailer); got != want {
		return nil, fmt.Errorf("%w: checksum %08x, stored %08x", ErrCorrupt, got, want)
	}
	if content[5]|content[6]|content[7] != 0 {
		return nil, fmt.Errorf("%w: reserved bytes are not zero", ErrCorrupt)
	}

	count := binary.LittleEndian.Uint32(content[8:])
	c := cursor{rest: content[frameHeaderBytes:], names: make(map[string]string)}
	if count == 0 || uint64(count)*entryMinBytes > uint64(len(c.rest)) {
		return nil, fmt.Errorf("%w: %d raws in %d bytes", ErrCorrupt, count, len(c.rest))
	}
	raws := make([]ingest.Raw, count)
	for i := range raws {
		if err := c.entry(&raws[i]); err != nil {
			return nil, fmt.Errorf("%w: raw %d of %d: %w", ErrCorrupt, i, count, err)
		}
		raws[i].At = ingest.Position{Pack: seq, Index: uint32(i)}
	}
	if len(c.rest) != 0 {
		return nil, fmt.Errorf("%w: %d bytes after the last raw", ErrCorrupt, len(c.rest))
	}
	return raws, nil
}

var errShort = errors.New("runs past the end of the frame")

// cursor reads entries off the front of rest.
type cursor struct {
	rest  []byte
	names map[string]string // one string for all attributes of a name
}

func (c *cursor) bytes(n uint64) ([]byte, error) {
	if n > uint64(len(c.rest)) {
		return nil, errShort
	}
	b := c.rest[:n:n]
	c.rest = c.rest[n:]
	return b, nil
}

func (c *cursor) number(width uint64) (uint64, error) {
	b, err := c.bytes(width)
	if err != nil {
		return 0, err
	}
	var n uint64
	for i := len(b) - 1; i >= 0; i-- {
		n = n<<8 | uint64(b[i])
	}
	return n, nil
}

func (c *cursor) sized(width uint64) ([]byte, error) {
	n, err := c.number(width)
	if err != nil {
		return nil, err
	}
	return c.bytes(n)
}

func (c *cursor) entry(raw *ingest.Raw) error {
	micros, err := c.number(8)
	if err != nil {
		return err
	}
	raw.Submitted = time.UnixMicro(int64(micros)).UTC()
	uri, err := c.sized(4)
	if err != nil {
		return err
	}
	raw.URI = string(uri)
	if raw.Attributes, err = c.attributes(); err != nil {
		return err
	}
	body, err := c.sized(4)
	if err != nil {
		return err
	}
	if len(body) > 0 {
		raw.Body = body
	}
	return nil
}

func (c *cursor) attributes() (map[string]string, error) {
	count, err := c.number(2)
	if err != nil {
		return nil, err
	}
	if count*(2+4) > uint64(len(c.rest)) {
		return nil, errShort
	}
	attributes := make(map[string]string, count)
	previous := ""
	for i := range count {
		name, err := c.sized(2)
		if err != nil {
			return nil, err
		}
		value, err := c.sized(4)
		if err != nil {
			return nil, err
		}
		if i > 0 && string(name) <= previous {
			return nil, fmt.Errorf("attribute %q does not sort after %q", name, previous)
		}
		previous = c.name(name)
		attributes[previous] = string(value)
	}
	return attributes, nil
}

func (c *cursor) name(b []byte) string {
	name, known := c.names[string(b)]
	if !known {
		name = string(b)
		c.names[name] = name
	}
	return name
}

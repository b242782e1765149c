package dedup

import (
	"encoding/binary"
	"fmt"
)

// formatVersion is the version of the keys below. It changes with them.
const formatVersion = 1

// The first byte of every key says what the record is; see DESIGN.md.
const (
	recordMeta  = 0x00 // recordMeta | name -> value
	recordTable = 0x01 // recordTable | number (4) -> the table's name
	recordID    = 0x02 // recordID | day (4) | number (4) | id (16) -> nothing
)

// metaFormat is 4 bytes; metaSpan is first (8) and last (8).
var (
	metaFormat = []byte{recordMeta, 'f'}
	metaSpan   = []byte{recordMeta, 's'}
)

const (
	idKeyLength  = 1 + 4 + 4 + 16
	dayKeyLength = 1 + 4
)

// All integers are big endian, so that keys sort by day, then table, then id.

func appendIDKey(dst []byte, day, table uint32, id [16]byte) []byte {
	dst = append(dst, recordID)
	dst = binary.BigEndian.AppendUint32(dst, day)
	dst = binary.BigEndian.AppendUint32(dst, table)
	return append(dst, id[:]...)
}

// dayKey is the lower bound of the bucket of day, and the upper bound of the
// bucket before it. The day after the largest one is the end of all buckets.
func dayKey(day uint64) []byte {
	if day > maxDay {
		return []byte{recordID + 1}
	}
	return binary.BigEndian.AppendUint32([]byte{recordID}, uint32(day))
}

const maxDay = 1<<32 - 1

func dayOfKey(key []byte) (uint32, error) {
	if len(key) != idKeyLength || key[0] != recordID {
		return 0, fmt.Errorf("key %x is not an id record", key)
	}
	return binary.BigEndian.Uint32(key[1:dayKeyLength]), nil
}

func tableKey(number uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte{recordTable}, number)
}

func tableOfKey(key []byte) (uint32, error) {
	if len(key) != 1+4 {
		return 0, fmt.Errorf("key %x is not a table record", key)
	}
	return binary.BigEndian.Uint32(key[1:]), nil
}

func encodeSpan(first, last uint64) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, first), last)
}

func decodeSpan(value []byte) (first, last uint64, err error) {
	if len(value) != 16 {
		return 0, 0, fmt.Errorf("span record of %d bytes, not 16", len(value))
	}
	return binary.BigEndian.Uint64(value), binary.BigEndian.Uint64(value[8:]), nil
}

func encodeFormat(version uint32) []byte { return binary.BigEndian.AppendUint32(nil, version) }

func decodeFormat(value []byte) (uint32, error) {
	if len(value) != 4 {
		return 0, fmt.Errorf("format record of %d bytes, not 4", len(value))
	}
	return binary.BigEndian.Uint32(value), nil
}

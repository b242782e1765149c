package ingest

import (
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"strings"
)

// DocumentID is the 128 bits that name a ping within its table. Texts that
// differ in case or in leading zeros are the same DocumentID.
type DocumentID [16]byte

// ParseDocumentID reads a document_id the way java.util.UUID.fromString does,
// which is what the reference accepts: at most 36 characters, exactly four
// dashes, five non-empty hexadecimal parts (a leading '+' allowed) that each fit
// a signed 64-bit integer. Lengths of the parts are not checked; surplus high
// bits are cut. ok is false for anything else.
func ParseDocumentID(s string) (id DocumentID, ok bool) {
	if len(s) > 36 || strings.Count(s, "-") != 4 {
		return id, false
	}
	var parts [5]uint64
	for i := range parts {
		text := s
		if cut := strings.IndexByte(s, '-'); cut >= 0 {
			text, s = s[:cut], s[cut+1:]
		}
		v, err := strconv.ParseInt(text, 16, 64)
		if err != nil || v < 0 {
			return DocumentID{}, false
		}
		parts[i] = uint64(v)
	}
	high := parts[0]<<32 | parts[1]&0xffff<<16 | parts[2]&0xffff
	low := parts[3]<<48 | parts[4]&0xffffffffffff
	binary.BigEndian.PutUint64(id[:8], high)
	binary.BigEndian.PutUint64(id[8:], low)
	return id, true
}

// String is the canonical text: 36 characters, lower case.
func (id DocumentID) String() string {
	var b [36]byte
	hex.Encode(b[0:8], id[0:4])
	b[8] = '-'
	hex.Encode(b[9:13], id[4:6])
	b[13] = '-'
	hex.Encode(b[14:18], id[6:8])
	b[18] = '-'
	hex.Encode(b[19:23], id[8:10])
	b[23] = '-'
	hex.Encode(b[24:36], id[10:16])
	return string(b[:])
}

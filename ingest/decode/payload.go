package decode

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/klauspost/compress/gzip"
	"github.com/valyala/fastjson"
)

var gzipReaders = sync.Pool{New: func() any { return new(gzip.Reader) }}

// unpack replaces a gzip'd payload by what it holds. Anything that is not whole
// gzip stays as it is, and is judged as JSON.
func (s *submission) unpack() {
	plain, err := gunzip(s.payload, s.MaxPayload)
	switch {
	case errors.Is(err, errBomb):
		s.bomb = true
	case err != nil:
		s.metrics.plain.Inc()
		return
	default:
		s.payload = plain
	}
	s.metrics.packed.Inc()
	if _, known := s.attributes["client_compression"]; !known {
		s.attributes["client_compression"] = "gzip"
	}
}

// maxRatio is how many bytes one packed byte can become, at the very most.
const maxRatio = 1032

// MaxUnpacked bounds the memory that a body can become in bytes, without opening
// it: itself, or what the best packed gzip of its size holds, up to the limit.
func MaxUnpacked(body []byte) int {
	if !isGzip(body) {
		return len(body)
	}
	return min(maxRatio*len(body), DefaultMaxPayload)
}

func isGzip(body []byte) bool { return len(body) >= 18 && body[0] == 0x1f && body[1] == 0x8b }

var errBomb = errors.New("unpacks to more than the limit")

// gunzip unpacks member by member, as Java's GZIPInputStream does: concatenated
// members are one text, and what follows the last member is ignored unless it
// begins like another. It stops with errBomb past limit bytes.
func gunzip(packed []byte, limit int) ([]byte, error) {
	if !isGzip(packed) {
		return nil, gzip.ErrHeader
	}
	from := bytes.NewReader(packed)
	reader := gzipReaders.Get().(*gzip.Reader)
	defer gzipReaders.Put(reader)
	if err := reader.Reset(from); err != nil {
		return nil, err
	}
	var plain bytes.Buffer
	plain.Grow(min(4*len(packed), limit+1))
	for {
		reader.Multistream(false)
		if _, err := io.Copy(&plain, io.LimitReader(reader, int64(limit+1-plain.Len()))); err != nil {
			return nil, err
		}
		if plain.Len() > limit {
			return nil, errBomb
		}
		if reader.Reset(from) != nil {
			return plain.Bytes(), nil
		}
	}
}

const errNotAnObject referenceError = "json value is not an object"

// parseDocument reads the first JSON value of payload, which must be an object.
// What follows it is ignored, as the reference does. Of a repeated key the last
// value counts.
func parseDocument(payload []byte) (*fastjson.Value, error) {
	payload = bytes.TrimPrefix(payload, []byte("\xef\xbb\xbf"))
	end, err := scanValue(payload)
	if err != nil {
		return nil, err
	}
	if !utf8.Valid(payload[:end]) {
		return nil, fmt.Errorf("invalid UTF-8 at byte %d", invalidUTF8(payload[:end]))
	}
	var parser fastjson.Parser
	document, err := parser.ParseBytes(mendSurrogates(payload[:end]))
	if err != nil {
		return nil, err
	}
	if document.Type() != fastjson.TypeObject {
		return nil, errNotAnObject
	}
	budget := repeatBudget
	if !dropRepeatedKeys(document, &budget) {
		return nil, errors.New("too many repeated keys in large objects")
	}
	return document, nil
}

// mendSurrogates replaces each escaped half of a surrogate pair that stands alone by
// the replacement character: no text can hold it, and the parser would take what
// follows with it. It gives text itself if there is none.
func mendSurrogates(text []byte) []byte {
	if !bytes.Contains(text, []byte(`\ud`)) && !bytes.Contains(text, []byte(`\uD`)) {
		return text
	}
	var mended []byte
	from := 0
	for i := 0; i < len(text); {
		switch {
		case text[i] != '\\':
			i++
		case text[i+1] != 'u':
			i += 2
		case isPair(text, i):
			i += 12
		default:
			if utf16.IsSurrogate(escapedUnit(text, i)) {
				mended = append(append(mended, text[from:i]...), `\ufffd`...)
				from = i + 6
			}
			i += 6
		}
	}
	if from == 0 {
		return text
	}
	return append(mended, text[from:]...)
}

// isPair says whether two escapes at i are the halves of one character.
func isPair(text []byte, i int) bool {
	if i+12 > len(text) || text[i+6] != '\\' || text[i+7] != 'u' {
		return false
	}
	return utf16.DecodeRune(escapedUnit(text, i), escapedUnit(text, i+6)) != utf8.RuneError
}

// escapedUnit is the number that the four digits of an escape at i write.
func escapedUnit(text []byte, i int) rune {
	unit, _ := strconv.ParseUint(string(text[i+2:i+6]), 16, 16) // the scanner saw four digits
	return rune(unit)
}

// invalidUTF8 is the offset of the first byte that is not UTF-8.
func invalidUTF8(b []byte) int {
	for i := 0; i < len(b); {
		r, size := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return len(b)
}

// repeatBudget bounds the work for repeated keys of one payload, in moved members:
// dropping a key moves those behind it, and a few packed kilobytes can hold
// millions.
const repeatBudget = 10_000_000

// dropRepeatedKeys leaves each object with the last value of each key. It gives up
// when that costs more than the budget.
func dropRepeatedKeys(v *fastjson.Value, budget *int) bool {
	switch v.Type() {
	case fastjson.TypeArray:
		items, _ := v.Array()
		for _, item := range items {
			if !dropRepeatedKeys(item, budget) {
				return false
			}
		}
	case fastjson.TypeObject:
		object, _ := v.Object()
		repeated := repeatedKeys(object, *budget/max(object.Len(), 1))
		if *budget -= len(repeated) * object.Len(); *budget < 0 {
			return false
		}
		for _, key := range repeated {
			object.Del(key)
		}
		ok := true
		object.Visit(func(_ []byte, child *fastjson.Value) { ok = ok && dropRepeatedKeys(child, budget) })
		return ok
	}
	return true
}

// repeatedKeys lists each key once for each value but its last. It stops once there
// are more than most.
func repeatedKeys(object *fastjson.Object, most int) []string {
	if object.Len() < 2 {
		return nil
	}
	var repeated []string
	if object.Len() <= 8 {
		var keys [8][]byte
		n := 0
		object.Visit(func(key []byte, _ *fastjson.Value) {
			for _, k := range keys[:n] {
				if bytes.Equal(k, key) {
					repeated = append(repeated, string(key))
					break
				}
			}
			keys[n] = key
			n++
		})
		return repeated
	}
	seen := make(map[string]struct{}, object.Len())
	object.Visit(func(key []byte, _ *fastjson.Value) {
		if len(repeated) > most {
			return
		}
		if _, ok := seen[string(key)]; ok {
			repeated = append(repeated, string(key))
			return
		}
		seen[string(key)] = struct{}{}
	})
	return repeated
}

// payloadVersion is the version a telemetry payload says of itself: the first of
// version and v that is a scalar, as text.
func payloadVersion(document *fastjson.Value) (string, bool) {
	for _, key := range []string{"version", "v"} {
		v := document.Get(key)
		if v == nil {
			continue
		}
		switch v.Type() {
		case fastjson.TypeObject, fastjson.TypeArray:
		case fastjson.TypeString:
			return string(v.GetStringBytes()), true
		default:
			return v.String(), true
		}
	}
	return "", false
}

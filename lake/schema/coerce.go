package schema

import (
	"encoding/base64"
	"math"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"github.com/valyala/fastjson"
)

// coerce reads a value as the leaf n; ok is false if the column cannot hold it.
func (b *builder) coerce(n *node, v *fastjson.Value) (cell Cell, ok bool) {
	switch n.kind {
	case String:
		cell.Bytes, ok = b.text(n, v), true
	case Int64:
		cell.Num, ok = asInt(v)
	case Float64:
		cell.Num, ok = asFloat(v)
	case Bool:
		cell.Num, ok = asBool(v)
	case Timestamp:
		cell.Num, ok = asTimestamp(v)
	case Bytes:
		cell.Bytes, ok = asBytes(v)
	}
	b.countCoercion(n.kind, v, ok)
	return cell, ok
}

// text is v as a VARCHAR: a string as it is, anything else as JSON text.
func (b *builder) text(n *node, v *fastjson.Value) []byte {
	switch v.Type() {
	case fastjson.TypeString:
		s, _ := v.StringBytes()
		return s
	case fastjson.TypeObject:
		if v.Get("histogram_type") != nil {
			if sum, ok := b.useCounter(n.name, v); ok {
				return strconv.AppendInt(nil, sum, 10)
			}
		}
	}
	b.scratch = AppendJSON(b.scratch[:0], v)
	return append(make([]byte, 0, len(b.scratch)), b.scratch...)
}

// useCounter is the short form of a use counter's histogram: a boolean histogram
// whose only count is its sum.
func (b *builder) useCounter(column string, v *fastjson.Value) (sum int64, ok bool) {
	const flag = 2 // histogram_type of a boolean histogram
	if !strings.HasPrefix(column, "use_counter2") {
		return 0, false
	}
	kind, ok := wholeNumber(v.Get("histogram_type"))
	if !ok || kind != flag {
		return 0, false
	}
	sum, ok = wholeNumber(v.Get("sum"))
	if !ok || sum < 0 {
		b.coercions[InvalidHistogramSum]++
		return 0, false
	}
	ones, ok := wholeNumber(v.Get("values", "1"))
	if !ok && v.Exists("values", "1") {
		ones = -1 // no count
	}
	if ones != sum {
		b.coercions[InvalidUseCounter]++
		return 0, false
	}
	return sum, true
}

func wholeNumber(v *fastjson.Value) (number int64, ok bool) {
	if v == nil {
		return 0, false
	}
	number, err := v.Int64()
	return number, err == nil
}

// asInt takes numbers written without fraction or exponent that fit 64 bits, and
// booleans as 1 and 0.
func asInt(v *fastjson.Value) (uint64, bool) {
	switch v.Type() {
	case fastjson.TypeNumber:
		number, err := v.Int64()
		return uint64(number), err == nil
	case fastjson.TypeTrue:
		return 1, true
	case fastjson.TypeFalse:
		return 0, true
	}
	return 0, false
}

// asFloat takes any finite number, and booleans as 1 and 0.
func asFloat(v *fastjson.Value) (uint64, bool) {
	switch v.Type() {
	case fastjson.TypeNumber:
		number, err := strconv.ParseFloat(numberText(v), 64)
		if err != nil || math.IsInf(number, 0) || math.IsNaN(number) {
			return 0, false
		}
		return math.Float64bits(number), true
	case fastjson.TypeTrue:
		return math.Float64bits(1), true
	case fastjson.TypeFalse:
		return 0, true
	}
	return 0, false
}

func asBool(v *fastjson.Value) (uint64, bool) {
	switch v.Type() {
	case fastjson.TypeTrue:
		return 1, true
	case fastjson.TypeFalse:
		return 0, true
	}
	return 0, false
}

// asTimestamp takes RFC 3339 text, cut to microseconds.
func asTimestamp(v *fastjson.Value) (uint64, bool) {
	s, err := v.StringBytes()
	if err != nil {
		return 0, false
	}
	t, err := time.Parse(time.RFC3339Nano, strings.ToUpper(unsafeString(s)))
	if err != nil {
		return 0, false
	}
	return uint64(t.UnixMicro()), true
}

func asBytes(v *fastjson.Value) ([]byte, bool) {
	s, err := v.StringBytes()
	if err != nil {
		return nil, false
	}
	raw, err := base64.StdEncoding.DecodeString(unsafeString(s))
	return raw, err == nil
}

// unsafeString is b as a string that shares its memory. The payload's bytes do not
// change while a row is made.
func unsafeString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

package query

import (
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/duckdb/duckdb-go/v2"
)

// nativeText writes a value that the driver gave, for the few statements whose
// result DuckDB cannot be asked to cast. Members of nested values are written by
// their Go type, so a date inside a list shows a time of day.
func nativeText(v any, typ string, form Form) sql.NullString {
	if v == nil {
		return sql.NullString{}
	}
	text := duckText(v, typ)
	if form == JSON {
		text = jsonText(v, text)
	}
	return sql.NullString{String: text, Valid: true}
}

func duckText(v any, typ string) string {
	switch v := v.(type) {
	case nil:
		return "NULL"
	case string:
		return v
	case float64:
		return floatText(v, 64)
	case float32:
		return floatText(float64(v), 32)
	case *big.Int:
		return v.String()
	case duckdb.Decimal:
		return decimalText(v)
	case duckdb.Interval:
		return intervalText(v)
	case duckdb.Union:
		return duckText(v.Value, "")
	case []byte:
		if typ == "UUID" && len(v) == 16 {
			h := hex.EncodeToString(v)
			return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
		}
		return blobText(v)
	case time.Time:
		return timeText(v, typ)
	case []any:
		items := make([]string, len(v))
		for i, item := range v {
			items[i] = duckText(item, "")
		}
		return "[" + strings.Join(items, ", ") + "]"
	case map[string]any:
		var members []string
		for _, key := range slices.Sorted(maps.Keys(v)) {
			members = append(members, quoteText(key)+": "+duckText(v[key], ""))
		}
		return "{" + strings.Join(members, ", ") + "}"
	case duckdb.OrderedMap:
		keys, values := v.Keys(), v.Values()
		entries := make([]string, len(keys))
		for i := range keys {
			entries[i] = duckText(keys[i], "") + "=" + duckText(values[i], "")
		}
		return "{" + strings.Join(entries, ", ") + "}"
	}
	return fmt.Sprint(v)
}

// floatText is the shortest text that reads back the same, with DuckDB's choice
// of exponents.
func floatText(f float64, bits int) string {
	switch {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	}
	if a := math.Abs(f); a != 0 && (a < 1e-4 || a >= 1e16) {
		return strconv.FormatFloat(f, 'e', -1, bits)
	}
	text := strconv.FormatFloat(f, 'f', -1, bits)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}

func decimalText(d duckdb.Decimal) string {
	digits := new(big.Int).Abs(d.Value).String()
	scale := int(d.Scale)
	if len(digits) <= scale {
		digits = strings.Repeat("0", scale-len(digits)+1) + digits
	}
	if scale > 0 {
		digits = digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
	}
	if d.Value.Sign() < 0 {
		return "-" + digits
	}
	return digits
}

func intervalText(i duckdb.Interval) string {
	var parts []string
	add := func(n int32, unit string) {
		switch n {
		case 0:
		case 1, -1:
			parts = append(parts, fmt.Sprintf("%d %s", n, unit))
		default:
			parts = append(parts, fmt.Sprintf("%d %ss", n, unit))
		}
	}
	add(i.Months/12, "year")
	add(i.Months%12, "month")
	add(i.Days, "day")
	if i.Micros != 0 || len(parts) == 0 {
		micros, sign := i.Micros, ""
		if micros < 0 {
			micros, sign = -micros, "-"
		}
		text := fmt.Sprintf("%s%02d:%02d:%02d", sign, micros/3600e6, micros/60e6%60, micros/1e6%60)
		if micros%1e6 != 0 {
			text += strings.TrimRight(fmt.Sprintf(".%06d", micros%1e6), "0")
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, " ")
}

func blobText(b []byte) string {
	var text strings.Builder
	for _, c := range b {
		if c < 32 || c > 126 || c == '\\' || c == '\'' || c == '"' {
			fmt.Fprintf(&text, `\x%02X`, c)
		} else {
			text.WriteByte(c)
		}
	}
	return text.String()
}

func timeText(t time.Time, typ string) string {
	layout := "2006-01-02 15:04:05.999999999"
	switch typ {
	case "DATE":
		layout = time.DateOnly
	case "TIME":
		layout = "15:04:05.999999"
	case "TIME WITH TIME ZONE":
		layout = "15:04:05.999999-07"
	case "TIMESTAMP WITH TIME ZONE":
		layout += "-07"
	}
	return t.Format(layout)
}

// jsonText is a value as JSON: numbers, booleans and nested values as they are,
// everything else as the text it has.
func jsonText(v any, text string) string {
	switch v.(type) {
	case bool, int8, int16, int32, int64, uint8, uint16, uint32, uint64, float32, float64, []any, map[string]any, duckdb.OrderedMap:
		if encoded, err := json.Marshal(v); err == nil { // not NaN, nor a map with keys that JSON has not
			return string(encoded)
		}
	}
	encoded, _ := json.Marshal(text) // a string always has an encoding
	return string(encoded)
}

// finiteJSON puts null for the NaN and Infinity that DuckDB writes outside of
// strings and JSON readers refuse.
func finiteJSON(text string) string {
	if !strings.Contains(text, "NaN") && !strings.Contains(text, "Infinity") {
		return text
	}
	var b strings.Builder
	quoted := false
	for i := 0; i < len(text); i++ {
		rest := text[i:]
		switch {
		case quoted && text[i] == '\\' && len(rest) > 1:
			b.WriteString(rest[:2])
			i++
			continue
		case text[i] == '"':
			quoted = !quoted
		case !quoted:
			if n := nonFinite(rest); n > 0 {
				b.WriteString("null")
				i += n - 1
				continue
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

func nonFinite(text string) int {
	for _, word := range []string{"NaN", "-NaN", "Infinity", "-Infinity"} {
		if strings.HasPrefix(text, word) {
			return len(word)
		}
	}
	return 0
}

package schema

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/valyala/fastjson"
	"pgregory.net/rapid"
)

// The model is the payload's transformation told once more, over plain Go values
// and without levels: what a column gets (nil is null) and what is left over
// (absent is nothing).

type absent struct{}

func modelRecord(columns []*Column, members map[string]any) (row, left map[string]any) {
	row, left = map[string]any{}, map[string]any{}
	// Of two keys for one column the renamed one stays: it comes last.
	keys := slices.Collect(maps.Keys(members))
	slices.SortFunc(keys, func(a, b string) int { return modelRank(columns, a) - modelRank(columns, b) })
	for _, key := range keys {
		value, c := members[key], modelColumn(columns, key)
		if c == nil {
			left[key] = value
			continue
		}
		cell, over := modelValue(c, value)
		if cell != nil {
			row[c.Name] = cell
		}
		if over != (any)(absent{}) {
			left[key] = over
		}
	}
	return row, left
}

func modelColumn(columns []*Column, key string) *Column {
	if c := columnNamed(columns, key+"2"); c != nil && strings.Contains(" url text jwe labeled_rate ", " "+key+" ") {
		return c
	}
	if c := columnNamed(columns, key); c != nil {
		return c
	}
	return columnNamed(columns, ColumnName(key))
}

func modelRank(columns []*Column, key string) int {
	if c := modelColumn(columns, key); c != nil && c.Name != key {
		return 1
	}
	return 0
}

func modelValue(c *Column, value any) (cell, left any) {
	if value == nil {
		return nil, absent{}
	}
	switch c.Kind {
	case Struct:
		return modelStruct(c, value)
	case Map:
		entries, ok := value.(map[string]any)
		if !ok {
			return nil, value
		}
		cells, over := map[string]any{}, map[string]any{}
		for key, entry := range entries {
			got, rest := modelValue(c.Fields[1], entry)
			cells[key] = got
			if rest != (any)(absent{}) {
				over[key] = rest
			}
		}
		return cells, orAbsent(over)
	case List:
		return modelList(c, value)
	}
	if got, ok := modelLeaf(c, value); ok {
		return got, absent{}
	}
	return nil, value
}

func modelStruct(c *Column, value any) (cell, left any) {
	switch value := value.(type) {
	case map[string]any:
		row, over := modelRecord(c.Fields, value)
		if len(row) == 0 {
			return nil, orAbsent(over)
		}
		return row, orAbsent(over)
	case []any:
		places := map[string]any{}
		for i, place := range value {
			places[fmt.Sprintf("f%d_", i)] = place
		}
		row, over := modelRecord(c.Fields, places)
		rest := make([]any, len(value))
		for i := range value {
			rest[i] = over[fmt.Sprintf("f%d_", i)]
		}
		left = absent{}
		if len(over) > 0 {
			left = rest
		}
		if len(row) == 0 {
			return nil, left
		}
		return row, left
	}
	return nil, value
}

func modelList(c *Column, value any) (cell, left any) {
	elements, ok := value.([]any)
	if !ok {
		return nil, value
	}
	if len(elements) == 0 {
		return nil, absent{}
	}
	item := c.Fields[0]
	tuples := true
	for _, element := range elements {
		_, isList := element.([]any)
		tuples = tuples && isList
	}
	cells, rest := make([]any, len(elements)), make([]any, len(elements))
	over := false
	for i, element := range elements {
		var got, refused any
		switch item.Kind {
		case Struct, Map, List:
			got, refused = modelValue(item, element)
			if _, isList := element.([]any); item.Kind == Struct && isList && !tuples {
				got, refused = nil, element
			}
		default:
			if got, ok = modelLeaf(item, element); !ok {
				return nil, value
			}
			refused = absent{}
		}
		if item.Kind == Struct {
			rest[i] = map[string]any{}
			if element == nil {
				refused = nil
			}
			if got == nil {
				got = map[string]any{}
			}
		}
		if list, ok := element.([]any); ok && item.Kind == List && len(list) == 0 {
			got = []any{}
		}
		if refused != (any)(absent{}) {
			rest[i], over = refused, true
		}
		cells[i] = got
	}
	if !over {
		return cells, absent{}
	}
	return cells, rest
}

func modelLeaf(c *Column, value any) (any, bool) {
	number, isNumber := value.(json.Number)
	flag, isBool := value.(bool)
	s, isString := value.(string)
	switch c.Kind {
	case String:
		if isString {
			return s, true
		}
		var text strings.Builder
		encoder := json.NewEncoder(&text)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(value); err != nil {
			panic(err)
		}
		return strings.TrimSpace(text.String()), true
	case Int64:
		if isBool {
			return map[bool]int64{true: 1}[flag], true
		}
		n, err := strconv.ParseInt(string(number), 10, 64)
		return n, isNumber && err == nil
	case Float64:
		if isBool {
			return map[bool]float64{true: 1}[flag], true
		}
		f, err := strconv.ParseFloat(string(number), 64)
		return f, isNumber && err == nil
	case Bool:
		return flag, isBool
	case Timestamp:
		at, err := time.Parse(time.RFC3339Nano, s)
		return at.UTC().Truncate(time.Microsecond), isString && err == nil
	case Bytes:
		raw, err := base64.StdEncoding.DecodeString(s)
		return raw, isString && err == nil
	}
	panic("no such leaf in a payload")
}

func orAbsent(left map[string]any) any {
	if len(left) == 0 {
		return absent{}
	}
	return left
}

// drawValue draws JSON that now and then fits a column of richSchema. Keys of one
// object never mean the same column.
func drawValue(t *rapid.T, depth int) any {
	kinds := 8
	if depth == 0 {
		kinds = 6
	}
	switch rapid.IntRange(0, kinds).Draw(t, "kind") {
	case 0:
		return nil
	case 1:
		return rapid.Bool().Draw(t, "bool")
	case 2, 3:
		return json.Number(rapid.SampledFrom([]string{"0", "1", "-7", "9223372036854775807", "9223372036854775808", "1.0", "2.5", "1e3", "-0.1"}).Draw(t, "number"))
	case 4, 5:
		return rapid.SampledFrom([]string{"", "x", "2026-11-22T19:41:10.436Z", "aGk=", "é\u0001\"\\\n", "😀"}).Draw(t, "string")
	case 6, 7:
		n := rapid.IntRange(0, 3).Draw(t, "length")
		list := make([]any, n)
		for i := range list {
			list[i] = drawValue(t, depth-1)
		}
		return list
	}
	return drawObject(t, depth-1, []string{"a", "field", "n", "tags", "test_int", "testInt", "deep", "b c", "f0_", "1", "more",
		"url", "Url", "text", "labeled_rate"})
}

func drawObject(t *rapid.T, depth int, keys []string) map[string]any {
	object, taken := map[string]any{}, map[string]bool{}
	for range rapid.IntRange(0, 4).Draw(t, "members") {
		key := rapid.SampledFrom(keys).Draw(t, "key")
		name := ColumnName(key)
		if slices.Contains(renamedMetrics, key) {
			name += "2"
		}
		if !taken[name] {
			taken[name] = true
			object[key] = drawValue(t, max(depth, 0))
		}
	}
	return object
}

func TestRowsKeepToTheModel(t *testing.T) {
	d := doctypeOf(t, richSchema)
	keys := []string{"unknown", "url", "Text", "documentId", "Camel-Case", "test.int", "useCounter2Page"}
	for _, c := range d.columns {
		keys = append(keys, c.Name)
		if c.Kind >= Struct { // the interesting ones, more often
			keys = append(keys, c.Name, c.Name)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		payload := drawObject(t, 4, keys)
		text, err := json.Marshal(payload)
		if err != nil {
			t.Fatal(err)
		}
		row, err := d.Row(Document{Payload: fastjson.MustParseBytes(text), Submitted: submitted})
		if err != nil {
			t.Fatal(err)
		}
		tree, err := assemble(row)
		if err != nil {
			t.Fatalf("%s: cells: %v", text, err)
		}
		decoder := json.NewDecoder(strings.NewReader(tree[additionalProperties].(string)))
		decoder.UseNumber()
		var left map[string]any
		if err := decoder.Decode(&left); err != nil {
			t.Fatalf("%s: left over: %v", text, err)
		}
		for name := range tree {
			if isSystemColumn(name) {
				delete(tree, name)
			}
		}
		wantRow, wantLeft := modelRecord(d.columns, payload)
		if diff := cmp.Diff(wantRow, tree); diff != "" {
			t.Fatalf("%s: row:\n%s", text, diff)
		}
		if diff := cmp.Diff(wantLeft, left); diff != "" {
			t.Fatalf("%s: left over:\n%s", text, diff)
		}
	})
}

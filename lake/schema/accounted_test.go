package schema

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fastjson"
	"pgregory.net/rapid"
)

// What a payload says must be in its row or left over. The check knows the rules for
// names and types, but neither levels nor the order of keys.

// accountFor makes a row and says what of the payload is missing from it, or what is
// wrong with the row. The payload must not repeat keys.
func accountFor(d *Doctype, payload *fastjson.Value) error {
	said, _ := treeOf(payload)
	row, err := d.Row(Document{Payload: payload, Submitted: submitted})
	if err != nil {
		return err
	}
	tree, err := assemble(row)
	if err != nil {
		return fmt.Errorf("cells: %w", err)
	}
	var left map[string]any
	text, _ := tree[additionalProperties].(string)
	if err := decodeNumbers(text, &left); err != nil {
		return fmt.Errorf("left over %q: %w", text, err)
	}
	if err := membersAccounted(d.columns, said.(map[string]any), tree, left); err != nil {
		return fmt.Errorf("%s: payload%w\nrow %v\nleft over %s", AppendJSON(nil, payload), err, tree, text)
	}
	return nil
}

// treeOf is a value as encoding/json reads it, its numbers as they are written. ok is
// false if an object repeats a key.
func treeOf(v *fastjson.Value) (tree any, ok bool) {
	switch v.Type() {
	case fastjson.TypeObject:
		members := map[string]any{}
		ok = true
		v.GetObject().Visit(func(key []byte, value *fastjson.Value) {
			member, fine := treeOf(value)
			_, repeated := members[string(key)]
			ok = ok && fine && !repeated
			members[string(key)] = member
		})
		return members, ok
	case fastjson.TypeArray:
		list := []any{}
		for _, element := range v.GetArray() {
			item, fine := treeOf(element)
			if !fine {
				return nil, false
			}
			list = append(list, item)
		}
		return list, true
	case fastjson.TypeString:
		return string(v.GetStringBytes()), true
	case fastjson.TypeNumber:
		return json.Number(numberText(v)), true
	case fastjson.TypeTrue, fastjson.TypeFalse:
		return v.GetBool(), true
	}
	return nil, true
}

// membersAccounted groups keys by their column. One without a column is left over;
// of several for one column one is accounted for, and another may have been replaced
// if the column could hold all of it.
func membersAccounted(columns []*Column, members, row, left map[string]any) error {
	groups := map[*Column][]string{}
	for key, value := range members {
		c := columnOfKey(columns, key)
		if c == nil {
			if over, ok := left[key]; !ok || !reflect.DeepEqual(over, value) {
				return fmt.Errorf(".%s has no column and is not left over", key)
			}
			continue
		}
		if !saysNothing(c, value) {
			groups[c] = append(groups[c], key)
		}
	}
	for c, keys := range groups {
		found := false
		for _, key := range keys {
			err := accounted(c, members[key], row[c.Name], left[key])
			found = found || err == nil
			if _, over := modelValue(c, members[key]); err != nil && (len(keys) == 1 || over != any(absent{})) {
				return fmt.Errorf(".%s%w", key, err)
			}
		}
		if !found {
			return fmt.Errorf(": none of %q is in %v", keys, row[c.Name])
		}
	}
	return nil
}

func columnOfKey(columns []*Column, key string) *Column {
	if slices.Contains(renamedMetrics, key) {
		if c := columnNamed(columns, key+"2"); c != nil {
			return c
		}
	}
	if c := columnNamed(columns, key); c != nil {
		return c
	}
	for _, c := range columns { // a file of ours may name a column otherwise
		if c.Source == key {
			return c
		}
	}
	return columnNamed(columns, ColumnName(key))
}

// saysNothing is true of null, and of what a column takes for null.
func saysNothing(c *Column, value any) bool {
	switch value := value.(type) {
	case nil:
		return true
	case map[string]any:
		return len(value) == 0 && c.Kind == Struct
	case []any:
		return len(value) == 0 && (c.Kind == Struct || c.Kind == List)
	}
	return false
}

// accounted says why a value is neither in its cell nor left over.
func accounted(c *Column, value, cell, left any) error {
	if saysNothing(c, value) || left != nil && reflect.DeepEqual(left, value) {
		return nil
	}
	switch c.Kind {
	case Struct:
		if places, ok := value.([]any); ok {
			return placesAccounted(c, places, cell, left)
		}
		members, ok := value.(map[string]any)
		row, _ := cell.(map[string]any)
		over, _ := left.(map[string]any)
		if ok {
			return membersAccounted(c.Fields, members, row, over)
		}
	case Map:
		entries, ok := value.(map[string]any)
		cells, _ := cell.(map[string]any)
		over, _ := left.(map[string]any)
		if ok && len(cells) == len(entries) {
			for key, entry := range entries {
				if err := accounted(c.Fields[1], entry, cells[key], over[key]); err != nil {
					return fmt.Errorf("{%s}%w", key, err)
				}
			}
			return nil
		}
	case List:
		elements, ok := value.([]any)
		cells, _ := cell.([]any)
		over, _ := left.([]any)
		if ok && len(cells) == len(elements) && (over == nil || len(over) == len(elements)) {
			for i, element := range elements {
				if err := accounted(c.Fields[0], element, cells[i], at(over, i)); err != nil {
					return fmt.Errorf("[%d]%w", i, err)
				}
			}
			return nil
		}
	default:
		if says(c.Kind, value, cell) {
			return nil
		}
	}
	return fmt.Errorf(" %v is neither in %v nor in %v", value, cell, left)
}

func placesAccounted(c *Column, places []any, cell, left any) error {
	members, over := map[string]any{}, map[string]any{}
	for i, place := range places {
		name := fmt.Sprintf("f%d_", i)
		if members[name] = place; place == nil {
			delete(members, name)
		}
		if list, ok := left.([]any); ok && len(list) == len(places) {
			over[name] = list[i]
		}
	}
	row, _ := cell.(map[string]any)
	return membersAccounted(c.Fields, members, row, over)
}

func at(list []any, i int) any {
	if list == nil {
		return nil
	}
	return list[i]
}

// says compares a value with the cell of a leaf.
func says(kind Kind, value, cell any) bool {
	if flag, ok := value.(bool); ok && (kind == Int64 || kind == Float64) {
		value = map[bool]json.Number{false: "0", true: "1"}[flag]
	}
	switch cell := cell.(type) {
	case bool:
		return value == any(cell)
	case int64:
		return value == any(json.Number(strconv.FormatInt(cell, 10))) || value == any(json.Number("-0")) && cell == 0
	case float64:
		number, ok := value.(json.Number)
		f, err := number.Float64()
		return ok && err == nil && f == cell
	case time.Time:
		text, _ := value.(string)
		read, err := time.Parse(time.RFC3339Nano, strings.ToUpper(text))
		return err == nil && read.UTC().Truncate(time.Microsecond).Equal(cell)
	case []byte:
		text, _ := value.(string)
		read, err := base64.StdEncoding.DecodeString(text)
		return err == nil && string(read) == string(cell)
	case string:
		if text, ok := value.(string); ok {
			return text == cell
		}
		return saysJSON(value, cell)
	}
	return false
}

// saysJSON compares a value with its text, which for a use counter is its sum.
func saysJSON(value any, text string) bool {
	var read any
	if err := decodeNumbers(text, &read); err != nil {
		return false
	}
	histogram, _ := value.(map[string]any)
	if sum, ok := histogram["sum"]; ok && reflect.DeepEqual(read, sum) {
		return true
	}
	return reflect.DeepEqual(read, value)
}

func TestNothingOfAPayloadIsLost(t *testing.T) {
	d := doctypeOf(t, richSchema)
	var keys []string
	for _, c := range d.columns {
		keys = append(keys, c.Name, strings.ReplaceAll(c.Name, "_", "."), strings.ToUpper(c.Name))
	}
	rapid.Check(t, func(t *rapid.T) {
		payload := map[string]any{}
		for range rapid.IntRange(0, 8).Draw(t, "members") {
			payload[rapid.SampledFrom(keys).Draw(t, "key")] = drawValue(t, 3)
		}
		text, err := json.Marshal(payload)
		if err != nil {
			t.Fatal(err)
		}
		if err := accountFor(d, fastjson.MustParseBytes(text)); err != nil {
			t.Fatal(err)
		}
	})
}

package schema

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/valyala/fastjson"
	"pgregory.net/rapid"
)

// targetOf is a target of a split whose schema has these properties.
func targetOf(t testing.TB, properties string) *Doctype {
	return doctypeOf(t, `{"$schema":"http://json-schema.org/draft-07/schema#","type":"object","properties":{`+properties+`},
		"definitions":{"o":{"type":"object","properties":{"x":{"type":"integer"}}}}}`)
}

func TestTake(t *testing.T) {
	const (
		object   = `{"type":"object","properties":{"x":{"type":"integer"}}}`
		integers = `"a":{"type":"integer"},"b":{"type":"integer"}`
	)
	for _, c := range []struct{ what, properties, document, part, left string }{
		{"nested and plain members", `"payload":{"type":"object","properties":{"int":{"type":"integer"}}},"test_int":{"type":"integer"}`,
			`{"payload":{"int":1,"string":"str1"},"test_int":2,"test_string":"str2"}`, `{"payload":{"int":1},"test_int":2}`, `{"payload":{"string":"str1"},"test_string":"str2"}`},
		{"nothing declared", ``, `{"a":1}`, `{}`, `{"a":1}`},
		{"an empty submission", integers, `{}`, `{}`, `{}`},
		{"the submission's order", integers, `{"c":0,"b":1,"d":2,"a":3}`, `{"b":1,"a":3}`, `{"c":0,"d":2}`},
		{"whatever the value is", integers, `{"a":null,"b":[1,{"c":2}]}`, `{"a":null,"b":[1,{"c":2}]}`, `{}`},
		{"by the key as it is written", `"test_int":{"type":"integer"}`, `{"testInt":1,"test.int":2}`, `{}`, `{"testInt":1,"test.int":2}`},
		{"an escaped key", `"a\"b\n":{"type":"integer"}`, `{"a\u0022b\n":1,"\u0061":2}`, `{"a\"b\n":1}`, `{"a":2}`},

		{"an object emptied", `"o":` + object, `{"o":{"x":1}}`, `{"o":{"x":1}}`, `{"o":{}}`},
		{"an object that keeps all, behind a member that goes", `"a":{},"o":` + object, `{"a":1,"o":{"y":2}}`, `{"a":1,"o":{}}`, `{"o":{"y":2}}`},
		{"an object empty before", `"o":` + object, `{"o":{}}`, `{"o":{}}`, `{"o":{}}`},
		{"an object without declared members", `"o":` + object, `{"o":{"y":1}}`, `{"o":{}}`, `{"o":{"y":1}}`},
		{"no object where one is declared", `"o":` + object, `{"o":[{"x":1}]}`, `{}`, `{"o":[{"x":1}]}`},
		{"null where an object is declared", `"o":` + object, `{"o":null}`, `{}`, `{"o":null}`},
		{"objects in objects", `"o":{"type":"object","properties":{"p":` + object + `,"q":{}}}`,
			`{"o":{"p":{"x":1,"y":2},"q":3,"r":4}}`, `{"o":{"p":{"x":1},"q":3}}`, `{"o":{"p":{"y":2},"r":4}}`},
		{"additional properties stay", `"o":{"type":"object","additionalProperties":{"type":"integer"}}`, `{"o":{"x":1}}`, `{"o":{}}`, `{"o":{"x":1}}`},
		{"pattern properties stay", `"o":{"type":"object","patternProperties":{"x":{"type":"integer"}}}`, `{"o":{"x":1}}`, `{"o":{}}`, `{"o":{"x":1}}`},

		{"an object by its keywords", `"o":{"properties":{"x":{}}}`, `{"o":{"x":1,"y":2}}`, `{"o":{"x":1}}`, `{"o":{"y":2}}`},
		{"an object by required", `"o":{"required":["x"]}`, `{"o":{"x":1}}`, `{"o":{}}`, `{"o":{"x":1}}`},
		{"anything", `"o":{}`, `{"o":{"x":1}}`, `{"o":{"x":1}}`, `{}`},
		{"a list of types", `"o":{"type":["object","null"],"properties":{"x":{}}}`, `{"o":{"x":1,"y":2}}`, `{"o":{"x":1,"y":2}}`, `{}`},
		{"a list of types, another", `"o":{"type":["object","string"],"properties":{"x":{}}}`, `{"o":{"x":1,"y":2}}`, `{"o":{"x":1,"y":2}}`, `{}`},
		{"a reference", `"o":{"$ref":"#/definitions/o"}`, `{"o":{"x":1,"y":2}}`, `{"o":{"x":1,"y":2}}`, `{}`},
		{"an object and an alternative", `"o":{"type":"object","properties":{"x":{}},"anyOf":[{"required":["x"]}]}`, `{"o":{"x":1,"y":2}}`, `{"o":{"x":1,"y":2}}`, `{}`},
		{"keywords of objects and of arrays", `"o":{"properties":{"x":{}},"items":{}}`, `{"o":{"x":1,"y":2}}`, `{"o":{"x":1,"y":2}}`, `{}`},
		{"an array of objects", `"o":{"type":"array","items":` + object + `}`, `{"o":[{"x":1,"y":2}]}`, `{"o":[{"x":1,"y":2}]}`, `{}`},

		{"what all parts have", ``, `{"a":1,"client_info":{"x":1},"client_id":"c","clientId":"d"}`,
			`{"clientId":"d","client_id":"c","client_info":{"x":1}}`, `{"a":1,"client_info":{"x":1},"client_id":"c","clientId":"d"}`},
		{"what all parts have, declared", `"clientId":{"type":"string"},"client_id":{"type":"string"},"client_info":{}`,
			`{"clientId":"d","client_id":null,"client_info":7}`, `{"clientId":"d","client_id":null,"client_info":7}`, `{"clientId":"d","client_id":null,"client_info":7}`},
		{"what all parts have, not at the root", `"o":{"type":"object","properties":{"clientId":{"type":"string"}}}`,
			`{"o":{"clientId":"d"}}`, `{"o":{"clientId":"d"}}`, `{"o":{}}`},
		{"a declared client_info loses its declared members", `"client_info":` + object + `,"a":{}`,
			`{"a":1,"client_info":{"x":1,"y":2},"clientId":"d"}`, `{"clientId":"d","client_info":{"x":1},"a":1}`, `{"client_info":{"y":2},"clientId":"d"}`},
		{"a declared client_info that is no object", `"client_info":` + object, `{"client_info":"x"}`, `{"client_info":"x"}`, `{"client_info":"x"}`},
		{"numbers as they were written", `"a":{}`, `{"a":1.50e0,"b":12345678901234567890}`, `{"a":1.50e0}`, `{"b":12345678901234567890}`},
	} {
		t.Run(c.what, func(t *testing.T) {
			document := fastjson.MustParse(c.document)
			var arena fastjson.Arena
			part := string(AppendJSON(nil, targetOf(t, c.properties).Take(document, &arena)))
			left := string(AppendJSON(nil, document))
			if part != c.part || left != c.left {
				t.Errorf("\n got %s and %s\nwant %s and %s", part, left, c.part, c.left)
			}
		})
	}
}

// A part keeps what it shares with a later one that takes it apart.
func TestTakeTwice(t *testing.T) {
	document := fastjson.MustParse(`{"client_info":{"a":{"b":1,"c":2}},"d":3}`)
	var arena fastjson.Arena
	first := targetOf(t, `"d":{}`).Take(document, &arena)
	second := targetOf(t, `"client_info":{"type":"object","properties":{"a":{"type":"object","properties":{"b":{}}}}}`).Take(document, &arena)
	for _, c := range []struct {
		got  *fastjson.Value
		want string
	}{
		{first, `{"client_info":{"a":{"b":1,"c":2}},"d":3}`},
		{second, `{"client_info":{"a":{"b":1}}}`},
		{document, `{"client_info":{"a":{"c":2}}}`},
	} {
		if got := string(AppendJSON(nil, c.got)); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

// joined puts two objects together again. What is in both and no object is doubled.
func joined(a, b map[string]any) (all map[string]any, doubled []string) {
	all = maps.Clone(a)
	for key, value := range b {
		one, isObject := all[key].(map[string]any)
		two, both := value.(map[string]any)
		switch _, taken := all[key]; {
		case isObject && both:
			var below []string
			value, below = joined(one, two)
			doubled = append(doubled, below...)
		case taken:
			doubled = append(doubled, key)
		}
		all[key] = value
	}
	return all, doubled
}

func TestPartAndRestAreTheSubmission(t *testing.T) {
	d := targetOf(t, `"a":{"type":"integer"},"o":{"type":"object","properties":{"a":{},"o":{"required":["a"],"properties":{"c":{}}}}},
		"n":{"type":["object","null"]},"client_info":{"type":"object","properties":{"a":{}}},"client_id":{}`)
	keys := []string{"a", "b", "c", "o", "n", "client_info", "client_id", "clientId"}
	rapid.Check(t, func(t *rapid.T) {
		submission := drawNested(t, 4, keys)
		text, err := json.Marshal(submission)
		if err != nil {
			t.Fatal(err)
		}
		document := fastjson.MustParseBytes(text)
		var arena fastjson.Arena
		taken, _ := treeOf(d.Take(document, &arena))
		left, _ := treeOf(document)
		// What all parts have is in both.
		for _, key := range []string{"client_id", "clientId"} {
			if both, ok := submission[key]; ok && cmp.Equal(both, taken.(map[string]any)[key]) {
				delete(taken.(map[string]any), key)
			}
		}
		all, doubled := joined(taken.(map[string]any), left.(map[string]any))
		_, divided := submission["client_info"].(map[string]any)
		if diff := cmp.Diff(submission, all); diff != "" || len(doubled) > 0 && (divided || fmt.Sprint(doubled) != "[client_info]") {
			t.Fatalf("%s: part %v, rest %v: %v twice\n%s", text, taken, left, doubled, diff)
		}
	})
}

// drawNested draws objects in objects.
func drawNested(t *rapid.T, depth int, keys []string) map[string]any {
	object := map[string]any{}
	for range rapid.IntRange(0, 5).Draw(t, "members") {
		key := rapid.SampledFrom(keys).Draw(t, "key")
		if depth > 0 && rapid.Bool().Draw(t, "object") {
			object[key] = drawNested(t, depth-1, keys)
		} else {
			object[key] = drawValue(t, 1)
		}
	}
	return object
}

// wideDocument has members a0.. in its object o, of which the target declares the
// first.
func wideDocument(declared, members int) (properties, document string) {
	var p, d []string
	for i := range members {
		if i < declared {
			p = append(p, fmt.Sprintf(`"\"a%d":{"type":"integer"}`, i))
		}
		d = append(d, fmt.Sprintf(`"\u0022a%d":{"v":"\u00e9%d"}`, i, i))
	}
	return `"o":{"type":"object","properties":{` + strings.Join(p, ",") + `}}`, `{"o":{` + strings.Join(d, ",") + `}}`
}

func TestTakeFromALargeObject(t *testing.T) {
	properties, text := wideDocument(200, 1000)
	document := fastjson.MustParse(text)
	var arena fastjson.Arena
	part := targetOf(t, properties).Take(document, &arena)
	for _, c := range []struct {
		what        string
		got         *fastjson.Value
		first, last int
	}{{"part", part, 0, 200}, {"left", document, 200, 1000}} {
		at := c.first
		c.got.GetObject("o").Visit(func(key []byte, value *fastjson.Value) {
			if want := fmt.Sprintf(`"a%d é%d`, at, at); string(key)+" "+string(value.GetStringBytes("v")) != want {
				t.Fatalf("%s: %s %s, want %s", c.what, key, value, want)
			}
			at++
		})
		if at != c.last {
			t.Errorf("%s ends before a%d", c.what, at)
		}
		if _, err := fastjson.ParseBytes(AppendJSON(nil, c.got)); err != nil {
			t.Errorf("%s: %v", c.what, err)
		}
	}
}

func TestTakeFromALargeSubmission(t *testing.T) {
	const object = `{"type":"object","properties":{"x":{}}}`
	var properties, members []string
	for i := range 2 * fewMembers {
		properties = append(properties, fmt.Sprintf(`"a%d":{}`, i))
		members = append(members, fmt.Sprintf(`"a%d":%d`, i, i))
	}
	all := strings.Join(members, ",")
	document := fastjson.MustParse(`{"b":1,"client_info":{"x":1,"y":2},` + all + `}`)
	var arena fastjson.Arena
	part := targetOf(t, strings.Join(properties, ",")+`,"client_info":`+object).Take(document, &arena)
	if got, want := string(AppendJSON(nil, part)), `{"client_info":{"x":1},`+all+`}`; got != want {
		t.Errorf("part:\n got %s\nwant %s", got, want)
	}
	if got, want := string(AppendJSON(nil, document)), `{"b":1,"client_info":{"y":2}}`; got != want {
		t.Errorf("left:\n got %s\nwant %s", got, want)
	}
}

func BenchmarkTake(b *testing.B) {
	for _, members := range []int{100, 1000, 100_000} {
		properties, text := wideDocument(members/10, members)
		d := targetOf(b, properties)
		b.Run(fmt.Sprint(members), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				document := fastjson.MustParse(text)
				b.StartTimer()
				var arena fastjson.Arena
				d.Take(document, &arena)
			}
		})
	}
}

package schema

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/valyala/fastjson"
)

// richSchema has a column of every form.
const richSchema = `{"$schema":"http://json-schema.org/draft-07/schema#","type":"object","properties":{
	"test_int":{"type":"integer"},
	"test_float":{"type":"number"},
	"test_string":{"type":"string"},
	"test_bool":{"type":"boolean"},
	"test_time":{"type":"string","format":"date-time"},
	"test_bytes":{"type":"string","format":"bytes"},
	"camelCase":{"type":"integer"},
	"url2":{"type":"string"},
	"use_counter2_page":{"type":"string"},
	"payload":{"type":"object","properties":{"test_int":{"type":"integer"},"deep":{"type":"object","properties":{"a":{"type":"string"}}}}},
	"list_int":{"type":"array","items":{"type":"integer"}},
	"list_string":{"type":"array","items":{"type":"string"}},
	"map_int":{"type":"object","additionalProperties":{"type":"integer"}},
	"map_string":{"type":"object","additionalProperties":{"type":"string"}},
	"map_map":{"type":"object","additionalProperties":{"type":"object","additionalProperties":{"type":"integer"}}},
	"map_record":{"type":"object","additionalProperties":{"type":"object","properties":{"field":{"type":"string"},"n":{"type":"integer"}}}},
	"map_list":{"type":"object","additionalProperties":{"type":"array","items":{"type":"string"}}},
	"repeated_record":{"type":"array","items":{"type":"object","properties":{"field":{"type":"string"},"n":{"type":"integer"},"tags":{"type":"array","items":{"type":"string"}}}}},
	"repeated_tuple":{"type":"array","items":{"type":"array","items":[{},{"type":"integer"},{"type":"boolean"}],"additionalItems":false}},
	"repeated_single":{"type":"array","items":{"type":"array","items":[{"type":"integer"}],"additionalItems":false}},
	"tuple":{"type":"array","items":[{"type":"string"},{"type":"integer"},{"type":"boolean"}],"additionalItems":false},
	"list_list":{"type":"array","items":{"type":"array","items":{"type":"string"}}},
	"list_list_int":{"type":"array","items":{"type":"array","items":{"type":"integer"}}},
	"list_list_record":{"type":"array","items":{"type":"array","items":{"type":"object","properties":{"a":{"type":"integer"}}}}},
	"list_list_list":{"type":"array","items":{"type":"array","items":{"type":"array","items":{"type":"integer"}}}},
	"list_map":{"type":"array","items":{"type":"object","additionalProperties":{"type":"integer"}}},
	"text2":{"type":"string"},
	"jwe2":{"type":"string"},
	"labeled_rate2":{"type":"object","additionalProperties":{"type":"integer"}},
	"metrics":{"type":"object","properties":{"url":{"type":"string"},"url2":{"type":"string"},
		"text2":{"type":"object","additionalProperties":{"type":"string"}},"jwe":{"type":"integer"},
		"deep":{"type":"object","properties":{"labeled_rate2":{"type":"integer"}}}}},
	"64bit":{"type":"boolean"},
	"list_float":{"type":"array","items":{"type":"number"}},
	"list_bool":{"type":"array","items":{"type":"boolean"}},
	"list_time":{"type":"array","items":{"type":"string","format":"date-time"}},
	"map_bool":{"type":"object","additionalProperties":{"type":"boolean"}},
	"map_any":{"type":"object","additionalProperties":{}},
	"map_tuple":{"type":"object","additionalProperties":{"type":"array","items":[{"type":"integer"},{"type":"integer"}],"additionalItems":false}},
	"nested_csv":{"type":"array","items":{"type":"object","properties":{"list":{"type":"string"}}}},
	"use_counter2_list":{"type":"array","items":{"type":"string"}},
	"use_counter2_map":{"type":"object","additionalProperties":{"type":"string"}}
}}`

func doctypeOf(t testing.TB, schema string) *Doctype {
	t.Helper()
	f, err := parseFile(source{namespace: "test", own: true, path: "test"}, []byte(schema))
	if err != nil {
		t.Fatal(err)
	}
	return newDoctype("test", "test", "1", f, f.columns)
}

func TestPayloadBecomesRow(t *testing.T) {
	d := doctypeOf(t, richSchema)
	for _, c := range []struct{ payload, row, left string }{
		// Plain values.
		{`{}`, `{}`, `{}`},
		{`{"test_int":1}`, `{"test_int":1}`, `{}`},
		{`{"test_int":-9223372036854775808}`, `{"test_int":-9223372036854775808}`, `{}`},
		{`{"test_int":9223372036854775808}`, `{}`, `{"test_int":9223372036854775808}`},
		{`{"test_int":"3"}`, `{}`, `{"test_int":"3"}`},
		{`{"test_int":3.0}`, `{}`, `{"test_int":3.0}`},
		{`{"test_int":1e3}`, `{}`, `{"test_int":1e3}`},
		{`{"test_int":true}`, `{"test_int":1}`, `{}`},
		{`{"test_int":false}`, `{"test_int":0}`, `{}`},
		{`{"test_int":null}`, `{}`, `{}`},
		{`{"test_int":9223372036854775807}`, `{"test_int":9223372036854775807}`, `{}`},
		{`{"test_int":123456789012345678901234567890}`, `{}`, `{"test_int":123456789012345678901234567890}`},
		{`{"test_int":""}`, `{}`, `{"test_int":""}`},
		{`{"test_int":{}}`, `{}`, `{"test_int":{}}`},
		{`{"test_float":3}`, `{"test_float":3}`, `{}`},
		{`{"test_float":0.1}`, `{"test_float":0.1}`, `{}`},
		{`{"test_float":true}`, `{"test_float":1}`, `{}`},
		{`{"test_float":"3"}`, `{}`, `{"test_float":"3"}`},
		{`{"test_float":false}`, `{"test_float":0}`, `{}`},
		{`{"test_float":12345678901234567890}`, `{"test_float":12345678901234567000}`, `{}`},
		{`{"test_float":1e400}`, `{}`, `{"test_float":1e400}`},
		{`{"test_float":[1]}`, `{}`, `{"test_float":[1]}`},
		{`{"test_bool":true}`, `{"test_bool":true}`, `{}`},
		{`{"test_bool":1}`, `{}`, `{"test_bool":1}`},
		{`{"test_bool":"true"}`, `{}`, `{"test_bool":"true"}`},
		{`{"test_bool":null}`, `{}`, `{}`},
		{`{"test_string":""}`, `{"test_string":""}`, `{}`},
		{`{"test_string":4}`, `{"test_string":"4"}`, `{}`},
		{`{"test_string":false}`, `{"test_string":"false"}`, `{}`},
		{`{"test_string":-1.50e3}`, `{"test_string":"-1.50e3"}`, `{}`},
		{`{"test_string":null}`, `{}`, `{}`},
		{`{"test_string":[]}`, `{"test_string":"[]"}`, `{}`},
		{`{"test_string":{"key": "value"}}`, `{"test_string":"{\"key\":\"value\"}"}`, `{}`},
		{`{"test_string":["a\u0001\"b", null]}`, `{"test_string":"[\"a\\u0001\\\"b\",null]"}`, `{}`},
		{`{"test_time":"2026-11-22T19:41:10.436+01:00"}`, `{"test_time":"2026-11-22T18:41:10.436Z"}`, `{}`},
		{`{"test_time":"2026-11-22T19:41-00:00"}`, `{}`, `{"test_time":"2026-11-22T19:41-00:00"}`},
		{`{"test_time":5}`, `{}`, `{"test_time":5}`},
		{`{"test_bytes":"aGk="}`, `{"test_bytes":"aGk="}`, `{}`},
		{`{"test_bytes":"hi!"}`, `{}`, `{"test_bytes":"hi!"}`},

		// Names.
		{`{"camelCase":1}`, `{"camel_case":1}`, `{}`},
		{`{"camel_case":1}`, `{"camel_case":1}`, `{}`},
		{`{"Camel-Case":1}`, `{"camel_case":1}`, `{}`},
		{`{"testINT":true}`, `{"test_int":1}`, `{}`},
		{`{"url":"a:b"}`, `{"url2":"a:b"}`, `{}`},
		{`{"url2":"a:b"}`, `{"url2":"a:b"}`, `{}`},
		{`{"text":"t","jwe":"j"}`, `{"text2":"t","jwe2":"j"}`, `{}`},
		{`{"labeled_rate":{"a":1}}`, `{"labeled_rate2":{"a":1}}`, `{}`},
		{`{"url":"old","url2":"new"}`, `{"url2":"old"}`, `{}`},
		{`{"url2":"new","url":"old"}`, `{"url2":"old"}`, `{}`},
		{`{"Url":"a:b"}`, `{}`, `{"Url":"a:b"}`},
		{`{"metrics":{"url":"a"}}`, `{"metrics":{"url2":"a"}}`, `{}`},
		{`{"metrics":{"Url":"a"}}`, `{"metrics":{"url":"a"}}`, `{}`},
		{`{"metrics":{"Url":"a","url":"b","url2":"c"}}`, `{"metrics":{"url":"a","url2":"b"}}`, `{}`},
		{`{"metrics":{"text":{"text":"a"}}}`, `{"metrics":{"text2":{"text":"a"}}}`, `{}`},
		{`{"metrics":{"jwe":1}}`, `{"metrics":{"jwe":1}}`, `{}`},
		{`{"metrics":{"labeled_rate":1}}`, `{}`, `{"metrics":{"labeled_rate":1}}`},
		{`{"metrics":{"deep":{"labeled_rate":1}}}`, `{"metrics":{"deep":{"labeled_rate2":1}}}`, `{}`},
		{`{"map_string":{"url":"a","text":"b"}}`, `{"map_string":{"url":"a","text":"b"}}`, `{}`},
		{`{"64bit":true}`, `{"_64bit":true}`, `{}`},
		{`{"_64bit":true}`, `{"_64bit":true}`, `{}`},
		{`{"____":1,"":2}`, `{}`, `{"____":1,"":2}`},
		{`{"metadata":{"geo":{"city":"mine"}},"sample_id":7}`, `{}`, `{"metadata":{"geo":{"city":"mine"}},"sample_id":7}`},
		{`{"missingField":null}`, `{}`, `{"missingField":null}`},
		{`{"missing":{"a":[1,{}]}}`, `{}`, `{"missing":{"a":[1,{}]}}`},
		{`{"documentId":"mine"}`, `{}`, `{"documentId":"mine"}`},
		{`{"additional_properties":"mine"}`, `{}`, `{"additional_properties":"mine"}`},

		// Several keys for one column.
		{`{"test_int":-3,"test.int":-2}`, `{"test_int":-2}`, `{}`},
		{`{"test.int":-2,"test_int":-3}`, `{"test_int":-2}`, `{}`},
		{`{"test_int ":null,"test_int":7,"test_int_":"invalid","test_int+":8}`, `{"test_int":8}`, `{"test_int_":"invalid"}`},
		{`{"test.int":"bad","test_int":3}`, `{"test_int":3}`, `{"test.int":"bad"}`},
		{`{"test_int":"bad","test.int":3}`, `{"test_int":3}`, `{"test_int":"bad"}`},
		{`{"test_int":7,"test.int":null}`, `{"test_int":7}`, `{}`},
		{`{"map_int":{"a":1},"map.int":{"b":2}}`, `{"map_int":{"b":2}}`, `{}`},
		{`{"map.int":{"b":2},"map_int":{"a":1}}`, `{"map_int":{"b":2}}`, `{}`},
		{`{"map_int":{"a":1},"map.int":{}}`, `{"map_int":{}}`, `{}`},
		{`{"map_int":{"a":1},"map.int":"text"}`, `{"map_int":{"a":1}}`, `{"map.int":"text"}`},
		{`{"map_int":{"a":1,"b":"x"},"map.int":{"c":2}}`, `{"map_int":{"c":2}}`, `{"map_int":{"a":1,"b":"x"}}`},
		{`{"test.int":1,"test-int":2}`, `{"test_int":2}`, `{}`},
		{`{"test.int":1,"test-int":"bad"}`, `{"test_int":1}`, `{"test-int":"bad"}`},
		{`{"test.int":"bad","test-int":"worse","test_int":true}`, `{"test_int":1}`, `{"test.int":"bad","test-int":"worse"}`},
		{`{"test.int":"bad","test_int":"worse"}`, `{}`, `{"test.int":"bad","test_int":"worse"}`},
		{`{"list_int":[1],"list.int":[]}`, `{"list_int":[1]}`, `{}`},
		{`{"list.int":[],"list_int":[1]}`, `{"list_int":[1]}`, `{}`},
		{`{"list_int":[1],"list.int":[2,"x"]}`, `{"list_int":[1]}`, `{"list.int":[2,"x"]}`},
		{`{"payload":{"test_int":1},"Payload":{"test_int":2}}`, `{"payload":{"test_int":2}}`, `{}`},
		{`{"payload":{"test_int":1},"Payload":{"more":2}}`, `{"payload":{"test_int":1}}`, `{"Payload":{"more":2}}`},
		{`{"Payload":{"more":2},"payload":{"test_int":1}}`, `{"payload":{"test_int":1}}`, `{"Payload":{"more":2}}`},
		{`{"payload":{"test_int":1},"Payload":{}}`, `{"payload":{"test_int":1}}`, `{}`},
		{`{"payload":{"test_int":1,"more":2},"Payload":{"test_int":3}}`, `{"payload":{"test_int":3}}`, `{"payload":{"test_int":1,"more":2}}`},
		{`{"payload":{"deep":{"a":1}},"Payload":{"Deep":{"b":2},"deep":{"a":"x"}}}`, `{"payload":{"deep":{"a":"x"}}}`, `{"Payload":{"Deep":{"b":2}}}`},
		{`{"payload":{"testInt":1,"test_int":2}}`, `{"payload":{"test_int":1}}`, `{}`},
		{`{"list_list":[["a"]],"list.list":[null]}`, `{"list_list":[null]}`, `{}`},
		{`{"repeated_record":[{"n":1}],"repeated.record":[{"field":"x"},7]}`, `{"repeated_record":[{"field":"x"},{}]}`, `{"repeated.record":[{},7]}`},

		// Records.
		{`{"payload":{"test_int":"3"}}`, `{}`, `{"payload":{"test_int":"3"}}`},
		{`{"payload":{"testInt":3,"more":[]}}`, `{"payload":{"test_int":3}}`, `{"payload":{"more":[]}}`},
		{`{"payload":{"deep":{"a":"x","b":{"c":1}}}}`, `{"payload":{"deep":{"a":"x"}}}`, `{"payload":{"deep":{"b":{"c":1}}}}`},
		{`{"payload":{}}`, `{}`, `{}`},
		{`{"payload":{"deep":{}}}`, `{}`, `{}`},
		{`{"payload":"text"}`, `{}`, `{"payload":"text"}`},
		{`{"payload":[1,2]}`, `{}`, `{"payload":[1,2]}`},

		// Tuples.
		{`{"tuple":["a",1,true]}`, `{"tuple":{"f0_":"a","f1_":1,"f2_":true}}`, `{}`},
		{`{"tuple":[{"key":"value"},"x",6]}`, `{"tuple":{"f0_":"{\"key\":\"value\"}"}}`, `{"tuple":[null,"x",6]}`},
		{`{"tuple":["a"]}`, `{"tuple":{"f0_":"a"}}`, `{}`},
		{`{"tuple":[]}`, `{}`, `{}`},
		{`{"tuple":["a",1,true,"more"]}`, `{"tuple":{"f0_":"a","f1_":1,"f2_":true}}`, `{"tuple":[null,null,null,"more"]}`},
		{`{"tuple":{"f1_":1,"f9_":2}}`, `{"tuple":{"f1_":1}}`, `{"tuple":{"f9_":2}}`},
		{`{"tuple":"text"}`, `{}`, `{"tuple":"text"}`},
		{`{"tuple":[null,null]}`, `{}`, `{}`},
		{`{"repeated_tuple":[[null,"x",false,"extra"]]}`, `{"repeated_tuple":[{"f2_":false}]}`, `{"repeated_tuple":[[null,"x",null,"extra"]]}`},
		{`{"repeated_single":[[1],[2],[3]]}`, `{"repeated_single":[{"f0_":1},{"f0_":2},{"f0_":3}]}`, `{}`},
		{`{"repeated_single":[[1],[],["x"]]}`, `{"repeated_single":[{"f0_":1},{},{}]}`, `{"repeated_single":[{},{},["x"]]}`},
		{`{"repeated_single":[[1],null]}`, `{"repeated_single":[{},{}]}`, `{"repeated_single":[[1],null]}`},
		{`{"repeated_single":[[1],{"f0_":2}]}`, `{"repeated_single":[{},{"f0_":2}]}`, `{"repeated_single":[[1],{}]}`},
		{`{"repeated_single":5}`, `{}`, `{"repeated_single":5}`},

		// Maps.
		{`{"map_int":{"key":1,"other Key":2}}`, `{"map_int":{"key":1,"other Key":2}}`, `{}`},
		{`{"map_int":{}}`, `{"map_int":{}}`, `{}`},
		{`{"map_int":{"a":"x","b":1,"c":null}}`, `{"map_int":{"a":null,"b":1,"c":null}}`, `{"map_int":{"a":"x"}}`},
		{`{"map_string":{"key":null,"value":null,"other":"other"}}`, `{"map_string":{"key":null,"value":null,"other":"other"}}`, `{}`},
		{`{"map_int":[1]}`, `{}`, `{"map_int":[1]}`},
		{`{"map.int":"text"}`, `{}`, `{"map.int":"text"}`},
		{`{"map_int":null}`, `{}`, `{}`},
		{`{"map_int":7}`, `{}`, `{"map_int":7}`},
		{`{"map_int":{"a":[],"b":{},"c":"","d":1.0,"e":9223372036854775808}}`, `{"map_int":{"a":null,"b":null,"c":null,"d":null,"e":null}}`, `{"map_int":{"a":[],"b":{},"c":"","d":1.0,"e":9223372036854775808}}`},
		{`{"map_bool":{"a":true,"b":1}}`, `{"map_bool":{"a":true,"b":null}}`, `{"map_bool":{"b":1}}`},
		{`{"map_string":{"a":"","b":[],"c":{},"d":null}}`, `{"map_string":{"a":"","b":"[]","c":"{}","d":null}}`, `{}`},
		{`{"map_any":{"key":"value"}}`, `{}`, `{"map_any":{"key":"value"}}`},
		{`{"map_tuple":{"a":[1,2],"b":[1,"x",3],"c":[],"d":{"f1_":4}}}`, `{"map_tuple":{"a":{"f0_":1,"f1_":2},"b":{"f0_":1},"c":null,"d":{"f1_":4}}}`, `{"map_tuple":{"b":[null,"x",3]}}`},
		{`{"map_map":{"a":{"b":1,"c":"x"},"d":{}}}`, `{"map_map":{"a":{"b":1,"c":null},"d":{}}}`, `{"map_map":{"a":{"c":"x"}}}`},
		{`{"map_record":{"a":{"field":"x","more":1},"b":{},"c":{"n":"x"}}}`, `{"map_record":{"a":{"field":"x"},"b":null,"c":null}}`, `{"map_record":{"a":{"more":1},"c":{"n":"x"}}}`},
		{`{"map_list":{"a":["x"],"b":[],"c":[1,null]}}`, `{"map_list":{"a":["x"],"b":null,"c":["1","null"]}}`, `{}`},

		// Lists.
		{`{"list_int":[1,true,2]}`, `{"list_int":[1,1,2]}`, `{}`},
		{`{"list_int":[]}`, `{}`, `{}`},
		{`{"list_int":[1,"x"]}`, `{}`, `{"list_int":[1,"x"]}`},
		{`{"list_int":[1,null]}`, `{}`, `{"list_int":[1,null]}`},
		{`{"list_int":1}`, `{}`, `{"list_int":1}`},
		{`{"list_int":"text"}`, `{}`, `{"list_int":"text"}`},
		{`{"list_int":{"a":1}}`, `{}`, `{"list_int":{"a":1}}`},
		{`{"list_int":[1.0]}`, `{}`, `{"list_int":[1.0]}`},
		{`{"list_int":[1,[2]]}`, `{}`, `{"list_int":[1,[2]]}`},
		{`{"list_float":[1,2.5,true,false]}`, `{"list_float":[1,2.5,1,0]}`, `{}`},
		{`{"list_float":[1,null]}`, `{}`, `{"list_float":[1,null]}`},
		{`{"list_bool":[true,0]}`, `{}`, `{"list_bool":[true,0]}`},
		{`{"list_time":["2026-11-22T19:41:10Z"]}`, `{"list_time":["2026-11-22T19:41:10Z"]}`, `{}`},
		{`{"list_string":"text"}`, `{}`, `{"list_string":"text"}`},
		{`{"list_string":[]}`, `{}`, `{}`},
		{`{"list_string":[null]}`, `{"list_string":["null"]}`, `{}`},
		{`{"list_string":[["hi","there"],1,null]}`, `{"list_string":["[\"hi\",\"there\"]","1","null"]}`, `{}`},
		{`{"repeated_record":[null,{"field":"value"}]}`, `{"repeated_record":[{},{"field":"value"}]}`, `{"repeated_record":[null,{}]}`},
		{`{"repeated_record":[{"field":"a","x":1},{"n":"bad"},7]}`, `{"repeated_record":[{"field":"a"},{},{}]}`, `{"repeated_record":[{"x":1},{"n":"bad"},7]}`},
		{`{"repeated_record":[{"tags":["a","b"]},{"tags":[]},{"tags":["c"],"n":1}]}`, `{"repeated_record":[{"tags":["a","b"]},{},{"tags":["c"],"n":1}]}`, `{}`},
		{`{"repeated_record":{"field":"a"}}`, `{}`, `{"repeated_record":{"field":"a"}}`},
		{`{"repeated_record":5}`, `{}`, `{"repeated_record":5}`},
		{`{"repeated_record":"text"}`, `{}`, `{"repeated_record":"text"}`},
		{`{"repeated_record":[]}`, `{}`, `{}`},
		{`{"repeated_record":[{},{"n":null}]}`, `{"repeated_record":[{},{}]}`, `{}`},
		{`{"repeated_record":[{"tags":["a",null]},{"tags":"b"}]}`, `{"repeated_record":[{"tags":["a","null"]},{}]}`, `{"repeated_record":[{},{"tags":"b"}]}`},
		{`{"nested_csv":[{"list":"a,b,c"}]}`, `{"nested_csv":[{"list":"a,b,c"}]}`, `{}`},
		{`{"list_list":5}`, `{}`, `{"list_list":5}`},
		{`{"list_list":[]}`, `{}`, `{}`},
		{`{"list_list":[null,["a",null]]}`, `{"list_list":[null,["a","null"]]}`, `{}`},
		{`{"list_list_int":[[1,null]]}`, `{"list_list_int":[null]}`, `{"list_list_int":[[1,null]]}`},
		{`{"list_list_list":[[null,[1]],null,[[]]]}`, `{"list_list_list":[[null,[1]],null,[[]]]}`, `{}`},
		{`{"list_list_list":[[[1],["x"]],7]}`, `{"list_list_list":[[[1],null],null]}`, `{"list_list_list":[[null,["x"]],7]}`},
		{`{"list_list_record":[[null,{"a":1}],null,[7]]}`, `{"list_list_record":[[{},{"a":1}],null,[{}]]}`, `{"list_list_record":[[null,{}],null,[7]]}`},
		{`{"list_list":[["a","b","c"]]}`, `{"list_list":[["a","b","c"]]}`, `{}`},
		{`{"list_list":[null]}`, `{"list_list":[null]}`, `{}`},
		{`{"list_list":[[],["a"],"x"]}`, `{"list_list":[[],["a"],null]}`, `{"list_list":[null,null,"x"]}`},
		{`{"list_list_int":[[1],[2,"x"],[3]]}`, `{"list_list_int":[[1],null,[3]]}`, `{"list_list_int":[null,[2,"x"],null]}`},
		{`{"list_list_list":[[[0],[1]],[[2]]]}`, `{"list_list_list":[[[0],[1]],[[2]]]}`, `{}`},
		{`{"list_list_record":[[{"a":1}],[{"a":2},{"a":3,"b":4}]]}`, `{"list_list_record":[[{"a":1}],[{"a":2},{"a":3}]]}`, `{"list_list_record":[null,[{},{"b":4}]]}`},
		{`{"list_map":[{"a":1},{},null,3]}`, `{"list_map":[{"a":1},{},null,null]}`, `{"list_map":[null,null,null,3]}`},

		// Histograms.
		{`{"use_counter2_page":{"histogram_type":2,"sum":5,"values":{"0":1,"1":5}}}`, `{"use_counter2_page":"5"}`, `{}`},
		{`{"use_counter2_page":{"histogram_type":2,"sum":0}}`, `{"use_counter2_page":"0"}`, `{}`},
		{`{"useCounter2_page":{"histogram_type":2,"sum":5,"values":{"1":5}}}`, `{"use_counter2_page":"5"}`, `{}`},
		{`{"use_counter2_page":{"histogram_type":2,"sum":1}}`, `{"use_counter2_page":"{\"histogram_type\":2,\"sum\":1}"}`, `{}`},
		{`{"use_counter2_page":{"histogram_type":2,"sum":-1,"values":{"1":-1}}}`, `{"use_counter2_page":"{\"histogram_type\":2,\"sum\":-1,\"values\":{\"1\":-1}}"}`, `{}`},
		{`{"use_counter2_page":{"histogram_type":2,"sum":0,"values":{"1":"x"}}}`, `{"use_counter2_page":"{\"histogram_type\":2,\"sum\":0,\"values\":{\"1\":\"x\"}}"}`, `{}`},
		{`{"use_counter2_page":{"histogram_type":2,"sum":true,"values":{"1":1}}}`, `{"use_counter2_page":"{\"histogram_type\":2,\"sum\":true,\"values\":{\"1\":1}}"}`, `{}`},
		{`{"use_counter2_page":{"histogram_type":6,"sum":1,"values":{"1":1}}}`, `{"use_counter2_page":"{\"histogram_type\":6,\"sum\":1,\"values\":{\"1\":1}}"}`, `{}`},
		{`{"use_counter2_page":{"histogram_type":2}}`, `{"use_counter2_page":"{\"histogram_type\":2}"}`, `{}`},
		{`{"use_counter2_list":[{"histogram_type":2,"sum":5,"values":{"1":5}}]}`, `{"use_counter2_list":["5"]}`, `{}`},
		{`{"use_counter2_map":{"use_counter2_a":{"histogram_type":2,"sum":0}}}`, `{"use_counter2_map":{"use_counter2_a":"{\"histogram_type\":2,\"sum\":0}"}}`, `{}`},
		{`{"use_counter2_page":{"histogram_type":2,"sum":4,"values":{"1":5}}}`, `{"use_counter2_page":"{\"histogram_type\":2,\"sum\":4,\"values\":{\"1\":5}}"}`, `{}`},
		{`{"use_counter2_page":{"histogram_type":1,"sum":1,"values":{"1":1}}}`, `{"use_counter2_page":"{\"histogram_type\":1,\"sum\":1,\"values\":{\"1\":1}}"}`, `{}`},
		{`{"test_string":{"histogram_type":2,"sum":5,"values":{"1":5}}}`, `{"test_string":"{\"histogram_type\":2,\"sum\":5,\"values\":{\"1\":5}}"}`, `{}`},
	} {
		t.Run(c.payload, func(t *testing.T) {
			row, left := rowJSON(t, d, c.payload)
			sameJSON(t, "row", row, c.row)
			sameJSON(t, "left over", left, c.left)
		})
	}
}

func TestAdditionalPropertiesAreCompactWithTheirOwnNames(t *testing.T) {
	d := doctypeOf(t, richSchema)
	_, left := rowJSON(t, d, `{"a b":"\u0001\n\"\\é", "payload": {"x" : [ 1, 2.50 ]}, "test_int": "3"}`)
	if want := `{"a b":"\u0001\n\"\\é","payload":{"x":[1,2.50]},"test_int":"3"}`; left != want && left != `{"a b":"\u0001\n\"\\é","test_int":"3","payload":{"x":[1,2.50]}}` {
		t.Errorf("got %s", left)
	}
}

func TestSystemColumnsComeFromAttributes(t *testing.T) {
	for _, c := range []struct{ namespace, want string }{
		{"my-app", ""},
		{"telemetry", `map[app_name:Firefox app_version:153.0]`},
	} {
		f, err := parseFile(source{namespace: c.namespace, own: true}, []byte(richSchema))
		if err != nil {
			t.Fatal(err)
		}
		d := newDoctype(c.namespace, "main", "4", f, f.columns)
		tree := checkReassembles(t, d, Document{
			Payload: parse(t, []byte(`{"test_int":5}`)), Submitted: submitted,
			Attributes: map[string]string{
				"document_id": "id", "sample_id": "42", "normalized_os": "", "geo_country": "DE", "geo_dma_code": "5",
				"isp_name": "net", "user_agent_browser": "Firefox", "x_debug_id": "d\xff", "document_type": "main",
				"app_name": "Firefox", "app_version": "153.0", "client_id": "not a column",
			},
		})
		metadata := tree["metadata"].(map[string]any)
		if got := fmt.Sprint(metadata["uri"]); c.want != "" && got != c.want || c.want == "" && metadata["uri"] != nil {
			t.Errorf("%s: uri %s", c.namespace, got)
		}
		delete(metadata, "uri")
		want := map[string]any{
			"submission_timestamp": submitted, "document_id": "id", "sample_id": int64(42), "normalized_os": "",
			"metadata": map[string]any{
				"geo": map[string]any{"country": "DE", "dma_code": "5"}, "isp": map[string]any{"name": "net"},
				"header": map[string]any{"x_debug_id": "d\uFFFD"}, "user_agent": map[string]any{"browser": "Firefox"},
				"document_type": "main",
			},
			"test_int": int64(5), "additional_properties": "{}",
		}
		if diff := cmp.Diff(want, tree); diff != "" {
			t.Errorf("%s: %s", c.namespace, diff)
		}
	}
}

func TestRowOfBadSampleIDAndBadPayload(t *testing.T) {
	d := doctypeOf(t, richSchema)
	tree := checkReassembles(t, d, Document{Payload: parse(t, []byte(`{}`)), Submitted: submitted,
		Attributes: map[string]string{"sample_id": "1.0"}})
	if tree["sample_id"] != nil {
		t.Errorf("sample_id %v", tree["sample_id"])
	}
	if _, err := d.Row(Document{Payload: fastjson.MustParse(`[1]`)}); err == nil {
		t.Error("an array became a row")
	}
	if _, err := d.Row(Document{}); err == nil {
		t.Error("no payload became a row")
	}
}

func TestRowsDoNotShareCells(t *testing.T) {
	d := doctypeOf(t, richSchema)
	first, err := d.Row(Document{Payload: parse(t, []byte(`{"list_string":["a","b"],"test_string":[1]}`)), Submitted: submitted})
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if _, err := d.Row(Document{Payload: parse(t, []byte(`{"list_string":["x","y","z"],"test_string":[2]}`)), Submitted: submitted}); err != nil {
			t.Fatal(err)
		}
	}
	tree, err := assemble(first)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(tree["list_string"], " ", tree["test_string"]); got != "[a b] [1]" {
		t.Errorf("got %s", got)
	}
	if first.Date != DateOf(submitted) || FormatDate(first.Date) != "2026-11-22" {
		t.Errorf("date %s", FormatDate(first.Date))
	}
}

func TestFlatTables(t *testing.T) {
	attributes := map[string]string{
		"uri": "/submit/a", "remote_addr": "1.2.3.4", "x_forwarded_for": "1.2.3.4", "reason": "invalid_json",
		"document_id": "id", "submission_timestamp": "ignored", "no_column": "x", "args": "",
	}
	for _, c := range []struct {
		table   *Table
		name    string
		columns int
		want    string
	}{
		{Raw("structured"), "payload_bytes_raw.structured", 20,
			`map[args: payload:[104 105] remote_addr:1.2.3.4 submission_timestamp:2026-11-22 19:41:10.436 +0000 UTC uri:/submit/a x_forwarded_for:1.2.3.4]`},
		{Errors("stub_installer"), "payload_bytes_error.stub_installer", 47,
			`map[args: document_id:id payload:[104 105] reason:invalid_json submission_timestamp:2026-11-22 19:41:10.436 +0000 UTC uri:/submit/a]`},
	} {
		if c.table.String() != c.name || len(c.table.Columns) != c.columns {
			t.Errorf("%s has %d columns", c.table, len(c.table.Columns))
		}
		tree, err := assemble(AttributeRow(c.table, submitted, attributes, []byte("hi")))
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(tree); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.table, got, c.want)
		}
	}
	tree, err := assemble(AttributeRow(Errors("telemetry"), submitted, nil, nil))
	if err != nil || len(tree) != 1 {
		t.Errorf("a duplicate's row: %v, %v", tree, err)
	}
}

package schema

import (
	"fmt"
	"maps"
	"testing"

	"github.com/valyala/fastjson"
)

func TestCoercionsAreCounted(t *testing.T) {
	d := doctypeOf(t, richSchema)
	for _, c := range []struct{ payload, want string }{
		{`{"test_int":1,"test_float":1,"test_bool":true,"test_string":1}`, "map[]"},
		{`{"test_int":true,"list_int":[1,false]}`, "map[coerced_to_int:2]"},
		{`{"test_int":"1","map_int":{"a":1.5,"b":2}}`, "map[not_coerced_to_int:2]"},
		{`{"test_float":true}`, "map[coerced_to_float:1]"},
		{`{"test_float":"1"}`, "map[not_coerced_to_float:1]"},
		{`{"test_bool":1}`, "map[not_coerced_to_bool:1]"},
		{`{"use_counter2_page":{"histogram_type":2,"sum":-1}}`, "map[invalid_histogram_sum:1]"},
		{`{"use_counter2_page":{"histogram_type":2,"sum":2,"values":{"1":1}}}`, "map[invalid_histogram_use_counter:1]"},
		{`{"use_counter2_page":{"histogram_type":2,"sum":2,"values":{"1":2}}}`, "map[]"},
		{`{"missing":"x","test_int":null}`, "map[]"},
	} {
		row, err := d.Row(Document{Payload: fastjson.MustParse(c.payload), Submitted: submitted})
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]int{}
		if row.Coercions != nil {
			got = maps.Collect(row.Coercions.All())
		}
		if fmt.Sprint(got) != c.want {
			t.Errorf("%s: %v, want %s", c.payload, got, c.want)
		}
	}
}

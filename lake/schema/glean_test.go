package schema

import (
	"testing"

	"github.com/valyala/fastjson"
)

const (
	fullGlean = `{"$schema":"http://json-schema.org/draft-06/schema#","type":"object","required":["ping_info","client_info"],
		"properties":{"ping_info":{"type":"object"},"client_info":{"type":"object","properties":{"os":{"type":"string"}}},"metrics":{"type":"object","properties":{"string":{"type":"object","additionalProperties":{"type":"string"}}}}},
		"mozPipelineMetadata":{}}`
	bareGlean = `{"$schema":"http://json-schema.org/draft-06/schema#","type":"object","additionalProperties":false,
		"properties":{"metrics":{"type":"object","properties":{"string":{"type":"object","additionalProperties":{"type":"string"}}}}},"mozPipelineMetadata":{}}`
)

func TestAGleanAppsPingsMayLeaveTheClientOut(t *testing.T) {
	with, without := t.TempDir(), t.TempDir()
	for _, dir := range []string{with, without} {
		write(t, dir, "schemas/glean/glean/glean.1.schema.json", fullGlean)
		write(t, dir, "schemas/shop/app.toml", "glean = true\n")
	}
	write(t, with, "schemas/glean/glean/glean-min.1.schema.json", bareGlean)
	for _, c := range []struct{ dir, namespace, doctype, payload, want string }{
		{with, "shop", "usage", `{"metrics":{}}`, ""},
		{with, "shop", "usage", `{}`, ""},
		{with, "shop", "usage", `{"ping_info":{},"client_info":{}}`, ""},
		{with, "shop", "usage", `{"ping_info":{}}`, "#: required key [client_info] not found"},
		{with, "shop", "usage", `{"metrics":{"string":{"a":1}}}`, "#/metrics/string/a: expected type: String, found: Integer"},
		{with, "shop", "usage", `{"other":1}`, "#: extraneous key [other] is not permitted"},
		{with, "glean", "glean", `{"metrics":{}}`, "#: required key [ping_info] not found"},
		{without, "shop", "usage", `{"metrics":{}}`, "#: required key [ping_info] not found"},
	} {
		d, err := open(t, c.dir).Lookup(c.namespace, c.doctype, "1")
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if err := d.Validate(fastjson.MustParse(c.payload)); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s/%s %s: %q, want %q", c.namespace, c.doctype, c.payload, got, c.want)
		}
	}
	write(t, with, "schemas/glean/glean/glean-min.1.schema.json", `{"type":7}`)
	r := open(t, with)
	if _, err := r.Lookup("shop", "usage", "1"); err != nil || len(r.Faults()) != 1 {
		t.Errorf("a faulty glean-min: %v, faults %v", err, r.Faults())
	}
}

package decode

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pinglake/ingest"
	"pinglake/lake/schema"
)

// schemasOf is a registry of schemas by name: namespace/doctype.version -> text.
func schemasOf(t testing.TB, texts map[string]string) *schema.Registry {
	t.Helper()
	dir := t.TempDir()
	for name, text := range texts {
		namespace, file := filepath.Split(name)
		doctype, _, _ := strings.Cut(file, ".")
		folder := filepath.Join(dir, namespace, doctype)
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, file+".schema.json"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	registry, err := schema.Open(schema.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	return registry
}

var messageSchemas = map[string]string{
	"shop/order.1": `{"type":"object","properties":{"client_id":{"type":"string"},"n":{"type":"integer"},"f":{"type":"number"}},"required":["n"],
		"mozPipelineMetadata":{}}`,
	"shop/coarse.1": `{"type":"object","properties":{"n":{"type":"integer"}},
		"mozPipelineMetadata":{"submission_timestamp_granularity":"hours",
			"override_attributes":[{"name":"geo_city","value":null},{"name":"normalized_channel","value":"all"}]}}`,
	"shop/old.1":          `{"type":"object","mozPipelineMetadata":{"expiration_policy":{"collect_through_date":"2026-11-21"}}}`,
	"shop/behind-proxy.1": `{"type":"object","mozPipelineMetadata":{"geoip_skip_entries":1}}`,
	"shop/tagged.1": `{"type":"object","properties":{"tag":{"type":"object","properties":{"id":{"type":"string"}}}},
		"mozPipelineMetadata":{"sample_id_source_uuid_attribute":"document_id"}}`,
	"telemetry/session.4": `{"type":"object","properties":{"version":{"type":"number"}},"required":["version"],"mozPipelineMetadata":{}}`,
	"split/keep.1": `{"type":"object","properties":{"payload":{"type":"object","properties":{"int":{"type":"integer"},"string":{"type":"string"}}},
			"test_int":{"type":"integer"},"test_string":{"type":"string"}},
		"mozPipelineMetadata":{"split_config":{"preserve_original":true,
			"subsets":[{"document_namespace":"split","document_type":"numbers","document_version":"1","pattern":".*int"}],
			"remainder":{"document_namespace":"split","document_type":"rest","document_version":"2"}}}}`,
	"split/destroy.1": `{"type":"object","mozPipelineMetadata":{"split_config":{"preserve_original":false,
			"subsets":[{"document_namespace":"split","document_type":"numbers","document_version":"1"}]}}}`,
	"split/torn.1": `{"type":"object","mozPipelineMetadata":{"split_config":{"preserve_original":false,
			"subsets":[{"document_namespace":"split","document_type":"numbers","document_version":"1"},{"document_namespace":"split","document_type":"nowhere","document_version":"1"}]}}}`,
	"split/numbers.1": `{"type":"object","properties":{"payload":{"type":"object","properties":{"int":{"type":"integer"}}},
			"test_int":{"type":"integer"},"metadata":{"type":"object"},"submission_timestamp":{"type":"string"}},
		"required":["submission_timestamp","metadata"],"mozPipelineMetadata":{}}`,
	"split/rest.2": `{"type":"object","properties":{"payload":{"type":"object","properties":{"string":{"type":"string"}}},"test_string":{"type":"string"}},
		"mozPipelineMetadata":{}}`,
}

const stamp = "2026-11-22T12:34:56.123456Z"

// messageCases are messages and what becomes of them, in a form to be read.
var messageCases = []struct {
	name       string
	attributes map[string]string
	payload    string
	want       []string // "attributes | payload" for each ping
	reject     string   // reason and message
}{
	{name: "a ping of any namespace",
		attributes: map[string]string{"uri": "/submit/shop/order/1/2c3a0767-d84a-4d02-8a92-fa54a3376049", "submission_timestamp": stamp, "message_id": "9",
			"x_debug_id": "me", "date": "today", "user_agent": "Chrome/90", "args": "", "remote_addr": "192.0.2.1", "x_forwarded_for": "192.0.2.1, 192.0.2.2"},
		payload: `{"n":9007199254740993,"f":1e-7,"client_id":"{2907648D-711B-4E9F-94B5-52A2B40A44B1}"} and more`,
		want: []string{`args= client_id=2907648d-711b-4e9f-94b5-52a2b40a44b1 date=today document_id=2c3a0767-d84a-4d02-8a92-fa54a3376049 document_namespace=shop document_type=order document_version=1 sample_id=67 submission_timestamp=` + stamp +
			` uri=/submit/shop/order/1/2c3a0767-d84a-4d02-8a92-fa54a3376049 user_agent_browser=Chrome user_agent_version=90 x_debug_id=me | ` +
			`{"metadata":{"geo":{},"isp":{},"user_agent":{"browser":"Chrome","version":"90"},"header":{"date":"today","x_debug_id":"me"},` +
			`"document_namespace":"shop","document_type":"order","document_version":"1"},"submission_timestamp":"` + stamp + `","document_id":"2c3a0767-d84a-4d02-8a92-fa54a3376049",` +
			`"sample_id":67,"n":9007199254740993,"f":1e-7,"client_id":"2907648d-711b-4e9f-94b5-52a2b40a44b1"}`}},
	{name: "a telemetry ping says its version itself",
		attributes: map[string]string{"uri": "/submit/telemetry/1-1-1-1-1/session/Firefox/70.0/release/20260101", "submission_timestamp": stamp},
		payload:    `{"version":4}`,
		want: []string{`app_build_id=20260101 app_name=Firefox app_update_channel=release app_version=70.0 document_id=1-1-1-1-1 document_namespace=telemetry document_type=session document_version=4 ` +
			`normalized_app_name=Firefox normalized_channel=release submission_timestamp=` + stamp + ` uri=/submit/telemetry/1-1-1-1-1/session/Firefox/70.0/release/20260101 | ` +
			`{"metadata":{"geo":{},"isp":{},"user_agent":{},"header":{},"uri":{"uri":"/submit/telemetry/1-1-1-1-1/session/Firefox/70.0/release/20260101","app_name":"Firefox","app_version":"70.0","app_update_channel":"release","app_build_id":"20260101"},` +
			`"document_namespace":"telemetry","document_type":"session","document_version":"4"},"submission_timestamp":"` + stamp + `","document_id":"1-1-1-1-1",` +
			`"normalized_app_name":"Firefox","normalized_channel":"release","version":4}`}},
	{name: "what a client says in the server's words is dropped",
		attributes: map[string]string{"uri": "/submit/shop/order/1/1-1-1-1-1"},
		payload:    `{"metadata":{"geo":{"city":"X"},"document_type":"old"},"document_id":"2-2-2-2-2","sample_id":5,"normalized_os":"Y","n":1}`,
		want: []string{`document_id=1-1-1-1-1 document_namespace=shop document_type=order document_version=1 uri=/submit/shop/order/1/1-1-1-1-1 | ` +
			`{"metadata":{"geo":{},"isp":{},"user_agent":{},"header":{},"document_namespace":"shop","document_type":"order","document_version":"1"},"document_id":"1-1-1-1-1","n":1}`}},
	{name: "a decoded ping without a URI speaks for itself",
		attributes: map[string]string{"document_namespace": "shop", "document_type": "order", "document_version": "1", "client_id": "old"},
		payload: `{"metadata":{"geo":{"city":"X","dma_code":7,"none":null},"isp":{"name":"I"},"user_agent":{"os":"O"},"header":{"x_debug_id":"d","x_forwarded_for":"192.0.2.1"},"uri":{"app_name":"Fennec-x"}},` +
			`"submission_timestamp":"` + stamp + `","document_id":"1-1-1-1-1","sample_id":5,"normalized_os":"Y","normalized_channel":7,"n":1}`,
		want: []string{`app_name=Fennec-x client_id=old document_id=1-1-1-1-1 document_namespace=shop document_type=order document_version=1 geo_city=X geo_dma_code=7 isp_name=I normalized_app_name=Fennec normalized_os=Y sample_id=5 submission_timestamp=` + stamp +
			` user_agent_os=O x_debug_id=d | {"metadata":{"geo":{"city":"X","dma_code":"7"},"isp":{"name":"I"},"user_agent":{"os":"O"},"header":{"x_debug_id":"d"},` +
			`"document_namespace":"shop","document_type":"order","document_version":"1"},"submission_timestamp":"` + stamp + `","document_id":"1-1-1-1-1",` +
			`"normalized_app_name":"Fennec","normalized_os":"Y","sample_id":5,"n":1}`}},
	{name: "time and attributes as coarse as the schema wants them",
		attributes: map[string]string{"uri": "/submit/shop/coarse/1/1-1-1-1-1", "submission_timestamp": stamp, "geo_city": "Milton", "geo_country": "US"},
		payload:    `{"release_channel":"nightly"}`,
		want: []string{`app_update_channel=nightly document_id=1-1-1-1-1 document_namespace=shop document_type=coarse document_version=1 geo_country=US normalized_channel=all normalized_country_code=US submission_timestamp=2026-11-22T12:00:00Z uri=/submit/shop/coarse/1/1-1-1-1-1 | ` +
			`{"metadata":{"geo":{"country":"US"},"isp":{},"user_agent":{},"header":{},"document_namespace":"shop","document_type":"coarse","document_version":"1"},` +
			`"submission_timestamp":"2026-11-22T12:00:00Z","document_id":"1-1-1-1-1","normalized_channel":"all","normalized_country_code":"US","release_channel":"nightly"}`}},
	{name: "the document_id may give the sample, in its own case",
		attributes: map[string]string{"uri": "/submit/shop/tagged/1/0E085F25-DD1C-412A-86C7-177D1B5AA5EB"},
		payload:    `{}`,
		want: []string{`document_id=0E085F25-DD1C-412A-86C7-177D1B5AA5EB document_namespace=shop document_type=tagged document_version=1 sample_id=12 uri=/submit/shop/tagged/1/0E085F25-DD1C-412A-86C7-177D1B5AA5EB | ` +
			`{"metadata":{"geo":{},"isp":{},"user_agent":{},"header":{},"document_namespace":"shop","document_type":"tagged","document_version":"1"},"document_id":"0E085F25-DD1C-412A-86C7-177D1B5AA5EB","sample_id":12}`}},
	{name: "a split ping keeps itself if it is to",
		attributes: map[string]string{"uri": "/submit/split/keep/1/1-1-1-1-1", "submission_timestamp": stamp},
		payload:    `{"payload":{"int":1,"string":"str1"},"test_int":2,"test_string":"str2","client_info":{"client_id":"x"}}`,
		want: []string{
			`document_id=1-1-1-1-1 document_namespace=split document_type=keep document_version=1 submission_timestamp=` + stamp + ` uri=/submit/split/keep/1/1-1-1-1-1 | ` +
				`{"metadata":{"geo":{},"isp":{},"user_agent":{},"header":{},"document_namespace":"split","document_type":"keep","document_version":"1"},"submission_timestamp":"` + stamp + `","document_id":"1-1-1-1-1","payload":{"int":1,"string":"str1"},"test_int":2,"test_string":"str2","client_info":{"client_id":"x"}}`,
			`document_id=1-1-1-1-1 document_namespace=split document_type=numbers document_version=1 submission_timestamp=` + stamp + ` uri=/submit/split/keep/1/1-1-1-1-1 | ` +
				`{"metadata":{"geo":{},"isp":{},"user_agent":{},"header":{},"document_namespace":"split","document_type":"numbers","document_version":"1"},"submission_timestamp":"` + stamp + `","document_id":"1-1-1-1-1","client_info":{"client_id":"x"},"payload":{"int":1},"test_int":2}`,
			`document_id=1-1-1-1-1 document_namespace=split document_type=rest document_version=2 submission_timestamp=` + stamp + ` uri=/submit/split/keep/1/1-1-1-1-1 | ` +
				`{"metadata":{"geo":{},"isp":{},"user_agent":{},"header":{},"document_namespace":"split","document_type":"rest","document_version":"2"},"submission_timestamp":"` + stamp + `","document_id":"1-1-1-1-1","payload":{"string":"str1"},"test_string":"str2","client_info":{"client_id":"x"}}`,
		}},
	{name: "a split ping may leave only a part",
		attributes: map[string]string{"uri": "/submit/split/destroy/1/1-1-1-1-1", "submission_timestamp": stamp},
		payload:    `{"payload":{"int":1,"string":"str1"},"test_int":2,"test_string":"str2"}`,
		want: []string{`document_id=1-1-1-1-1 document_namespace=split document_type=numbers document_version=1 submission_timestamp=` + stamp + ` uri=/submit/split/destroy/1/1-1-1-1-1 | ` +
			`{"metadata":{"geo":{},"isp":{},"user_agent":{},"header":{},"document_namespace":"split","document_type":"numbers","document_version":"1"},"submission_timestamp":"` + stamp + `","document_id":"1-1-1-1-1","payload":{"int":1},"test_int":2}`}},
	{name: "a ping with an unknown part stays whole",
		attributes: map[string]string{"uri": "/submit/split/torn/1/1-1-1-1-1"},
		payload:    `{"test_int":2}`,
		want: []string{`document_id=1-1-1-1-1 document_namespace=split document_type=torn document_version=1 uri=/submit/split/torn/1/1-1-1-1-1 | ` +
			`{"metadata":{"geo":{},"isp":{},"user_agent":{},"header":{},"document_namespace":"split","document_type":"torn","document_version":"1"},"document_id":"1-1-1-1-1","test_int":2}`}},
	{name: "a reject is the message as it came, unpacked and without addresses",
		attributes: map[string]string{"uri": "/submit/shop/order/1/1-1-1-1-1", "user_agent": "x", "x_forwarded_for": "192.0.2.1"},
		payload:    `{"client_id":"2907648D-711B-4E9F-94B5-52A2B40A44B1"}`,
		reject: `document_id=1-1-1-1-1 document_namespace=shop document_type=order document_version=1 error_message=org.everit.json.schema.ValidationException: #: required key [n] not found ` +
			`error_type=ParsePayload exception_class=org.everit.json.schema.ValidationException uri=/submit/shop/order/1/1-1-1-1-1 user_agent=x | {"client_id":"2907648D-711B-4E9F-94B5-52A2B40A44B1"}`},
	{name: "a reject of a decoded ping has nothing of its payload in its attributes",
		attributes: map[string]string{"document_namespace": "shop", "document_type": "order", "document_version": "7"},
		payload:    `{"document_id":"1-1-1-1-1","metadata":{"geo":{"city":"X"}}}`,
		reject: `document_namespace=shop document_type=order document_version=7 error_message=com.mozilla.telemetry.ingestion.core.schema.SchemaNotFoundException: No schema with name: shop/order/order.7.schema.json ` +
			`error_type=ParsePayload exception_class=com.mozilla.telemetry.ingestion.core.schema.SchemaNotFoundException | {"document_id":"1-1-1-1-1","metadata":{"geo":{"city":"X"}}}`},
	{name: "past its collection there is no message, only the class",
		attributes: map[string]string{"uri": "/submit/shop/old/1/1-1-1-1-1", "submission_timestamp": stamp},
		payload:    `{}`,
		reject: `document_id=1-1-1-1-1 document_namespace=shop document_type=old document_version=1 error_message=com.mozilla.telemetry.decoder.ParsePayload$DeprecatedMessageException ` +
			`error_type=ParsePayload exception_class=com.mozilla.telemetry.decoder.ParsePayload$DeprecatedMessageException submission_timestamp=` + stamp + ` uri=/submit/shop/old/1/1-1-1-1-1 | {}`},
	{name: "on its last day it is collected",
		attributes: map[string]string{"uri": "/submit/shop/old/1/1-1-1-1-1", "submission_timestamp": "2026-11-21T23:59:59.999999Z"},
		payload:    `{}`,
		want: []string{`document_id=1-1-1-1-1 document_namespace=shop document_type=old document_version=1 submission_timestamp=2026-11-21T23:59:59.999999Z uri=/submit/shop/old/1/1-1-1-1-1 | ` +
			`{"metadata":{"geo":{},"isp":{},"user_agent":{},"header":{},"document_namespace":"shop","document_type":"old","document_version":"1"},"submission_timestamp":"2026-11-21T23:59:59.999999Z","document_id":"1-1-1-1-1"}`}},
	{name: "a time that is none is left as it is",
		attributes: map[string]string{"document_namespace": "shop", "document_type": "coarse", "document_version": "1", "submission_timestamp": stamp},
		payload:    `{"submission_timestamp":"junk","document_id":"1-1-1-1-1"}`,
		want: []string{`document_id=1-1-1-1-1 document_namespace=shop document_type=coarse document_version=1 normalized_channel=all submission_timestamp=junk | ` +
			`{"metadata":{"geo":{},"isp":{},"user_agent":{},"header":{},"document_namespace":"shop","document_type":"coarse","document_version":"1"},"submission_timestamp":"junk","document_id":"1-1-1-1-1","normalized_channel":"all"}`}},
	{name: "half a surrogate pair takes nothing with it",
		attributes: map[string]string{"uri": "/submit/shop/tagged/1/1-1-1-1-1"},
		payload:    `{"a":"\ud83d\u0041b","b":"\ud83d\uD83d\ude00","c":"\udc00","\uD83dk":"\\ud83d"}`,
		want: []string{"document_id=1-1-1-1-1 document_namespace=shop document_type=tagged document_version=1 sample_id=65 uri=/submit/shop/tagged/1/1-1-1-1-1 | " +
			`{"metadata":{"geo":{},"isp":{},"user_agent":{},"header":{},"document_namespace":"shop","document_type":"tagged","document_version":"1"},"document_id":"1-1-1-1-1","sample_id":65,` +
			"\"a\":\"\ufffdAb\",\"b\":\"\ufffd😀\",\"c\":\"\ufffd\",\"\ufffdk\":\"\\\\ud83d\"}"}},
	{name: "neither a URI nor names",
		payload: `{}`,
		reject:  `error_message=com.mozilla.telemetry.ingestion.core.schema.SchemaNotFoundException: No such docType: null/null error_type=ParsePayload exception_class=com.mozilla.telemetry.ingestion.core.schema.SchemaNotFoundException | {}`},
}

func messageText(m ingest.Message) string { return list(m.Attributes) + " | " + string(m.Payload) }

func TestMessages(t *testing.T) {
	decoder := New(Options{Schemas: schemasOf(t, messageSchemas)})
	for _, c := range messageCases {
		t.Run(c.name, func(t *testing.T) {
			for _, payload := range []string{c.payload, gzipped(t, c.payload)} {
				pings, err := decoder.DecodeMessage(ingest.Message{Attributes: c.attributes, Payload: []byte(payload)}, ingest.Position{Pack: 1})
				var got []string
				for _, ping := range pings {
					if !json.Valid(ping.Payload) {
						t.Errorf("not JSON: %s", ping.Payload)
					}
					delete(ping.Attributes, "client_compression")
					got = append(got, messageText(ping))
				}
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
				reject := ""
				var r *ingest.RejectError
				if errors.As(err, &r) {
					m := decoder.ErrorMessage(r)
					delete(m.Attributes, "client_compression")
					reject = messageText(m)
				}
				if diff := cmp.Diff(c.reject, reject); diff != "" {
					t.Errorf("reject (-want +got)\n%s", diff)
				}
			}
		})
	}
}

func TestDecodingWhatWasDecodedChangesNothing(t *testing.T) {
	decoder := New(Options{Schemas: schemasOf(t, messageSchemas)})
	stub := ingest.Message{Attributes: map[string]string{"uri": stubURI("v6", 36, nil), "submission_timestamp": stamp}}
	messages := []ingest.Message{stub}
	for _, c := range messageCases {
		messages = append(messages, ingest.Message{Attributes: c.attributes, Payload: []byte(c.payload)})
	}
	seen := 0
	for _, message := range messages {
		once, err := decoder.DecodeMessage(message, ingest.Position{Pack: 1})
		if err != nil {
			continue
		}
		for _, ping := range once {
			seen++
			twice, err := decoder.DecodeMessage(ping, ingest.Position{Pack: 99})
			if err != nil || len(twice) != 1 {
				t.Errorf("%s:\n%d pings, %v", messageText(ping), len(twice), err)
				continue
			}
			if diff := cmp.Diff(messageText(ping), messageText(twice[0])); diff != "" {
				t.Errorf("(-once +twice)\n%s", diff)
			}
		}
	}
	if seen < 10 {
		t.Errorf("only %d pings were decoded twice", seen)
	}
}

// The rows of a split ping are of several tables and of one document_id.
func TestASplitPingIsSeveralRows(t *testing.T) {
	decoder := New(Options{Schemas: schemasOf(t, messageSchemas)})
	result, err := decoder.Decode(rawOf("/submit/split/keep/1/"+documentID, `{"payload":{"int":1,"string":"s"},"test_int":2}`))
	if err != nil {
		t.Fatal(err)
	}
	var tables []string
	for _, ping := range result.Pings {
		tables = append(tables, ping.Row.Table.String()+" "+ping.ID.String())
	}
	id := strings.ToLower(documentID)
	want := []string{"split_live.keep_v1 " + id, "split_live.numbers_v1 " + id, "split_live.rest_v2 " + id}
	if diff := cmp.Diff(want, tables); diff != "" {
		t.Error(diff)
	}
}

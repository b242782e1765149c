package schema

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestMetadata(t *testing.T) {
	through := time.Date(2022, 1, 1, 0, 0, 0, 0, time.UTC)
	main5 := Target{"telemetry", "main", "5"}
	for _, c := range []struct {
		pipeline string
		want     Metadata
	}{
		{`{}`, Metadata{}},
		{`{"sample_id_source_uuid_attribute":"document_id","unknown":{"a":1}}`, Metadata{SampleIDAttribute: "document_id"}},
		{`{"sample_id_source_uuid_payload_path":["a","b"]}`, Metadata{SampleIDPath: []string{"a", "b"}}},
		{`{"expiration_policy":{"delete_after_days":180,"collect_through_date":"2022-01-01"}}`, Metadata{CollectThrough: through}},
		{`{"expiration_policy":{"collect_through_date":"2022/03/01"}}`, Metadata{}},
		{`{"expiration_policy":7,"sample_id_source_uuid_attribute":7,"sample_id_source_uuid_payload_path":"a"}`, Metadata{}},

		{`{"submission_timestamp_granularity":"millis"}`, Metadata{Granularity: time.Millisecond}},
		{`{"submission_timestamp_granularity":"seconds"}`, Metadata{Granularity: time.Second}},
		{`{"submission_timestamp_granularity":"minutes"}`, Metadata{Granularity: time.Minute}},
		{`{"submission_timestamp_granularity":"hours"}`, Metadata{Granularity: time.Hour}},
		{`{"submission_timestamp_granularity":"days"}`, Metadata{Granularity: 24 * time.Hour}},
		{`{"submission_timestamp_granularity":null}`, Metadata{}},

		{`{"override_attributes":[{"name":"geo_city","value":null},{"name":"normalized_channel","value":"x"},{"name":"os","value":""}]}`,
			Metadata{Overrides: []Override{{"geo_city", nil}, {"normalized_channel", new("x")}, {"os", new("")}}}},
		{`{"geoip_skip_entries":2}`, Metadata{GeoIPSkip: 2}},

		{`{"split_config":{"preserve_original":true,"subsets":[]}}`, Metadata{Split: &Split{Subsets: []Target{}, PreserveOriginal: true}}},
		{`{"split_config":{"remainder":{"document_namespace":"telemetry","document_type":"main","document_version":"5"}}}`,
			Metadata{Split: &Split{Remainder: &main5}}},
		{`{"split_config":{"preserve_original":false,"subsets":[{"document_namespace":"telemetry","document_type":"main","document_version":"5","pattern":".*","extra_pattern":"x"}]}}`,
			Metadata{Split: &Split{Subsets: []Target{main5}}}},
	} {
		got := doctypeOf(t, `{"mozPipelineMetadata":`+c.pipeline+`}`).Metadata()
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", c.pipeline, diff)
		}
	}
}

// What hides data or says where it goes is never passed over.
func TestMetadataThatCannotBeFollowedMakesTheSchemaUnusable(t *testing.T) {
	for _, c := range []struct{ pipeline, want string }{
		{`{"submission_timestamp_granularity":"weeks"}`, `submission_timestamp_granularity: "weeks" is none of millis, seconds`},
		{`{"submission_timestamp_granularity":7}`, "submission_timestamp_granularity: json: cannot unmarshal number"},
		{`{"override_attributes":{"geo_city":null}}`, "override_attributes: json: cannot unmarshal object"},
		{`{"override_attributes":[{"name":"geo_city","value":7}]}`, "override_attributes: json: cannot unmarshal number"},
		{`{"override_attributes":[{"value":null}]}`, "override_attributes: a name is missing"},
		{`{"geoip_skip_entries":-1}`, "geoip_skip_entries: -1 is below 0"},
		{`{"geoip_skip_entries":1.5}`, "geoip_skip_entries: json: cannot unmarshal number"},
		{`{"split_config":[]}`, "split_config: json: cannot unmarshal array"},
		{`{"split_config":{}}`, "split_config: nothing would be left"},
		{`{"split_config":{"subsets":[],"preserve_original":false}}`, "split_config: nothing would be left"},
		{`{"split_config":{"subsets":[{"document_namespace":"a","document_type":"b"}]}}`, "split_config: a target lacks"},
		{`{"split_config":{"remainder":{"document_namespace":"a","document_version":"1"}}}`, "split_config: a target lacks"},
	} {
		_, err := parseFile(source{own: true}, []byte(`{"mozPipelineMetadata":`+c.pipeline+`}`))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.pipeline, err)
		}
	}
}

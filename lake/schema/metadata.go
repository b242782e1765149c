package schema

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Metadata is what a schema says to the pipeline under mozPipelineMetadata. Keys
// other than these are left to those who generate schemas.
type Metadata struct {
	// SampleIDAttribute names the attribute whose UUID gives the sample_id, "" if
	// unset. When the path is unset too, client_id is meant.
	SampleIDAttribute string
	// SampleIDPath leads to the UUID in the payload that gives the sample_id when
	// the attribute does not. Nil if unset.
	SampleIDPath []string
	// CollectThrough is the last day, UTC, whose submissions are taken. Zero if
	// there is none, or if the schema writes it other than YYYY-MM-DD.
	CollectThrough time.Time
	// Granularity is what submission_timestamp is cut down to, UTC. Zero keeps it
	// whole; days are 24 hours.
	Granularity time.Duration
	// Overrides replace attributes, in order, after Granularity.
	Overrides []Override
	// GeoIPSkip is how many more entries of x_forwarded_for than usual were added
	// by trusted proxies.
	GeoIPSkip int
	// Split says which pings one submission becomes. Nil: it stays one.
	Split *Split
}

// Override is an attribute's new value; nil removes it.
type Override struct {
	Name  string  `json:"name"`
	Value *string `json:"value"`
}

// Split divides a submission into pings of other doctypes, which share its
// document_id.
type Split struct {
	// Subsets take what their schemas declare, one after another: see Doctype.Take.
	Subsets []Target `json:"subsets"`
	// Remainder takes what is left. Nil: that is dropped.
	Remainder *Target `json:"remainder"`
	// PreserveOriginal keeps the whole submission as a ping of its own doctype too.
	PreserveOriginal bool `json:"preserve_original"`
}

// Target names the doctype of a part.
type Target struct {
	Namespace string `json:"document_namespace"`
	DocType   string `json:"document_type"`
	Version   string `json:"document_version"`
}

// granularities are the reference's words for Metadata.Granularity.
var granularities = map[string]time.Duration{
	"": 0, "millis": time.Millisecond, "seconds": time.Second, "minutes": time.Minute,
	"hours": time.Hour, "days": 24 * time.Hour,
}

// parseMetadata reads mozPipelineMetadata. What hides or moves data must be
// understood whole: otherwise the schema cannot be used. The rest is passed over
// when it is not of its form.
func parseMetadata(pipeline map[string]any) (Metadata, error) {
	var m Metadata
	m.SampleIDAttribute, _ = pipeline["sample_id_source_uuid_attribute"].(string)
	path, _ := pipeline["sample_id_source_uuid_payload_path"].([]any)
	for _, key := range path {
		m.SampleIDPath = append(m.SampleIDPath, fmt.Sprint(key))
	}
	policy, _ := pipeline["expiration_policy"].(map[string]any)
	through, _ := policy["collect_through_date"].(string)
	if day, err := time.Parse(time.DateOnly, through); err == nil {
		m.CollectThrough = day
	}
	var granularity string
	for _, setting := range []struct {
		key string
		to  any
	}{
		{"submission_timestamp_granularity", &granularity},
		{"override_attributes", &m.Overrides},
		{"geoip_skip_entries", &m.GeoIPSkip},
		{"split_config", &m.Split},
	} {
		if err := readSetting(pipeline[setting.key], setting.to); err != nil {
			return Metadata{}, fmt.Errorf("%s: %w", setting.key, err)
		}
	}
	known := false
	if m.Granularity, known = granularities[granularity]; !known {
		return Metadata{}, fmt.Errorf("submission_timestamp_granularity: %q is none of millis, seconds, minutes, hours, days", granularity)
	}
	return m, m.check()
}

// readSetting decodes a value of a schema document; nil leaves to as it is.
func readSetting(value, to any) error {
	if value == nil {
		return nil
	}
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, to)
}

// check is the first setting that has its form and no meaning.
func (m Metadata) check() error {
	for _, o := range m.Overrides {
		if o.Name == "" {
			return errors.New("override_attributes: a name is missing")
		}
	}
	if m.GeoIPSkip < 0 {
		return fmt.Errorf("geoip_skip_entries: %d is below 0", m.GeoIPSkip)
	}
	if m.Split == nil {
		return nil
	}
	targets := m.Split.Subsets
	if m.Split.Remainder != nil {
		targets = append(targets[:len(targets):len(targets)], *m.Split.Remainder)
	}
	if len(targets) == 0 && !m.Split.PreserveOriginal {
		return errors.New("split_config: nothing would be left of a submission")
	}
	for _, t := range targets {
		if t.Namespace == "" || t.DocType == "" || t.Version == "" {
			return errors.New("split_config: a target lacks document_namespace, document_type or document_version")
		}
	}
	return nil
}

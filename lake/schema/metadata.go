package schema

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Metadata is what a schema says to the pipeline under mozPipelineMetadata.
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
	// Granularity is what submission_timestamp is cut to, 0 for all its digits.
	Granularity time.Duration
	// Overrides replace attributes of the decoded ping, in this order.
	Overrides []Override
	// GeoIPSkip is how many more entries at the end of X-Forwarded-For are not the
	// client's.
	GeoIPSkip int
	// Split says which parts a ping is stored as. Nil: as itself.
	Split *Split
}

// Override sets an attribute; a nil Value removes it.
type Override struct {
	Name  string  `json:"name"`
	Value *string `json:"value"`
}

// Target names the doctype that a part of a ping becomes.
type Target struct {
	Namespace string `json:"document_namespace"`
	DocType   string `json:"document_type"`
	Version   string `json:"document_version"`
}

// Split takes a ping apart: each subset gets what its own schema declares, the
// remainder what is left.
type Split struct {
	PreserveOriginal bool     `json:"preserve_original"` // stored whole, too
	Subsets          []Target `json:"subsets"`
	Remainder        *Target  `json:"remainder"` // nil: what is left is dropped
}

// granularities are the words of submission_timestamp_granularity.
var granularities = map[string]time.Duration{
	"millis": time.Millisecond, "seconds": time.Second, "minutes": time.Minute, "hours": time.Hour, "days": 24 * time.Hour,
}

// parseMetadata reads the keys it knows. Others are for generators of schemas.
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
	var faults []error
	if value, ok := pipeline["submission_timestamp_granularity"]; ok {
		word, _ := value.(string)
		if m.Granularity, ok = granularities[word]; !ok {
			faults = append(faults, fmt.Errorf("submission_timestamp_granularity %v is none of millis, seconds, minutes, hours, days", value))
		}
	}
	for key, into := range map[string]any{
		"override_attributes": &m.Overrides, "geoip_skip_entries": &m.GeoIPSkip, "split_config": &m.Split,
	} {
		if err := readMember(pipeline, key, into); err != nil {
			faults = append(faults, err)
		}
	}
	faults = append(faults, m.Split.faults()...)
	return m, errors.Join(faults...)
}

// readMember reads a structured member into into, if there is one.
func readMember(pipeline map[string]any, key string, into any) error {
	value, ok := pipeline[key]
	if !ok {
		return nil
	}
	text, err := json.Marshal(value)
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		return fmt.Errorf("%s: %s", key, strings.TrimPrefix(err.Error(), "json: "))
	}
	return nil
}

func (s *Split) faults() (faults []error) {
	if s == nil {
		return nil
	}
	targets := s.Subsets
	if s.Remainder != nil {
		targets = append(targets[:len(targets):len(targets)], *s.Remainder)
	}
	for _, t := range targets {
		if t.Namespace == "" || t.DocType == "" || t.Version == "" {
			faults = append(faults, fmt.Errorf("split_config: %q is no namespace, doctype and version", []string{t.Namespace, t.DocType, t.Version}))
		}
	}
	return faults
}

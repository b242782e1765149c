package sim

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"pinglake/ingest"
)

// line is a message in the line-JSON form.
type line struct {
	AttributeMap map[string]string `json:"attributeMap"`
	Payload      []byte            `json:"payload"` // base64 in the text, null or absent for none
}

// The attributes that a Raw keeps in fields of their own.
const (
	attributeURI       = "uri"
	attributeTimestamp = "submission_timestamp"
)

// EncodeMessage writes a raw as one line of JSON, without the line's end:
// {"attributeMap":{...},"payload":"<base64>"}, uri and submission_timestamp being
// attributes like the others.
func EncodeMessage(raw ingest.Raw) ([]byte, error) {
	attributes := make(map[string]string, len(raw.Attributes)+2)
	for name, value := range raw.Attributes {
		attributes[name] = value
	}
	attributes[attributeURI] = raw.URI
	attributes[attributeTimestamp] = ingest.FormatTimestamp(raw.Submitted)
	text, err := json.Marshal(line{attributes, raw.Body})
	if err != nil {
		return nil, fmt.Errorf("encode message %s: %w", raw.URI, err)
	}
	return text, nil
}

// DecodeMessage reads one line of JSON as EncodeMessage writes it. The message
// must say its uri and submission_timestamp; other members than the two are
// ignored.
func DecodeMessage(text []byte) (ingest.Raw, error) {
	var m line
	if err := json.Unmarshal(text, &m); err != nil {
		return ingest.Raw{}, fmt.Errorf("message: %w", oneLine(err))
	}
	uri, ok := m.AttributeMap[attributeURI]
	if !ok {
		return ingest.Raw{}, errors.New("message: attributeMap has no uri")
	}
	stamp, ok := m.AttributeMap[attributeTimestamp]
	if !ok {
		return ingest.Raw{}, errors.New("message: attributeMap has no submission_timestamp")
	}
	submitted, err := ingest.ParseTimestamp(stamp)
	if err != nil {
		return ingest.Raw{}, fmt.Errorf("message: submission_timestamp %q is no UTC instant like %s",
			stamp, ingest.FormatTimestamp(time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)))
	}
	delete(m.AttributeMap, attributeURI)
	delete(m.AttributeMap, attributeTimestamp)
	return ingest.Raw{URI: uri, Submitted: submitted, Attributes: m.AttributeMap, Body: m.Payload}, nil
}

// oneLine says what is wrong with a line in the words of its reader.
func oneLine(err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("not JSON at byte %d: %w", syntax.Offset, err)
	case errors.As(err, &kind) && kind.Field == "":
		return fmt.Errorf("a JSON object is expected, not %s", kind.Value)
	case errors.As(err, &kind):
		return fmt.Errorf("%s can not be %s", kind.Field, kind.Value)
	}
	return fmt.Errorf("payload is not base64: %w", err)
}

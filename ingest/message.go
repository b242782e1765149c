package ingest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"
)

// Attributes of a message that a Raw keeps in fields of its own.
const (
	attributeURI       = "uri"
	attributeTimestamp = "submission_timestamp"
)

// Message is a submission, or a decoded ping, as one line of JSON:
// {"attributeMap":{...},"payload":"<base64>"}. It is the form in which submissions
// are kept in files and handed between programs.
type Message struct {
	Attributes map[string]string `json:"attributeMap"`
	Payload    []byte            `json:"payload"` // base64 in the text, null or absent for none
}

// ParseMessage reads one line. Members other than the two are ignored.
func ParseMessage(text []byte) (Message, error) {
	var read *struct {
		Attributes map[string]*string `json:"attributeMap"`
		Payload    []byte             `json:"payload"`
	}
	if err := json.Unmarshal(text, &read); err != nil {
		return Message{}, fmt.Errorf("message: %w", oneLine(err))
	}
	if read == nil {
		return Message{}, errors.New("message: a JSON object is expected, not null")
	}
	m := Message{Payload: read.Payload}
	for name, value := range read.Attributes {
		if value == nil {
			continue // what exporters write for an attribute that is not there
		}
		if m.Attributes == nil {
			m.Attributes = make(map[string]string, len(read.Attributes))
		}
		m.Attributes[name] = *value
	}
	return m, nil
}

// Line is the message as one line of JSON, without the line's end.
func (m Message) Line() ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(m); err != nil {
		return nil, fmt.Errorf("encode message %s: %w", m.Attributes[attributeURI], err)
	}
	return bytes.TrimSuffix(text.Bytes(), []byte("\n")), nil
}

// MessageOf is a raw as a message, uri and submission_timestamp being attributes
// like the others.
func MessageOf(raw *Raw) Message {
	attributes := make(map[string]string, len(raw.Attributes)+2)
	maps.Copy(attributes, raw.Attributes)
	if raw.URI != "" {
		attributes[attributeURI] = raw.URI
	}
	attributes[attributeTimestamp] = FormatTimestamp(raw.Submitted)
	return Message{attributes, raw.Body}
}

// Raw is the message as it can go through the line. It must say its
// submission_timestamp, and its uri unless it is a decoded ping.
func (m Message) Raw() (Raw, error) {
	uri, ok := m.Attributes[attributeURI]
	if _, decoded := m.Attributes["document_type"]; !ok && !decoded {
		return Raw{}, errors.New("message: attributeMap has no uri")
	}
	stamp, ok := m.Attributes[attributeTimestamp]
	if !ok {
		return Raw{}, errors.New("message: attributeMap has no submission_timestamp")
	}
	submitted, err := ParseTimestamp(stamp)
	if err != nil {
		return Raw{}, fmt.Errorf("message: submission_timestamp %q is no UTC instant like %s",
			stamp, FormatTimestamp(time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)))
	}
	attributes := maps.Clone(m.Attributes)
	delete(attributes, attributeURI)
	delete(attributes, attributeTimestamp)
	return Raw{URI: uri, Submitted: submitted, Attributes: attributes, Body: m.Payload}, nil
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

package decode

import (
	"errors"

	"github.com/valyala/fastjson"

	"pinglake/ingest"
	"pinglake/lake/schema"
)

// Servers may send pings through a log: each entry is JSON that holds the ping and
// what a URI would say of it. Only messages that no edge stamped can be such.

// logFields are what an entry must say of its ping, all of them texts.
var logFields = []string{"document_id", "document_namespace", "document_type", "document_version"}

var errNoLogEntry = errors.New("the message has no submission_timestamp and is no log entry that holds a ping")

// openLogEntry takes the ping out of a log entry. The client's address becomes a
// place first, and is taken out of the entry, so that it is in no error row.
func (s *submission) openLogEntry() error {
	entry, err := parseDocument(s.payload)
	if err != nil {
		return s.reject(ingest.InvalidLogEntry, err)
	}
	fields := entry.Get("jsonPayload", "Fields")
	if address := fields.Get("ip_address"); address != nil && address.Type() != fastjson.TypeNull {
		if address.Type() == fastjson.TypeString {
			s.attributes["x_forwarded_for"] = text(address)
		}
		fields.Del("ip_address")
		s.payload = schema.AppendJSON(nil, entry)
	}
	s.Geo.addISP(s.attributes)
	s.Geo.addCity(s.attributes)
	s.forgetAddresses()

	received := entry.Get("receiveTimestamp")
	payload := fields.Get("payload")
	if !isText(received) || !isText(payload) {
		return s.reject(ingest.InvalidLogEntry, errNoLogEntry)
	}
	submitted, err := ingest.ParseTimestamp(text(received))
	if err != nil {
		return s.reject(ingest.InvalidLogEntry, err)
	}
	found := map[string]string{"submission_timestamp": text(received)}
	for _, name := range logFields {
		if !isText(fields.Get(name)) {
			return s.reject(ingest.InvalidLogEntry, errNoLogEntry)
		}
		found[name] = text(fields, name)
	}
	if agent := fields.Get("user_agent"); isText(agent) {
		found["user_agent"] = text(agent)
	}
	for name, value := range found {
		s.attributes[name] = value
	}
	s.submitted, s.payload, s.decoded = submitted, []byte(text(payload)), false
	return nil
}

func isText(v *fastjson.Value) bool { return v != nil && v.Type() == fastjson.TypeString }

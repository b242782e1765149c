package decode

import (
	"bytes"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/valyala/fastjson"

	"pinglake/ingest"
	"pinglake/lake/schema"
)

// DecodeMessage decodes a message into messages: one for each ping, whose payload
// begins with what the pipeline knows of it, in the reference's form. Decoding what
// it gives changes nothing. at is the message's place in its file; it names pings
// that have no other id. The error is an *ingest.RejectError.
func (d *Decoder) DecodeMessage(m ingest.Message, at ingest.Position) (pings []ingest.Message, err error) {
	raw := ingest.Raw{At: at, URI: m.Attributes["uri"], Attributes: m.Attributes, Body: m.Payload}
	if submitted, err := ingest.ParseTimestamp(m.Attributes["submission_timestamp"]); err == nil {
		raw.Submitted = submitted
	}
	s := d.newSubmission(&raw)
	defer s.recoverPanic(&err)
	parts, err := s.open()
	if err != nil {
		return nil, err
	}
	for i := range parts {
		pings = append(pings, ingest.Message{Attributes: parts[i].attributes, Payload: parts[i].payload()})
	}
	return pings, nil
}

// ErrorMessage is a reject as a message: the submission as it entered the step that
// refused it, and why.
func (d *Decoder) ErrorMessage(reject *ingest.RejectError) ingest.Message {
	attributes := maps.Clone(reject.Attributes)
	maps.Copy(attributes, errorAttributes(reject))
	return ingest.Message{Attributes: attributes, Payload: reject.Payload}
}

// headerAttributes and uriAttributes are the members of metadata.header and
// metadata.uri.
var (
	headerAttributes = []string{
		"date", "dnt", "x_debug_id", "x_foxsec_ip_reputation", "x_lb_tags", "x_pingsender_version", "x_source_tags", "x_telemetry_agent",
	}
	uriAttributes = []string{"uri", "app_name", "app_version", "app_update_channel", "app_build_id"}
)

// payload is the document with the pipeline's words before the ping's own.
func (p *part) payload() []byte {
	var arena fastjson.Arena
	known := arena.NewObject()
	set := func(to *fastjson.Value, key, attribute string) {
		if value, ok := p.attributes[attribute]; ok {
			to.Set(key, arena.NewString(value))
		}
	}
	metadata := arena.NewObject()
	for _, group := range []string{"geo", "isp", "user_agent"} {
		metadata.Set(group, p.group(&arena, group+"_"))
	}
	header := arena.NewObject()
	for _, name := range headerAttributes {
		set(header, name, name)
	}
	metadata.Set("header", header)
	if p.attributes["document_namespace"] == "telemetry" {
		uri := arena.NewObject()
		for _, name := range uriAttributes {
			set(uri, name, name)
		}
		metadata.Set("uri", uri)
	}
	for _, name := range []string{"document_namespace", "document_type", "document_version"} {
		set(metadata, name, name)
	}
	known.Set("metadata", metadata)
	for _, name := range reservedTexts {
		set(known, name, name)
	}
	if id, err := strconv.ParseInt(p.attributes["sample_id"], 10, 32); err == nil {
		known.Set("sample_id", arena.NewNumberInt(int(id)))
	}
	return joinObjects(schema.AppendJSON(nil, known), schema.AppendJSON(nil, p.document))
}

// group is the object of the attributes that begin with a prefix.
func (p *part) group(arena *fastjson.Arena, prefix string) *fastjson.Value {
	object := arena.NewObject()
	for _, name := range slices.Sorted(maps.Keys(p.attributes)) {
		if key, ok := strings.CutPrefix(name, prefix); ok {
			object.Set(key, arena.NewString(p.attributes[name]))
		}
	}
	return object
}

// joinObjects is one JSON object of the members of two, neither of them spaced.
func joinObjects(first, second []byte) []byte {
	if bytes.Equal(second, []byte("{}")) {
		return first
	}
	return append(append(bytes.TrimSuffix(first, []byte("}")), ','), second[1:]...)
}

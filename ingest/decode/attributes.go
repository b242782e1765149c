package decode

import (
	"hash/crc32"
	"strconv"
	"strings"

	"github.com/valyala/fastjson"

	"pinglake/ingest"
	"pinglake/lake/schema"
)

// text is the string at path in v, "" when it is not a string.
func text(v *fastjson.Value, path ...string) string {
	return string(v.GetStringBytes(path...))
}

// addPayloadAttributes takes from the payload what the ping is known by.
func (s *submission) addPayloadAttributes(document *fastjson.Value, clientID string) {
	set := func(name string, v *fastjson.Value, path ...string) {
		if value := text(v, path...); value != "" {
			s.attributes[name] = value
		}
	}
	info := document.Get("client_info")
	system := document.Get("environment", "system", "os")
	switch {
	case isObject(info):
		set("app_update_channel", info, "app_channel")
		set("os", info, "os")
		set("os_version", info, "os_version")
	case isObject(system):
		set("os", system, "name")
		set("os_version", system, "version")
	default:
		set("app_update_channel", document, "release_channel")
		set("os", document, "os")
		set("os_version", document, "osversion")
	}
	if clientID != "" {
		s.attributes["client_id"] = clientID
	}
}

func isObject(v *fastjson.Value) bool { return v != nil && v.Type() == fastjson.TypeObject }

// clientIDPaths are the places of the client id, best first.
var clientIDPaths = [][]string{{"client_info", "client_id"}, {"client_id"}, {"clientId"}}

// normalizeClientID finds the client id and rewrites the payload's own field to
// its lower-case form, which is what is validated, stored and sampled by. It
// returns "" when there is none that is a UUID.
func normalizeClientID(document *fastjson.Value) string {
	for _, path := range clientIDPaths {
		id, ok := normalizeUUID(text(document, path...))
		if !ok {
			continue
		}
		parent := document
		if len(path) > 1 {
			parent = document.Get(path[:len(path)-1]...)
		}
		var arena fastjson.Arena
		parent.Set(path[len(path)-1], arena.NewString(id))
		return id
	}
	return ""
}

// normalizeUUID strips braces and lower-cases; ok is false for no UUID.
func normalizeUUID(s string) (string, bool) {
	if strings.ContainsAny(s, "{}") {
		s = strings.NewReplacer("{", "", "}", "").Replace(s)
	}
	if _, ok := ingest.ParseDocumentID(s); !ok {
		return "", false
	}
	return strings.ToLower(s), true
}

// addSampleID sets sample_id, 0 to 99, from the first id that is a UUID: the
// attribute and then the payload path that the schema names, client_id when it
// names none.
func (s *submission) addSampleID(document *fastjson.Value, metadata schema.Metadata) {
	attribute := metadata.SampleIDAttribute
	if attribute == "" && len(metadata.SampleIDPath) == 0 {
		attribute = "client_id"
	}
	var candidates []string
	if attribute != "" {
		candidates = append(candidates, s.attributes[attribute])
	}
	if len(metadata.SampleIDPath) > 0 {
		candidates = append(candidates, text(document, metadata.SampleIDPath...))
	}
	for _, candidate := range candidates {
		if id, ok := normalizeUUID(candidate); ok {
			s.attributes["sample_id"] = strconv.Itoa(SampleID(id))
			return
		}
	}
}

// SampleID is the client's share of a hundred: CRC-32 (IEEE) of the id's text
// modulo 100, as the reference computes it.
func SampleID(id string) int { return int(crc32.ChecksumIEEE([]byte(id)) % 100) }

package decode

import (
	"github.com/valyala/fastjson"

	"pinglake/ingest"
)

// A decoded ping has the pipeline's words in its payload. When it comes again, they
// are taken back into the attributes, so that decoding it once more changes
// nothing. A client's request never gets here: there the same keys are dropped.

// reservedTexts are the top-level keys besides metadata and sample_id that only the
// server may say.
var reservedTexts = []string{
	"submission_timestamp", "document_id",
	"normalized_app_name", "normalized_channel", "normalized_os", "normalized_os_version", "normalized_country_code",
}

// dropReserved removes what only the server may say.
func dropReserved(document *fastjson.Value) {
	document.Del("metadata")
	document.Del("sample_id")
	for _, key := range reservedTexts {
		document.Del(key)
	}
}

// recoveredGroups are the objects of metadata and what begins the names of their
// members' attributes.
var recoveredGroups = []struct{ group, prefix string }{
	{"geo", "geo_"}, {"isp", "isp_"}, {"user_agent", "user_agent_"}, {"header", ""}, {"uri", ""},
}

// recoverAttributes takes the attributes from a decoded ping's payload.
func (s *submission) recoverAttributes(document *fastjson.Value) {
	for _, key := range reservedTexts {
		s.recoverText(key, document.Get(key))
	}
	if v := document.Get("sample_id"); v != nil {
		s.attributes["sample_id"] = scalarText(v)
	}
	for _, g := range recoveredGroups {
		members := document.GetObject("metadata", g.group)
		if members == nil {
			continue
		}
		members.Visit(func(key []byte, v *fastjson.Value) {
			if v.Type() != fastjson.TypeNull {
				s.attributes[g.prefix+string(key)] = scalarText(v)
			}
		})
	}
	for _, key := range []string{"document_namespace", "document_type", "document_version"} {
		s.recoverText(key, document.Get("metadata", key))
	}
	s.forgetAddresses()
	if at, err := ingest.ParseTimestamp(s.attributes["submission_timestamp"]); err == nil && ingest.CheckSubmitted(at) == nil {
		s.submitted = at
	}
}

func (s *submission) recoverText(name string, v *fastjson.Value) {
	if v != nil && v.Type() == fastjson.TypeString {
		s.attributes[name] = string(v.GetStringBytes())
	}
}

// scalarText is a value as text: what holds others is "".
func scalarText(v *fastjson.Value) string {
	switch v.Type() {
	case fastjson.TypeString:
		return string(v.GetStringBytes())
	case fastjson.TypeObject, fastjson.TypeArray:
		return ""
	}
	return v.String()
}

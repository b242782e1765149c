package decode

import (
	"maps"

	"github.com/valyala/fastjson"

	"pinglake/lake/schema"
)

// split makes the parts of a ping: itself, or the subsets and the remainder that
// its schema wants instead or besides. All parts keep the document_id; their tables
// tell them apart. A ping whose parts are not all known stays whole in its own
// table, so that a schema missing for a part costs no data.
func (s *submission) split(document *fastjson.Value, config *schema.Split) []part {
	whole := part{attributes: s.attributes, document: document, doctype: s.doctype}
	if config == nil || s.decoded && config.PreserveOriginal { // its parts were made when it was decoded first
		return []part{whole}
	}
	subsets, remainder, known := s.splitTargets(config)
	if !known {
		return []part{whole}
	}
	var parts []part
	if config.PreserveOriginal {
		// Taking parts out of the document changes it.
		document = fastjson.MustParseBytes(schema.AppendJSON(nil, document))
		parts = append(parts, whole)
	}
	var arena fastjson.Arena
	for i, doctype := range subsets {
		parts = append(parts, s.partOf(config.Subsets[i], doctype, doctype.Take(document, &arena)))
	}
	if remainder != nil {
		parts = append(parts, s.partOf(*config.Remainder, remainder, document))
	}
	return parts
}

// splitTargets are the doctypes of the parts.
func (s *submission) splitTargets(config *schema.Split) (subsets []*schema.Doctype, remainder *schema.Doctype, known bool) {
	find := func(t schema.Target) *schema.Doctype {
		doctype, err := s.Schemas.Lookup(t.Namespace, t.DocType, t.Version)
		if err != nil || s.Schemas.Accept(doctype) != nil {
			return nil
		}
		return doctype
	}
	for _, target := range config.Subsets {
		doctype := find(target)
		if doctype == nil {
			return nil, nil, false
		}
		subsets = append(subsets, doctype)
	}
	if config.Remainder == nil {
		return subsets, nil, true
	}
	remainder = find(*config.Remainder)
	return subsets, remainder, remainder != nil
}

func (s *submission) partOf(target schema.Target, doctype *schema.Doctype, document *fastjson.Value) part {
	attributes := maps.Clone(s.attributes)
	attributes["document_namespace"] = target.Namespace
	attributes["document_type"] = target.DocType
	attributes["document_version"] = target.Version
	return part{attributes: attributes, document: document, doctype: doctype}
}

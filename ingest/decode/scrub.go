package decode

import (
	"slices"

	"github.com/valyala/fastjson"
)

// Scrubber judges pings by the rules of a file: some are dropped, some refused,
// some lose a part of their payload. It does not change and is safe for
// concurrent use. A nil Scrubber keeps every ping as it is.
type Scrubber struct {
	uriRules []*scrubRule // judged before the payload is read
	rules    map[string]doctypeRules
	others   doctypeRules // of a namespace that no rule names
	ids      []string
}

// doctypeRules are the rules that a ping of one namespace can meet, by its
// doctype, in the file's order.
type doctypeRules struct {
	rules  map[string][]*scrubRule
	others []*scrubRule // of a doctype that no rule names
}

// scrubKind is what a rule does with a ping that it hits.
type scrubKind uint8

const (
	scrubKeep     scrubKind = iota // a verdict only: the ping goes on
	scrubDrop                      // no output, not even an error row
	scrubUnwanted                  // refused as nobody's concern
	scrubBug                       // refused as the work of a client's bug
	scrubRedact                    // a rule only: the payload is changed, the ping goes on
)

// verdict is what becomes of a ping. The zero verdict keeps it.
type verdict struct {
	kind       scrubKind
	id, reason string   // of the rule that ended the ping; empty if it is kept
	hits       []string // ids of every rule that hit, in order, nil mostly
}

// newScrubber indexes rules, which are in their order of evaluation.
func newScrubber(rules []*scrubRule) *Scrubber {
	s := &Scrubber{}
	var others []*scrubRule
	for _, r := range rules {
		s.ids = append(s.ids, r.allIDs()...)
		if r.ofURI {
			s.uriRules = append(s.uriRules, r)
		} else {
			others = append(others, r)
		}
	}
	slices.Sort(s.ids)
	s.ids = slices.Compact(s.ids)

	byNamespace, anyNamespace := splitRules(others, func(r *scrubRule) []string { return r.namespaces })
	s.rules = make(map[string]doctypeRules, len(byNamespace))
	for namespace, rules := range byNamespace {
		s.rules[namespace] = newDoctypeRules(rules)
	}
	s.others = newDoctypeRules(anyNamespace)
	return s
}

func newDoctypeRules(rules []*scrubRule) doctypeRules {
	byDoctype, anyDoctype := splitRules(rules, func(r *scrubRule) []string { return r.doctypes })
	return doctypeRules{byDoctype, anyDoctype}
}

// splitRules gives each name that a rule is limited to its own list: the rules
// limited to it and those limited to none, in order. rest is the list of every
// other name.
func splitRules(rules []*scrubRule, limits func(*scrubRule) []string) (byName map[string][]*scrubRule, rest []*scrubRule) {
	byName = map[string][]*scrubRule{}
	for _, r := range rules {
		for _, name := range limits(r) {
			byName[name] = nil
		}
	}
	for _, r := range rules {
		names := limits(r)
		if names == nil {
			rest = append(rest, r)
			for name := range byName {
				byName[name] = append(byName[name], r)
			}
			continue
		}
		for _, name := range names {
			byName[name] = append(byName[name], r)
		}
	}
	return byName, rest
}

// IDs lists the ids that a verdict of s can name, sorted: a bounded label.
func (s *Scrubber) IDs() []string {
	if s == nil {
		return nil
	}
	return slices.Clone(s.ids)
}

// scrubURI judges a ping by the rules on the attribute uri, before its payload is
// read.
func (s *Scrubber) scrubURI(attributes map[string]string) verdict {
	if s == nil {
		return verdict{}
	}
	return judge(s.uriRules, attributes, nil)
}

// scrub judges a ping by all other rules and redacts document in place, which has
// no repeated keys. A rule after a redaction sees what it left. The work is linear
// in the document's size, and nothing is allocated for a ping that no rule hits.
func (s *Scrubber) scrub(attributes map[string]string, document *fastjson.Value) verdict {
	if s == nil {
		return verdict{}
	}
	return judge(s.rulesFor(attributes), attributes, document)
}

func (s *Scrubber) rulesFor(attributes map[string]string) []*scrubRule {
	ofNamespace := s.others
	if namespace, ok := attributes["document_namespace"]; ok {
		if rules, ok := s.rules[namespace]; ok {
			ofNamespace = rules
		}
	}
	if doctype, ok := attributes["document_type"]; ok {
		if rules, ok := ofNamespace.rules[doctype]; ok {
			return rules
		}
	}
	return ofNamespace.others
}

func judge(rules []*scrubRule, attributes map[string]string, document *fastjson.Value) verdict {
	var v verdict
	for _, r := range rules {
		id, ok := r.hit(attributes, document)
		if !ok {
			continue
		}
		v.hits = append(v.hits, id)
		if r.kind != scrubRedact {
			v.kind, v.id, v.reason = r.kind, id, r.reason
			return v
		}
	}
	return v
}

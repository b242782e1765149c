package decode

import (
	"bytes"
	"regexp"
	"strings"
	"unsafe"

	"github.com/valyala/fastjson"
)

// scrubRule is one rule of a Scrubber: what it hits, and what it does to it.
type scrubRule struct {
	kind   scrubKind
	reason string

	// One of these says the rule's id.
	id           string
	namespaceIDs map[string]string // hits these namespaces, each with its id
	prefixIDs    []prefixID        // hits namespaces that begin so, the longest prefix first

	ofURI bool // judged before the payload is read
	// What the index has checked already; nil is any.
	namespaces, doctypes []string

	all       scrubConditions
	clientIDs map[string]struct{} // one of these is the client id; nil is any
	any       []scrubConditions   // at least one of them holds; nil is no condition
	redact    []redaction
}

type prefixID struct{ prefix, id string }

// scrubConditions hold if each of them does.
type scrubConditions struct {
	attributes []attributeCondition
	payload    []payloadCondition
}

type attributeCondition struct {
	attribute string
	textTest
}

// payloadCondition holds if one of the values that path leads to passes the test,
// a negated one if none does.
type payloadCondition struct {
	path payloadPath
	textTest
}

// allIDs are the ids that a hit can have.
func (r *scrubRule) allIDs() []string {
	if r.id != "" {
		return []string{r.id}
	}
	var ids []string
	for _, id := range r.namespaceIDs {
		ids = append(ids, id)
	}
	for _, p := range r.prefixIDs {
		ids = append(ids, p.id)
	}
	return ids
}

// hit says whether the ping is a case of r, and under which id. A redaction is
// done here; it hits only if it changed something.
func (r *scrubRule) hit(attributes map[string]string, document *fastjson.Value) (id string, ok bool) {
	if !r.all.attributesHold(attributes) {
		return "", false
	}
	if id, ok = r.idOf(attributes); !ok {
		return "", false
	}
	if r.clientIDs != nil && !r.clientIDHolds(document) {
		return "", false
	}
	if !r.all.payloadHolds(document) || !r.anyHolds(attributes, document) {
		return "", false
	}
	if r.kind != scrubRedact {
		return id, true
	}
	changed := false
	for _, redaction := range r.redact {
		if redaction.apply(document) {
			changed = true
		}
	}
	return id, changed
}

func (r *scrubRule) idOf(attributes map[string]string) (id string, ok bool) {
	if r.id != "" {
		return r.id, true
	}
	namespace := attributes["document_namespace"]
	if r.namespaceIDs != nil {
		id, ok = r.namespaceIDs[namespace]
		return id, ok
	}
	for _, p := range r.prefixIDs {
		if strings.HasPrefix(namespace, p.prefix) {
			return p.id, true
		}
	}
	return "", false
}

func (r *scrubRule) anyHolds(attributes map[string]string, document *fastjson.Value) bool {
	for i := range r.any {
		if r.any[i].attributesHold(attributes) && r.any[i].payloadHolds(document) {
			return true
		}
	}
	return r.any == nil
}

// clientIDHolds compares the client id in its normalised form, to which it also
// rewrites the payload's own field.
func (r *scrubRule) clientIDHolds(document *fastjson.Value) bool {
	for _, path := range clientIDPaths {
		id := document.GetStringBytes(path...)
		_, wanted := r.clientIDs[sharedText(id)]
		if !wanted && !bytes.ContainsAny(id, "{}ABCDEF") {
			continue // neither to be rewritten nor a hit
		}
		_, hit := r.clientIDs[normalizeClientID(document)]
		return hit
	}
	return false
}

func (c *scrubConditions) attributesHold(attributes map[string]string) bool {
	for i := range c.attributes {
		condition := &c.attributes[i]
		text, exists := attributes[condition.attribute]
		if passes := exists && condition.passes(text); passes == condition.negated {
			return false
		}
	}
	return true
}

func (c *scrubConditions) payloadHolds(document *fastjson.Value) bool {
	for i := range c.payload {
		if c.payload[i].found(document) == c.payload[i].negated {
			return false
		}
	}
	return true
}

func (c *payloadCondition) found(document *fastjson.Value) bool {
	found := false
	c.path.visit(document, func(v *fastjson.Value) {
		switch {
		case found:
		case c.operator == opExists:
			found = v.Type() != fastjson.TypeNull
		case v.Type() == fastjson.TypeString:
			found = c.passes(sharedText(v.GetStringBytes()))
		}
	})
	return found
}

// operator is how a condition looks at a text.
type operator uint8

const (
	opEquals operator = iota
	opPrefix
	opContains
	opMatches
	opExists
)

// textTest is the condition on a text that exists. Its owner turns the answer
// round if it is negated.
type textTest struct {
	operator operator
	negated  bool
	equals   map[string]struct{}
	texts    []string       // of prefix and contains, any of them
	pattern  *regexp.Regexp // of the whole text
}

func (t *textTest) passes(text string) bool {
	switch t.operator {
	case opEquals:
		_, ok := t.equals[text]
		return ok
	case opPrefix:
		for _, p := range t.texts {
			if strings.HasPrefix(text, p) {
				return true
			}
		}
		return false
	case opContains:
		for _, part := range t.texts {
			if strings.Contains(text, part) {
				return true
			}
		}
		return false
	case opMatches:
		return t.pattern.MatchString(text)
	}
	return true // it exists
}

// sharedText is b as a string that shares its memory. The payload's bytes do not
// change while it is looked at.
func sharedText(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

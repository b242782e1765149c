package schema

import (
	"errors"
	"math/big"
	"slices"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// rule is one schema in the form that is quick to check payloads against. It says
// the same as the compiled schema it is made from.
type rule struct {
	never  bool  // the schema false
	ref    *rule // alone: a reference has no siblings
	object bool  // speaks of objects alone, see isObjectSchema
	kinds  kindSet
	wanted string // kinds, in the words of messages
	listed []any  // enum, const; nil if any value will do
	format *jsonschema.Format

	properties   map[string]*rule
	patterns     []patternRule
	additional   *rule // for members not named; never if there may be none
	required     []string
	names        *rule
	dependencies []dependency
	members      span

	item     *rule
	places   []*rule
	rest     *rule // for elements after places
	contains *rule
	unique   bool
	elements span

	pattern jsonschema.Regexp
	length  span // in characters

	bounds     []bound
	multipleOf *big.Rat

	allOf, anyOf, oneOf []*rule
	not                 *rule
	when, then, without *rule // if, then, else
}

// kindSet is a set of JSON types; empty means any.
type kindSet uint8

const (
	kindNull kindSet = 1 << iota
	kindBoolean
	kindInteger
	kindNumber
	kindString
	kindArray
	kindObject
)

// kindsByName are the kinds by their names in schemas, each with its name in the
// reference's messages.
var kindsByName = map[string]struct {
	kind kindSet
	word string
}{
	"null": {kindNull, "null"}, "boolean": {kindBoolean, "Boolean"}, "integer": {kindInteger, "Integer"},
	"number": {kindNumber, "Number"}, "string": {kindString, "String"}, "array": {kindArray, "JSONArray"},
	"object": {kindObject, "JSONObject"},
}

// draftOfFormat is the first draft in which the reference asserts a format. It
// ignores any other, uuid for one.
var draftOfFormat = map[string]int{
	"date-time": 4, "email": 4, "hostname": 4, "ipv4": 4, "ipv6": 4, "uri": 4,
	"json-pointer": 6, "uri-reference": 6, "uri-template": 6,
	"date": 7, "regex": 7, "relative-json-pointer": 7, "time": 7,
}

type patternRule struct {
	pattern jsonschema.Regexp
	rule    *rule
}

// dependency holds if the payload has the key.
type dependency struct {
	key      string
	required []string
	rule     *rule // may be nil
}

// span bounds a count; an end may be absent.
type span struct{ least, most *int }

func (s span) few(count int) bool  { return s.least != nil && count < *s.least }
func (s span) many(count int) bool { return s.most != nil && count > *s.most }

// bound is one of minimum, maximum and their exclusive forms.
type bound struct {
	wanted  string // what a number within it is
	limit   *big.Rat
	nearest float64
	refuses func(order int) bool // by the order of value and limit: -1, 0, 1
}

// ruleMaker makes each schema's rule once, so that schemas may refer to themselves.
type ruleMaker struct {
	made map[*jsonschema.Schema]*rule
	err  error // the first
}

// newRule makes the rules of a compiled schema of draft 4, 6 or 7.
func newRule(schema *jsonschema.Schema) (*rule, error) {
	m := &ruleMaker{made: map[*jsonschema.Schema]*rule{}}
	made := m.rule(schema)
	if m.err != nil {
		return nil, m.err
	}
	state := map[*rule]bool{}
	for _, r := range m.made {
		if r.circles(state) {
			return nil, errors.New("a schema refers to itself without end")
		}
	}
	return made, nil
}

func (m *ruleMaker) rule(s *jsonschema.Schema) *rule {
	if s == nil {
		return nil
	}
	if made, ok := m.made[s]; ok {
		return made
	}
	r := &rule{}
	m.made[s] = r
	if s.DraftVersion > 7 && m.err == nil {
		m.err = errors.New("drafts later than 7 are not read: write $schema http://json-schema.org/draft-07/schema#")
	}
	if s.Bool != nil {
		r.never = !*s.Bool
		return r
	}
	if s.Ref != nil {
		r.ref = m.rule(s.Ref)
		return r
	}
	m.values(r, s)
	m.objects(r, s)
	m.arrays(r, s)
	r.allOf, r.anyOf, r.oneOf, r.not = m.rules(s.AllOf), m.rules(s.AnyOf), m.rules(s.OneOf), m.rule(s.Not)
	r.when, r.then, r.without = m.rule(s.If), m.rule(s.Then), m.rule(s.Else)
	r.object = isObjectSchema(s)
	return r
}

func (m *ruleMaker) rules(schemas []*jsonschema.Schema) []*rule {
	var made []*rule
	for _, s := range schemas {
		made = append(made, m.rule(s))
	}
	return made
}

func (m *ruleMaker) values(r *rule, s *jsonschema.Schema) {
	if s.Types != nil {
		for i, name := range s.Types.ToStrings() {
			named := kindsByName[name]
			r.kinds |= named.kind
			if i > 0 {
				r.wanted += " or "
			}
			r.wanted += named.word
		}
	}
	if s.Enum != nil {
		r.listed = append([]any{}, s.Enum.Values...)
	}
	if s.Const != nil {
		r.listed = []any{*s.Const}
	}
	if s.Format != nil {
		if since := draftOfFormat[s.Format.Name]; since > 0 && s.DraftVersion >= since {
			r.format = s.Format
		}
	}
	r.pattern = s.Pattern
	r.length = span{s.MinLength, s.MaxLength}
	r.multipleOf = s.MultipleOf
	for _, b := range []bound{
		{"greater or equal to", s.Minimum, 0, func(order int) bool { return order < 0 }},
		{"less or equal to", s.Maximum, 0, func(order int) bool { return order > 0 }},
		{"greater than", s.ExclusiveMinimum, 0, func(order int) bool { return order <= 0 }},
		{"less than", s.ExclusiveMaximum, 0, func(order int) bool { return order >= 0 }},
	} {
		if b.limit != nil {
			b.nearest, _ = b.limit.Float64()
			r.bounds = append(r.bounds, b)
		}
	}
}

func (m *ruleMaker) objects(r *rule, s *jsonschema.Schema) {
	r.required = s.Required
	r.members = span{s.MinProperties, s.MaxProperties}
	r.names = m.rule(s.PropertyNames)
	r.additional = m.additional(s.AdditionalProperties)
	if len(s.Properties) > 0 {
		r.properties = make(map[string]*rule, len(s.Properties))
	}
	for key, member := range s.Properties {
		r.properties[key] = m.rule(member)
	}
	for pattern, member := range s.PatternProperties {
		r.patterns = append(r.patterns, patternRule{pattern, m.rule(member)})
	}
	slices.SortFunc(r.patterns, func(a, b patternRule) int {
		return slices.Compare([]byte(a.pattern.String()), []byte(b.pattern.String()))
	})
	for key, needs := range s.Dependencies {
		d := dependency{key: key}
		switch needs := needs.(type) {
		case []string:
			d.required = needs
		case *jsonschema.Schema:
			d.rule = m.rule(needs)
		}
		r.dependencies = append(r.dependencies, d)
	}
}

func (m *ruleMaker) arrays(r *rule, s *jsonschema.Schema) {
	r.elements = span{s.MinItems, s.MaxItems}
	r.unique = s.UniqueItems
	r.contains = m.rule(s.Contains)
	switch items := s.Items.(type) {
	case *jsonschema.Schema:
		r.item = m.rule(items)
	case []*jsonschema.Schema:
		r.places = m.rules(items)
		r.rest = m.additional(s.AdditionalItems)
	}
}

func (m *ruleMaker) additional(value any) *rule {
	switch value := value.(type) {
	case bool:
		if !value {
			return &rule{never: true}
		}
	case *jsonschema.Schema:
		return m.rule(value)
	}
	return nil
}

// circles says that checking a value against r leads back to r with the same
// value. state holds the rules under way (true) and those found good (false).
func (r *rule) circles(state map[*rule]bool) bool {
	if underWay, seen := state[r]; seen {
		return underWay
	}
	state[r] = true
	next := slices.Concat(r.allOf, r.anyOf, r.oneOf, []*rule{r.ref, r.not, r.when, r.then, r.without})
	for _, d := range r.dependencies {
		next = append(next, d.rule)
	}
	for _, other := range next {
		if other != nil && other.circles(state) {
			return true
		}
	}
	state[r] = false
	return false
}

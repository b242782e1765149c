package schema

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/valyala/fastjson"
)

// check is the first thing wrong with a value, nil if nothing is. It stops there,
// so that a payload that is wrong everywhere costs no more than a right one.
func (r *rule) check(v *fastjson.Value) *violation {
	if r.ref != nil {
		return r.ref.check(v)
	}
	if r.never {
		return wrong("false schema always fails")
	}
	kind := kindOf(v)
	if r.kinds != 0 && r.kinds&kind == 0 {
		return r.wrongKind(v)
	}
	if r.listed != nil && !slices.ContainsFunc(r.listed, func(value any) bool { return equalsLiteral(v, value) }) {
		return wrong("%s is not a valid enum value", show(v))
	}
	var bad *violation
	switch kind {
	case kindObject:
		bad = r.checkObject(v)
	case kindArray:
		bad = r.checkArray(v)
	case kindString:
		bad = r.checkString(v)
	case kindNumber, kindInteger | kindNumber:
		bad = r.checkNumber(v)
	}
	if bad != nil {
		return bad
	}
	return r.checkChoices(v)
}

// kindOf is the type of v; a number written without fraction and exponent is an
// integer too.
func kindOf(v *fastjson.Value) kindSet {
	switch v.Type() {
	case fastjson.TypeObject:
		return kindObject
	case fastjson.TypeArray:
		return kindArray
	case fastjson.TypeString:
		return kindString
	case fastjson.TypeTrue, fastjson.TypeFalse:
		return kindBoolean
	case fastjson.TypeNumber:
		if _, err := v.Int64(); err == nil || !strings.ContainsAny(numberText(v), ".eE") {
			return kindInteger | kindNumber
		}
		return kindNumber
	}
	return kindNull
}

func (r *rule) checkObject(v *fastjson.Value) (bad *violation) {
	object, _ := v.Object()
	switch n := object.Len(); {
	case r.members.few(n):
		return wrong("minimum size: [%d], found: [%d]", *r.members.least, n)
	case r.members.many(n):
		return wrong("maximum size: [%d], found: [%d]", *r.members.most, n)
	}
	for _, key := range r.required {
		if object.Get(key) == nil {
			return wrong("required key [%s] not found", key)
		}
	}
	for _, d := range r.dependencies {
		if object.Get(d.key) == nil {
			continue
		}
		for _, key := range d.required {
			if object.Get(key) == nil {
				return wrong("property [%s] is required", key)
			}
		}
		if d.rule != nil {
			if bad := d.rule.check(v); bad != nil {
				return bad
			}
		}
	}
	if r.properties == nil && r.patterns == nil && r.additional == nil && r.names == nil {
		return nil
	}
	object.Visit(func(key []byte, member *fastjson.Value) {
		if bad == nil {
			bad = r.checkMember(unsafeString(key), member)
		}
	})
	return bad
}

func (r *rule) checkMember(key string, member *fastjson.Value) *violation {
	if r.names != nil {
		if bad := r.names.checkText(key); bad != nil {
			return bad.at(key)
		}
	}
	named, known := r.properties[key]
	if known {
		if bad := named.check(member); bad != nil {
			return bad.at(key)
		}
	}
	for _, p := range r.patterns {
		if !p.pattern.MatchString(key) {
			continue
		}
		known = true
		if bad := p.rule.check(member); bad != nil {
			return bad.at(key)
		}
	}
	if known || r.additional == nil {
		return nil
	}
	if r.additional.never {
		return wrong("extraneous key [%s] is not permitted", key)
	}
	return r.additional.check(member).at(key)
}

// checkText checks the name of a property.
func (r *rule) checkText(s string) *violation {
	var arena fastjson.Arena
	return r.check(arena.NewString(s))
}

func (r *rule) checkArray(v *fastjson.Value) *violation {
	elements, _ := v.Array()
	switch n := len(elements); {
	case r.elements.few(n):
		return wrong("expected minimum item count: %d, found: %d", *r.elements.least, n)
	case r.elements.many(n):
		return wrong("expected maximum item count: %d, found: %d", *r.elements.most, n)
	}
	for i, element := range elements {
		at := r.item
		switch {
		case i < len(r.places):
			at = r.places[i]
		case r.places != nil:
			at = r.rest
		}
		if at == nil {
			continue
		}
		if at.never && at == r.rest {
			return wrong("expected: [%d] array items, found: [%d]", len(r.places), len(elements))
		}
		if bad := at.check(element); bad != nil {
			return bad.at(strconv.Itoa(i))
		}
	}
	if r.unique {
		if hasDuplicates(elements) {
			return wrong("array items are not unique")
		}
	}
	if r.contains != nil && !slices.ContainsFunc(elements, r.contains.accepts) {
		return wrong("expected at least one array item to match 'contains' schema")
	}
	return nil
}

func (r *rule) accepts(v *fastjson.Value) bool { return r.check(v) == nil }

func (r *rule) checkString(v *fastjson.Value) *violation {
	b, _ := v.StringBytes()
	if r.length.least != nil || r.length.most != nil {
		switch n := utf8.RuneCount(b); {
		case r.length.few(n):
			return wrong("expected minLength: %d, actual: %d", *r.length.least, n)
		case r.length.many(n):
			return wrong("expected maxLength: %d, actual: %d", *r.length.most, n)
		}
	}
	s := unsafeString(b)
	if r.pattern != nil && !r.pattern.MatchString(s) {
		return wrong("string [%s] does not match pattern %s", show(v), r.pattern)
	}
	if r.format != nil && r.format.Validate(s) != nil {
		return wrong("[%s] is not a valid %s", show(v), r.format.Name)
	}
	return nil
}

// checkChoices checks the schemas that speak of the same value.
func (r *rule) checkChoices(v *fastjson.Value) *violation {
	for _, other := range r.allOf {
		if bad := other.check(v); bad != nil {
			return bad
		}
	}
	if r.anyOf != nil && !slices.ContainsFunc(r.anyOf, func(other *rule) bool { return other.accepts(v) }) {
		return noneFits("anyOf", r.anyOf, v)
	}
	if r.oneOf != nil {
		fitting := 0
		for _, other := range r.oneOf {
			if other.accepts(v) {
				fitting++
			}
		}
		if fitting == 0 {
			return noneFits("oneOf", r.oneOf, v)
		}
		if fitting > 1 {
			return wrong("%d subschemas matched instead of one", fitting)
		}
	}
	if r.not != nil && r.not.accepts(v) {
		return wrong("subject must not be valid against schema")
	}
	if r.when == nil {
		return nil
	}
	branch := r.without
	if r.when.accepts(v) {
		branch = r.then
	}
	if branch == nil {
		return nil
	}
	return branch.check(v)
}

// noneFits speaks of the choice: a complaint of one alternative would mislead.
func noneFits(keyword string, options []*rule, v *fastjson.Value) *violation {
	if len(options) == 1 {
		return options[0].check(v)
	}
	if keyword == "oneOf" {
		return wrong("0 subschemas matched instead of one")
	}
	return wrong("no subschema matched out of the total %d subschemas", len(options))
}

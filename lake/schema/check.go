package schema

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/valyala/fastjson"
)

// violation is what is wrong with a payload and where.
type violation struct {
	text string
	path []string // keys and places, innermost first
}

// Error is `#/<pointer>: <what is wrong>` in one short line.
func (v *violation) Error() string {
	escape := strings.NewReplacer("~", "~0", "/", "~1")
	var b strings.Builder
	b.WriteByte('#')
	for _, token := range slices.Backward(v.path) {
		b.WriteByte('/')
		b.WriteString(escape.Replace(token))
	}
	return clip(b.String() + ": " + v.text)
}

func wrong(format string, args ...any) *violation {
	return &violation{text: fmt.Sprintf(format, args...)}
}

// at places a violation below a key or place. It passes nil on.
func (v *violation) at(token string) *violation {
	if v != nil {
		v.path = append(v.path, strings.Clone(token))
	}
	return v
}

// check is the first thing wrong with a value, nil if nothing is. It stops there,
// so that a payload that is wrong everywhere costs no more than a right one.
func (r *rule) check(v *fastjson.Value) *violation {
	if r.ref != nil {
		return r.ref.check(v)
	}
	if r.never {
		return wrong("nothing is allowed here")
	}
	kind := kindOf(v)
	if r.kinds != 0 && r.kinds&kind == 0 {
		return wrong("expected type: %s, found: %s", r.wanted, typeName(v))
	}
	if r.listed != nil && !slices.ContainsFunc(r.listed, func(value any) bool { return equalsLiteral(v, value) }) {
		return wrong("%s is not a valid enum value", shortText(v))
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

// typeName names the kind of v as the reference's validator does.
func typeName(v *fastjson.Value) string {
	switch v.Type() {
	case fastjson.TypeObject:
		return typeNames["object"]
	case fastjson.TypeArray:
		return typeNames["array"]
	case fastjson.TypeString:
		return typeNames["string"]
	case fastjson.TypeTrue, fastjson.TypeFalse:
		return typeNames["boolean"]
	case fastjson.TypeNull:
		return typeNames["null"]
	}
	if kindOf(v)&kindInteger == 0 {
		return "BigDecimal"
	}
	return typeNames["integer"]
}

// shortText is the head of a value, or the kind of one that holds others.
func shortText(v *fastjson.Value) string {
	switch v.Type() {
	case fastjson.TypeObject, fastjson.TypeArray:
		return typeName(v)
	case fastjson.TypeString:
		s, _ := v.StringBytes()
		return clip(string(s[:min(len(s), 100)]))
	}
	return numberText(v)
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
	if bad := r.members.check("minimum size: [%[2]d], found: [%[1]d]", "maximum size: [%[2]d], found: [%[1]d]", object.Len()); bad != nil {
		return bad
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
				return wrong("required key [%s] not found, which [%s] needs", key, d.key)
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
			return wrong("property name '%s': %s", key, bad.text)
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
	if bad := r.elements.check("expected minimum item count: %[2]d, found: %[1]d", "expected maximum item count: %[2]d, found: %[1]d", len(elements)); bad != nil {
		return bad
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
			return wrong("expected maximum item count: %d, found: %d", len(r.places), len(elements))
		}
		if bad := at.check(element); bad != nil {
			return bad.at(strconv.Itoa(i))
		}
	}
	if r.unique {
		if i, j, found := duplicates(elements); found {
			return wrong("array items are not unique: %d and %d are equal", i, j)
		}
	}
	if r.contains != nil && !slices.ContainsFunc(elements, r.contains.accepts) {
		return wrong("no item is as it should be")
	}
	return nil
}

func (r *rule) accepts(v *fastjson.Value) bool { return r.check(v) == nil }

func (r *rule) checkString(v *fastjson.Value) *violation {
	b, _ := v.StringBytes()
	if r.length.least != nil || r.length.most != nil {
		if bad := r.length.check("expected minLength: %[2]d, actual: %[1]d", "expected maxLength: %[2]d, actual: %[1]d", utf8.RuneCount(b)); bad != nil {
			return bad
		}
	}
	s := unsafeString(b)
	if r.pattern != nil && !r.pattern.MatchString(s) {
		return wrong("string [%s] does not match pattern %s", clip(s[:min(len(s), 100)]), r.pattern)
	}
	if r.format != nil && r.format.Validate(s) != nil {
		return wrong("[%s] is not a valid %s", clip(s[:min(len(s), 100)]), r.format.Name)
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
		return noneFits(fmt.Sprintf("no subschema matched out of the total %d subschemas", len(r.anyOf)), r.anyOf, v)
	}
	if r.oneOf != nil {
		fitting := 0
		for _, other := range r.oneOf {
			if other.accepts(v) {
				fitting++
			}
		}
		if fitting == 0 {
			return noneFits("0 subschemas matched instead of one", r.oneOf, v)
		}
		if fitting > 1 {
			return wrong("%d subschemas matched instead of one", fitting)
		}
	}
	if r.not != nil && r.not.accepts(v) {
		return wrong("is what it must not be")
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
func noneFits(text string, options []*rule, v *fastjson.Value) *violation {
	if len(options) == 1 {
		return options[0].check(v)
	}
	return &violation{text: text}
}

package schema

import (
	"encoding/json"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/valyala/fastjson"
)

func (r *rule) checkNumber(v *fastjson.Value) *violation {
	if r.bounds == nil && r.multipleOf == nil {
		return nil
	}
	text := numberText(v)
	for _, b := range r.bounds {
		if b.refuses(compareNumber(text, b.limit, b.nearest)) {
			return wrong("%s is not %s %s", show(v), b.wanted, showNumber(b.limit))
		}
	}
	if r.multipleOf != nil {
		number, ok := exact(text)
		if !ok || !number.Quo(number, r.multipleOf).IsInt() {
			return wrong("%s is not a multiple of %s", show(v), showNumber(r.multipleOf))
		}
	}
	return nil
}

// compareNumber orders a number as written and a limit: -1, 0 or 1. The nearest
// floats decide unless they are equal, so that no number is unfolded to more
// digits than the limit has.
func compareNumber(text string, limit *big.Rat, nearest float64) int {
	value, err := strconv.ParseFloat(text, 64)
	if err != nil && !math.IsInf(value, 0) {
		return 1 // no number: out of any upper bound
	}
	switch {
	case value < nearest:
		return -1
	case value > nearest:
		return 1
	}
	number, ok := exact(text)
	if !ok {
		return 0
	}
	return number.Cmp(limit)
}

// exact is the number itself, unless its exponent would make it unreasonably long.
func exact(text string) (*big.Rat, bool) {
	if at := strings.IndexAny(text, "eE"); at >= 0 {
		exponent, err := strconv.Atoi(text[at+1:])
		if err != nil || exponent > 400 || exponent < -400 {
			return nil, false
		}
	}
	return new(big.Rat).SetString(text)
}

func showNumber(r *big.Rat) string {
	f, _ := r.Float64()
	return strconv.FormatFloat(f, 'g', -1, 64)
}

// equalsLiteral compares a payload's value with one written in a schema. Numbers
// are equal by value.
func equalsLiteral(v *fastjson.Value, literal any) bool {
	switch literal := literal.(type) {
	case nil:
		return v.Type() == fastjson.TypeNull
	case bool:
		flag, err := v.Bool()
		return err == nil && flag == literal
	case string:
		s, err := v.StringBytes()
		return err == nil && string(s) == literal
	case json.Number:
		if v.Type() != fastjson.TypeNumber {
			return false
		}
		a, ok := exact(numberText(v))
		b, ok2 := exact(string(literal))
		return ok && ok2 && a.Cmp(b) == 0
	case []any:
		elements, err := v.Array()
		return err == nil && len(elements) == len(literal) && slices.EqualFunc(elements, literal, equalsLiteral)
	case map[string]any:
		object, err := v.Object()
		if err != nil || object.Len() != len(literal) {
			return false
		}
		for key, want := range literal {
			member := object.Get(key)
			if member == nil || !equalsLiteral(member, want) {
				return false
			}
		}
		return true
	}
	return false
}

// hasDuplicates says that two elements are equal.
func hasDuplicates(elements []*fastjson.Value) bool {
	seen := make(map[string]bool, len(elements))
	for _, element := range elements {
		text := string(appendCanonical(nil, element))
		if seen[text] {
			return true
		}
		seen[text] = true
	}
	return false
}

// appendCanonical writes v so that equal values are equal texts.
func appendCanonical(dst []byte, v *fastjson.Value) []byte {
	switch v.Type() {
	case fastjson.TypeNumber:
		number, ok := exact(numberText(v))
		if !ok {
			return v.MarshalTo(dst)
		}
		return append(dst, number.RatString()...)
	case fastjson.TypeArray:
		elements, _ := v.Array()
		dst = append(dst, '[')
		for _, element := range elements {
			dst = append(appendCanonical(dst, element), ',')
		}
		return append(dst, ']')
	case fastjson.TypeObject:
		object, _ := v.Object()
		var members []string
		object.Visit(func(key []byte, member *fastjson.Value) {
			text := append(appendJSONString(nil, unsafeString(key)), ':')
			members = append(members, string(appendCanonical(text, member)))
		})
		slices.Sort(members)
		return append(append(append(dst, '{'), strings.Join(members, ",")...), '}')
	}
	return AppendJSON(dst, v)
}

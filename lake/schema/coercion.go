package schema

import (
	"iter"

	"github.com/valyala/fastjson"
)

// Coercion is what a value became, or did not, to fit its column.
type Coercion uint8

// The coercions that are counted, by the reference's names.
const (
	CoercedToInt        Coercion = iota // a boolean in a BIGINT
	NotCoercedToInt                     // left over: no integer of 64 bits
	CoercedToFloat                      // a boolean in a DOUBLE
	NotCoercedToFloat                   // left over: no number
	NotCoercedToBool                    // left over: no boolean
	InvalidHistogramSum                 // of a use counter: negative, or none; kept as JSON
	InvalidUseCounter                   // of a use counter: its sum is not its only count; kept as JSON
	coercionCount
)

// Coercions are counts by Coercion, of one row.
type Coercions [coercionCount]int32

var coercionNames = [coercionCount]string{
	"coerced_to_int", "not_coerced_to_int", "coerced_to_float", "not_coerced_to_float", "not_coerced_to_bool",
	"invalid_histogram_sum", "invalid_histogram_use_counter",
}

// String is the coercion's name in metrics.
func (c Coercion) String() string { return coercionNames[c] }

// All are the counts that are not 0, by the coercions' names.
func (c *Coercions) All() iter.Seq2[string, int] {
	return func(yield func(string, int) bool) {
		for coercion, n := range c {
			if n != 0 && !yield(Coercion(coercion).String(), int(n)) {
				return
			}
		}
	}
}

// countCoercion counts how v was read, or was not, as a leaf of a kind.
func (b *builder) countCoercion(kind Kind, v *fastjson.Value, ok bool) {
	fromBool := v.Type() == fastjson.TypeTrue || v.Type() == fastjson.TypeFalse
	switch {
	case kind == Int64 && ok && fromBool:
		b.coercions[CoercedToInt]++
	case kind == Int64 && !ok:
		b.coercions[NotCoercedToInt]++
	case kind == Float64 && ok && fromBool:
		b.coercions[CoercedToFloat]++
	case kind == Float64 && !ok:
		b.coercions[NotCoercedToFloat]++
	case kind == Bool && !ok:
		b.coercions[NotCoercedToBool]++
	}
}

// takeCoercions gives the counts of the row, nil if there are none, and begins
// anew.
func (b *builder) takeCoercions() *Coercions {
	if b.coercions == (Coercions{}) {
		return nil
	}
	counts := b.coercions
	b.coercions = Coercions{}
	return &counts
}

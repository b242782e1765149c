package schema

import (
	"fmt"
	"slices"
	"strings"

	"github.com/valyala/fastjson"
)

// violation is what is wrong with a payload and where. Its texts are those of the
// reference's validator (everit-json-schema), so that errors of both can be counted
// together.
type violation struct {
	text string
	path []string // keys and places, innermost first
}

// Error is `#/<pointer>: <what is wrong>` in one short line.
func (v *violation) Error() string {
	const mostPointer = 150 // of the 300, so that long keys leave room for the text
	escape := strings.NewReplacer("~", "~0", "/", "~1")
	pointer := []byte{'#'}
	for _, token := range slices.Backward(v.path) {
		pointer = append(append(pointer, '/'), escape.Replace(token)...)
	}
	if len(pointer) > mostPointer {
		pointer = append(pointer[:mostPointer-3], "..."...)
	}
	return clip(string(pointer) + ": " + v.text)
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

// wrongKind is a value of another type than the schema declares.
func (r *rule) wrongKind(v *fastjson.Value) *violation {
	if r.kinds == kindNull {
		return wrong("expected: null, found: %s", kindWord(v))
	}
	return wrong("expected type: %s, found: %s", r.wanted, kindWord(v))
}

// kindWord is the type of a value in messages. The reference says Long, Double and
// so on of numbers that fit no Integer; here those are Number.
func kindWord(v *fastjson.Value) string {
	switch kindOf(v) {
	case kindObject:
		return "JSONObject"
	case kindArray:
		return "JSONArray"
	case kindString:
		return "String"
	case kindBoolean:
		return "Boolean"
	case kindInteger | kindNumber:
		return "Integer"
	case kindNumber:
		return "Number"
	}
	return "Null"
}

// show is a value in messages: a text or a number clipped, of others the type.
func show(v *fastjson.Value) string {
	const most = 100
	switch v.Type() {
	case fastjson.TypeString:
		b, _ := v.StringBytes()
		return clip(string(b[:min(len(b), most)]))
	case fastjson.TypeObject, fastjson.TypeArray:
		return kindWord(v)
	}
	text := numberText(v)
	return text[:min(len(text), most)]
}

// clip is s as one line of valid text, at most 300 bytes.
func clip(s string) string { return strings.ToValidUTF8(oneLine(s), "") }

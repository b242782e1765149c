package decode

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/valyala/fastjson"
)

// payloadPath leads from a payload to any number of values in it. As text it is
// keys joined by dots: `a.b` is the member b of the member a, `a[]` each element
// of a, `a[5]` its sixth, `a.*` each member of a, `a.b*` each whose key begins
// with b. A key with other characters than letters, digits, - and _ stands in
// double quotes, `a."b.c"*`.
type payloadPath []pathStep

type pathStep struct {
	kind  stepKind
	key   string // or what the keys begin with
	index int
}

type stepKind uint8

const (
	stepMember   stepKind = iota // the member with the key
	stepMembers                  // every member whose key begins with key
	stepElement                  // the element at index
	stepElements                 // every element
)

// pathSegment is a key of a path with the brackets behind it.
var pathSegment = regexp.MustCompile(`^(?:"([^"]+)"|([A-Za-z0-9_-]+))?(\*?)((?:\[[0-9]*\])*)(\.|$)`)

func parsePath(text string) (payloadPath, error) {
	var path payloadPath
	for rest, more := text, true; more; {
		m := pathSegment.FindStringSubmatch(rest)
		if m == nil || m[1]+m[2]+m[3] == "" {
			return nil, fmt.Errorf("%q is no path: a key is expected at %q", text, rest)
		}
		step := pathStep{kind: stepMember, key: m[1] + m[2]}
		if m[3] != "" {
			step.kind = stepMembers
		}
		path = append(path, step)
		brackets, err := parseBrackets(m[4])
		if err != nil {
			return nil, fmt.Errorf("%q is no path: %w", text, err)
		}
		path = append(path, brackets...)
		rest, more = rest[len(m[0]):], m[5] != ""
	}
	return path, nil
}

// parseBrackets reads what follows a key: `[]`, `[5]` or several of them.
func parseBrackets(text string) ([]pathStep, error) {
	var steps []pathStep
	for _, inside := range strings.FieldsFunc(strings.ReplaceAll(text, "[]", "[*]"), func(r rune) bool { return r == '[' || r == ']' }) {
		if inside == "*" {
			steps = append(steps, pathStep{kind: stepElements})
			continue
		}
		index, err := strconv.Atoi(inside)
		if err != nil {
			return nil, fmt.Errorf("index %s is too large", inside)
		}
		steps = append(steps, pathStep{kind: stepElement, index: index})
	}
	return steps, nil
}

// parseMemberPath reads a path that ends with a plain key: the path of the objects
// that can have the member, and its key.
func parseMemberPath(text string) (parents payloadPath, key string, err error) {
	path, err := parsePath(text)
	if err != nil {
		return nil, "", err
	}
	last := path[len(path)-1]
	if last.kind != stepMember {
		return nil, "", errors.New("the path must end with a key, no * and no brackets")
	}
	return path[:len(path)-1], last.key, nil
}

// visit calls f for each value that the path leads to. f may change the value, not
// what it is a member of.
func (p payloadPath) visit(v *fastjson.Value, f func(*fastjson.Value)) {
	if len(p) == 0 {
		f(v)
		return
	}
	step, rest := p[0], p[1:]
	switch v.Type() {
	case fastjson.TypeObject:
		object, _ := v.Object()
		switch step.kind {
		case stepMember:
			if member := object.Get(step.key); member != nil {
				rest.visit(member, f)
			}
		case stepMembers:
			object.Visit(func(key []byte, member *fastjson.Value) {
				if strings.HasPrefix(sharedText(key), step.key) {
					rest.visit(member, f)
				}
			})
		}
	case fastjson.TypeArray:
		elements, _ := v.Array()
		switch step.kind {
		case stepElement:
			if step.index < len(elements) {
				rest.visit(elements[step.index], f)
			}
		case stepElements:
			for _, element := range elements {
				rest.visit(element, f)
			}
		}
	}
}

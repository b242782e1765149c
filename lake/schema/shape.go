package schema

import (
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// shapeKind is what values a schema describes, as far as columns care.
type shapeKind uint8

const (
	unresolved shapeKind = iota // no column
	nothing                     // null alone
	boolean
	integer
	number
	text
	instant // string with format date-time
	binary  // string with format bytes
	record  // object with known members
	mapping // object with free keys
	array
	tuple // array with a kind for each place
)

// shape is one schema, resolved.
type shape struct {
	kind    shapeKind
	members map[string]*shape // record, by the payload's key
	item    *shape            // mapping: the value; array: the element
	items   []*shape          // tuple
	about   string            // description
}

// Bounds on what one schema may unfold to. References can make a short file mean
// any number of columns; Parquet counts levels in a byte.
const (
	maxShapes = 50_000
	maxDepth  = 40
	maxTuple  = 100
)

// shaper reads the shapes of one schema document.
type shaper struct {
	root     any
	jsonPath *regexp.Regexp // paths whose unresolved content is kept as JSON text, may be nil
	open     map[string]bool
	count    int
}

// shape resolves a schema at a dotted path of the payload.
func (s *shaper) shape(schema any, path []string) (*shape, error) {
	if s.count++; s.count > maxShapes {
		return nil, fmt.Errorf("reading columns: more than %d nested schemas", maxShapes)
	}
	object, ok := schema.(map[string]any)
	if !ok || len(path) > maxDepth {
		return &shape{}, nil
	}
	found, err := s.resolve(object, path)
	if err != nil {
		return nil, err
	}
	if found.kind == unresolved && s.jsonPath != nil && s.jsonPath.MatchString(strings.Join(path, ".")) {
		found = &shape{kind: text, about: found.about}
	}
	if about, ok := object["description"].(string); ok {
		copied := *found
		copied.about = oneLine(about)
		found = &copied
	}
	return found, nil
}

func (s *shaper) resolve(schema map[string]any, path []string) (*shape, error) {
	if ref, ok := schema["$ref"].(string); ok {
		return s.reference(ref, path)
	}
	switch names := schema["type"].(type) {
	case string:
		return s.typed(schema, names, path)
	case []any:
		return s.anyType(schema, names, path)
	}
	for _, keyword := range []string{"oneOf", "anyOf"} {
		if options, ok := schema[keyword].([]any); ok && schema["properties"] == nil {
			return s.anyOf(options, path)
		}
	}
	switch {
	case schema["allOf"] != nil:
		return &shape{}, nil
	case schema["properties"] != nil, schema["additionalProperties"] != nil, schema["patternProperties"] != nil:
		return s.object(schema, path)
	case schema["items"] != nil:
		return s.array(schema, path)
	}
	return enumShape(schema), nil
}

func (s *shaper) typed(schema map[string]any, name string, path []string) (*shape, error) {
	switch name {
	case "null":
		return &shape{kind: nothing}, nil
	case "boolean":
		return &shape{kind: boolean}, nil
	case "integer":
		return &shape{kind: integer}, nil
	case "number":
		return &shape{kind: number}, nil
	case "string":
		switch schema["format"] {
		case "date-time":
			return &shape{kind: instant}, nil
		case "bytes":
			return &shape{kind: binary}, nil
		}
		return &shape{kind: text}, nil
	case "object":
		return s.object(schema, path)
	case "array":
		return s.array(schema, path)
	}
	return &shape{}, nil
}

func (s *shaper) anyType(schema map[string]any, names []any, path []string) (*shape, error) {
	options := make([]*shape, 0, len(names))
	for _, name := range names {
		text, ok := name.(string)
		if !ok {
			return &shape{}, nil
		}
		option, err := s.typed(schema, text, path)
		if err != nil {
			return nil, err
		}
		options = append(options, option)
	}
	return union(options), nil
}

func (s *shaper) anyOf(schemas []any, path []string) (*shape, error) {
	options := make([]*shape, 0, len(schemas))
	for _, schema := range schemas {
		option, err := s.shape(schema, path)
		if err != nil {
			return nil, err
		}
		options = append(options, option)
	}
	return union(options), nil
}

func (s *shaper) object(schema map[string]any, path []string) (*shape, error) {
	if properties, ok := schema["properties"].(map[string]any); ok && len(properties) > 0 {
		members := make(map[string]*shape, len(properties))
		for _, key := range slices.Sorted(maps.Keys(properties)) {
			member, err := s.shape(properties[key], append(path, key))
			if err != nil {
				return nil, err
			}
			members[key] = member
		}
		return &shape{kind: record, members: members}, nil
	}
	var values []any
	if extra, ok := schema["additionalProperties"].(map[string]any); ok {
		values = append(values, extra)
	}
	if patterns, ok := schema["patternProperties"].(map[string]any); ok {
		for _, pattern := range slices.Sorted(maps.Keys(patterns)) {
			values = append(values, patterns[pattern])
		}
	}
	if len(values) == 0 {
		return &shape{}, nil
	}
	value, err := s.anyOf(values, append(path, "*"))
	if err != nil || !value.hasColumn() {
		return &shape{}, err
	}
	return &shape{kind: mapping, item: value}, nil
}

func (s *shaper) array(schema map[string]any, path []string) (*shape, error) {
	switch items := schema["items"].(type) {
	case map[string]any:
		item, err := s.shape(items, append(path, "*"))
		if err != nil || !item.hasColumn() {
			return &shape{}, err
		}
		return &shape{kind: array, item: item}, nil
	case []any:
		return s.tuple(schema, items, path)
	}
	return &shape{}, nil
}

// tuple needs a bounded length: additionalItems false, or a kind for the rest and
// maxItems, up to which the places are filled.
func (s *shaper) tuple(schema map[string]any, items []any, path []string) (*shape, error) {
	switch rest := schema["additionalItems"].(type) {
	case bool:
		if rest {
			return &shape{}, nil
		}
	case map[string]any:
		most, err := strconv.Atoi(fmt.Sprint(schema["maxItems"]))
		if err != nil || most < len(items) || most > maxTuple {
			return &shape{}, nil
		}
		items = slices.Clone(items)
		for len(items) < most {
			items = append(items, rest)
		}
	default:
		return &shape{}, nil
	}
	if len(items) > maxTuple {
		return &shape{}, nil
	}
	made := &shape{kind: tuple}
	for i, item := range items {
		place, err := s.shape(item, append(path, strconv.Itoa(i)))
		if err != nil {
			return nil, err
		}
		made.items = append(made.items, place)
	}
	return made, nil
}

// reference follows a pointer within the document. One that leads back to itself,
// to another document or nowhere has no columns.
func (s *shaper) reference(ref string, path []string) (*shape, error) {
	target, ok := lookupPointer(s.root, ref)
	if !ok || s.open[ref] {
		return &shape{}, nil
	}
	s.open[ref] = true
	defer delete(s.open, ref)
	return s.shape(target, path)
}

func lookupPointer(root any, ref string) (any, bool) {
	pointer, ok := strings.CutPrefix(ref, "#")
	if !ok {
		return nil, false
	}
	pointer, err := url.PathUnescape(pointer)
	if err != nil || pointer != "" && pointer[0] != '/' {
		return nil, false
	}
	at := root
	for _, token := range strings.Split(pointer, "/")[1:] {
		token = strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
		switch in := at.(type) {
		case map[string]any:
			if at, ok = in[token]; !ok {
				return nil, false
			}
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(in) {
				return nil, false
			}
			at = in[i]
		default:
			return nil, false
		}
	}
	return at, true
}

// enumShape is the kind of a schema that only lists its values, if they are texts
// or booleans.
func enumShape(schema map[string]any) *shape {
	values, _ := schema["enum"].([]any)
	if value, ok := schema["const"]; ok {
		values = []any{value}
	}
	options := make([]*shape, 0, len(values))
	for _, value := range values {
		switch value.(type) {
		case nil:
			options = append(options, &shape{kind: nothing})
		case string:
			options = append(options, &shape{kind: text})
		case bool:
			options = append(options, &shape{kind: boolean})
		default:
			return &shape{}
		}
	}
	return union(options)
}

// oneLine is a description fit for a catalog.
func oneLine(s string) string {
	const most = 300
	s = strings.Join(strings.Fields(s), " ")
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most-3], "") + "..."
}

package decode

import (
	"fmt"
	"strings"
)

// Template is a text with places for attributes: ${name}, or ${name:-default} for
// one that may be missing. submission_date and submission_hour are those of
// submission_timestamp, unless there are attributes of these names. What an
// attribute holds is text, and never a template itself.
type Template struct {
	text  string
	parts []templatePart
}

// templatePart is fixed text and the place behind it.
type templatePart struct {
	fixed      string
	name       string // "" for none
	fallback   string
	isOptional bool
}

// ParseTemplate reads a template. The error names the place that is not closed or
// has no name.
func ParseTemplate(text string) (*Template, error) {
	t := &Template{text: text}
	for rest := text; rest != ""; {
		fixed, behind, found := strings.Cut(rest, "${")
		if !found {
			t.parts = append(t.parts, templatePart{fixed: fixed})
			break
		}
		place, after, closed := strings.Cut(behind, "}")
		if !closed {
			return nil, fmt.Errorf("template %q: ${%s is not closed", text, behind)
		}
		name, fallback, isOptional := strings.Cut(place, ":-")
		if name == "" {
			return nil, fmt.Errorf("template %q: ${%s} names no attribute", text, place)
		}
		t.parts = append(t.parts, templatePart{fixed: fixed, name: name, fallback: fallback, isOptional: isOptional})
		if strings.Contains(fallback, "$") {
			return nil, fmt.Errorf("template %q: the default of ${%s} has a $", text, name)
		}
		rest = after
	}
	return t, nil
}

// Expand puts the attributes in their places, each passed through clean. The error
// names one that is missing and has no default.
func (t *Template) Expand(attributes map[string]string, clean func(string) string) (string, error) {
	var b strings.Builder
	for _, part := range t.parts {
		b.WriteString(part.fixed)
		if part.name == "" {
			continue
		}
		value, ok := templateValue(attributes, part.name)
		switch {
		case ok:
			b.WriteString(clean(value))
		case part.isOptional:
			b.WriteString(part.fallback)
		default:
			return "", fmt.Errorf("template %q: the ping has no %s and there is no default", t.text, part.name)
		}
	}
	if strings.Contains(b.String(), "$") {
		return "", fmt.Errorf("template %q: an attribute holds a $: %s", t.text, b.String())
	}
	return b.String(), nil
}

// templateValue is an attribute, or a part of the time cut out of its text.
func templateValue(attributes map[string]string, name string) (string, bool) {
	if value, ok := attributes[name]; ok {
		return value, true
	}
	from, to := 0, 0
	switch name {
	case "submission_date":
		from, to = 0, len("2006-01-02")
	case "submission_hour":
		from, to = len("2006-01-02T"), len("2006-01-02T15")
	}
	stamp := attributes["submission_timestamp"]
	if to == 0 || len(stamp) < to {
		return "", false
	}
	return stamp[from:to], true
}

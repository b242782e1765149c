package conf

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Routes are the route table of the edge, searched in order.
type Routes []Route

// Route says which requests are kept.
type Route struct {
	// Pattern is a path; its last part may be <suffix:path>: one character or more.
	Pattern string
	// Topic is the kind of the submissions. It is for the reader of the table: what a
	// submission is, and which table it lands in, its path tells.
	Topic string
	// Methods are in upper case.
	Methods []string
}

const suffixPart = "<suffix:path>"

var (
	// knownTopics are the last parts of the reference's topics, and our word for its
	// ingestion.
	knownTopics = []string{"ingestion", "structured", "stub_installer", "telemetry", "tls_error_reports"}

	defaultMethods = []string{http.MethodPost, http.MethodPut}

	// OPTIONS is not among them: the edge answers preflights itself.
	knownMethods = []string{http.MethodDelete, http.MethodGet, http.MethodHead, http.MethodPatch, http.MethodPost, http.MethodPut}
)

// ParseRoutes reads a route table in the reference's form: a JSON list of
// [pattern, topic, methods], where the methods are a list in any case and may be
// left out: POST and PUT. A topic may be written with its project; its last part
// counts. The error names every fault.
func ParseRoutes(text string) (Routes, error) {
	var lines []json.RawMessage
	if err := json.Unmarshal([]byte(text), &lines); err != nil {
		return nil, fmt.Errorf("want a JSON list of [pattern, topic, methods]: %w", err)
	}
	if len(lines) == 0 {
		return nil, errors.New("want at least one route")
	}
	var routes Routes
	var faults []string
	for i, line := range lines {
		r, err := parseRoute(line)
		if err != nil {
			faults = append(faults, fmt.Sprintf("route %d: %v", i+1, err))
		}
		routes = append(routes, r)
	}
	if len(faults) > 0 {
		return nil, errors.New(strings.Join(faults, "; "))
	}
	return routes, nil
}

func parseRoute(line json.RawMessage) (Route, error) {
	var parts []json.RawMessage
	if json.Unmarshal(line, &parts) != nil || len(parts) < 2 || len(parts) > 3 {
		return Route{}, fmt.Errorf("%s: want [pattern, topic, methods]", line)
	}
	r := Route{Methods: defaultMethods}
	var faults []string
	if json.Unmarshal(parts[0], &r.Pattern) != nil || !isPattern(r.Pattern) {
		faults = append(faults, fmt.Sprintf("pattern %s: want a path such as /submit/%s", parts[0], suffixPart))
	}
	if json.Unmarshal(parts[1], &r.Topic) != nil || !slices.Contains(knownTopics, r.Topic[strings.LastIndexByte(r.Topic, '/')+1:]) {
		faults = append(faults, fmt.Sprintf("topic %s: want one of %s", parts[1], strings.Join(knownTopics, ", ")))
	}
	if len(parts) == 3 {
		var ok bool
		if r.Methods, ok = parseMethods(parts[2]); !ok {
			faults = append(faults, fmt.Sprintf("methods %s: want a list of %s", parts[2], strings.Join(knownMethods, ", ")))
		}
	}
	if len(faults) > 0 {
		return Route{}, errors.New(strings.Join(faults, ", "))
	}
	return r, nil
}

// isPattern says whether s is a path from the root that a request can have, with
// <suffix:path> as nothing but a whole last part.
func isPattern(s string) bool {
	path, suffix := strings.CutSuffix(s, suffixPart)
	if suffix && !strings.HasSuffix(path, "/") {
		return false
	}
	return strings.HasPrefix(path, "/") && !strings.ContainsFunc(path, func(c rune) bool {
		return c <= ' ' || c >= 0x7f || strings.ContainsRune(`<>?#`, c)
	})
}

func parseMethods(text json.RawMessage) (methods []string, ok bool) {
	if json.Unmarshal(text, &methods) != nil || len(methods) == 0 {
		return nil, false
	}
	for i, m := range methods {
		methods[i] = strings.ToUpper(m)
		if !slices.Contains(knownMethods, methods[i]) {
			return nil, false
		}
	}
	return methods, true
}

// String is the table as ParseRoutes reads it, methods left out where they may be.
func (r Routes) String() string {
	var lines []string
	for _, route := range r {
		parts := []any{route.Pattern, route.Topic, route.Methods}
		if slices.Equal(route.Methods, defaultMethods) {
			parts = parts[:2]
		}
		var line strings.Builder
		text := json.NewEncoder(&line)
		text.SetEscapeHTML(false)
		_ = text.Encode(parts) // texts and lists of texts can not fail
		lines = append(lines, strings.TrimSpace(line.String()))
	}
	return "[" + strings.Join(lines, ",") + "]"
}

// UnmarshalText is ParseRoutes.
func (r *Routes) UnmarshalText(text []byte) (err error) {
	*r, err = ParseRoutes(string(text))
	return err
}

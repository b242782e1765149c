package edge

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Route is a line of the route table: requests that are kept.
type Route struct {
	// Pattern is a path as it is sent. As its last part it may have <suffix:path>,
	// which stands for one character or more, slashes included.
	Pattern string
	// Methods are in upper case.
	Methods []string
}

// suffixPart ends the patterns that take everything below a path.
const suffixPart = "<suffix:path>"

// routeTable is searched in order: the first route that has the request's path
// and method takes it.
type routeTable []route

type route struct {
	path    string // exact, or what comes before the suffix
	suffix  bool
	methods []string
	open    bool // takes what pages of any origin may send
}

func newRouteTable(routes []Route) (routeTable, error) {
	if len(routes) == 0 {
		return nil, errors.New("no routes")
	}
	var table routeTable
	for _, r := range routes {
		if !strings.HasPrefix(r.Pattern, "/") || len(r.Methods) == 0 {
			return nil, fmt.Errorf("route %q of %v: want a path from the root, and methods", r.Pattern, r.Methods)
		}
		path, suffix := strings.CutSuffix(r.Pattern, suffixPart)
		table = append(table, route{
			path: path, suffix: suffix, methods: r.Methods,
			open: slices.Contains(r.Methods, http.MethodPost) || slices.Contains(r.Methods, http.MethodPut),
		})
	}
	return table, nil
}

func (r *route) hasPath(uri string) bool {
	if r.suffix {
		return len(uri) > len(r.path) && strings.HasPrefix(uri, r.path)
	}
	return uri == r.path
}

// match is what the table says of a request.
type match struct {
	taken bool
	// methods are those the path takes, if this one is not: none if no route has it.
	methods []string
	open    bool // pages of any origin may send to the path
}

// find looks up a path, as it was sent, and a method.
func (t routeTable) find(uri, method string) match {
	var other match
	for i := range t {
		r := &t[i]
		if !r.hasPath(uri) {
			continue
		}
		if slices.Contains(r.methods, method) {
			return match{taken: true, open: r.open}
		}
		other.open = other.open || r.open
		for _, m := range r.methods {
			if !slices.Contains(other.methods, m) {
				other.methods = append(other.methods, m)
			}
		}
	}
	return other
}

// allowed are the methods of a path that does not take the request's, as the
// header Allow lists them.
func (m match) allowed() string {
	methods := m.methods
	if m.open {
		methods = append(methods, http.MethodOptions)
	}
	return strings.Join(methods, ", ")
}

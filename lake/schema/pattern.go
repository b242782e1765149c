package schema

import (
	"regexp"
	"strings"
	"time"

	"github.com/dlclark/regexp2"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// patternTimeout bounds the patterns that need backtracking: a match that takes
// longer counts as none.
const patternTimeout = time.Second

// compilePattern reads a schema's pattern with the reference's meaning: found
// anywhere in the text, and $ also matches before a final newline. Patterns that
// Go's linear-time engine does not know (lookaheads) get a backtracking one.
func compilePattern(pattern string) (jsonschema.Regexp, error) {
	linear, err := regexp.Compile(pattern)
	if err == nil {
		return linearPattern{linear, strings.Contains(pattern, "$")}, nil
	}
	backtracking, err2 := regexp2.Compile(pattern, regexp2.None)
	if err2 != nil {
		return nil, err
	}
	backtracking.MatchTimeout = patternTimeout
	return backtrackingPattern{backtracking}, nil
}

type linearPattern struct {
	*regexp.Regexp
	endsLines bool // holds a $, so that the text is tried without a final newline too
}

func (p linearPattern) MatchString(s string) bool {
	if p.Regexp.MatchString(s) {
		return true
	}
	shorter, ok := strings.CutSuffix(s, "\n")
	return ok && p.endsLines && p.Regexp.MatchString(shorter)
}

type backtrackingPattern struct{ pattern *regexp2.Regexp }

func (p backtrackingPattern) MatchString(s string) bool {
	found, err := p.pattern.MatchString(s)
	return err == nil && found
}

func (p backtrackingPattern) String() string { return p.pattern.String() }

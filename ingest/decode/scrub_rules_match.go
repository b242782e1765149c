package decode

import (
	"maps"
	"regexp"
	"slices"
)

// readConditions reads match and match_payload.
func (t ruleTable) readConditions() scrubConditions {
	var c scrubConditions
	if match, ok := t.table("match"); ok {
		for _, attribute := range slices.Sorted(maps.Keys(match.values)) {
			if !slices.Contains(scrubAttributes, attribute) {
				match.fault("match: there is no attribute %s", attribute)
			}
			for _, test := range match.readTests(attribute) {
				c.attributes = append(c.attributes, attributeCondition{attribute, test})
			}
		}
	}
	if match, ok := t.table("match_payload"); ok {
		for _, text := range slices.Sorted(maps.Keys(match.values)) {
			path, err := parsePath(text)
			if err != nil {
				match.fault("match_payload: %v", err)
			}
			for _, test := range match.readTests(text) {
				c.payload = append(c.payload, payloadCondition{path, test})
			}
		}
	}
	return c
}

// readTests reads what is said of the attribute or path name: a text or a list of
// texts, one of which it is, or a table of operators.
func (t ruleTable) readTests(name string) []textTest {
	operators, isTable := t.values[name].(map[string]any)
	if !isTable {
		return []textTest{{operator: opEquals, equals: t.readEquals(name)}}
	}
	if len(operators) == 0 {
		t.fault("%s: it has no operator", name)
	}
	inner := ruleTable{t.file, t.where + ": " + name, operators}
	var tests []textTest
	for _, operator := range slices.Sorted(maps.Keys(operators)) {
		if test, ok := inner.readTest(operator); ok {
			tests = append(tests, test)
		}
	}
	inner.refuseRest()
	return tests
}

func (t ruleTable) readTest(operator string) (test textTest, known bool) {
	switch operator {
	case "not":
		return textTest{operator: opEquals, negated: true, equals: t.readEquals(operator)}, true
	case "prefix":
		return textTest{operator: opPrefix, texts: t.readParts(operator)}, true
	case "not_prefix":
		return textTest{operator: opPrefix, negated: true, texts: t.readParts(operator)}, true
	case "contains":
		return textTest{operator: opContains, texts: t.readParts(operator)}, true
	case "matches":
		return textTest{operator: opMatches, pattern: t.readPattern(operator)}, true
	case "exists":
		value, isBool := t.take(operator).(bool)
		if !isBool {
			t.fault("exists: true or false is expected")
		}
		return textTest{operator: opExists, negated: !value}, true
	}
	return textTest{}, false
}

func (t ruleTable) readEquals(key string) map[string]struct{} {
	before := len(t.file.faults)
	texts := t.texts(key)
	if len(texts) == 0 && len(t.file.faults) == before {
		t.fault("%s: the list is empty", key)
	}
	return setOf(texts)
}

// readParts reads texts of which each must have a letter: every text begins with
// the empty one.
func (t ruleTable) readParts(key string) []string {
	before := len(t.file.faults)
	texts := t.texts(key)
	if (len(texts) == 0 || slices.Contains(texts, "")) && len(t.file.faults) == before {
		t.fault("%s: a text that is not empty is expected", key)
	}
	return texts
}

// readPattern reads a regular expression of a whole text.
func (t ruleTable) readPattern(key string) *regexp.Regexp {
	text := t.needText(key)
	if text == "" {
		return nil
	}
	if _, err := regexp.Compile(text); err != nil {
		t.fault("%s: %v", key, err)
		return nil
	}
	return regexp.MustCompile(`\A(?:` + text + `)\z`)
}

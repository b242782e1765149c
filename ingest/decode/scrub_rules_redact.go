package decode

import (
	"fmt"
	"regexp"
)

// readRedactions reads one [[rule.redact]]: remove, set_null or rewrite_keys.
func (t ruleTable) readRedactions() []redaction {
	var redactions []redaction
	if text := t.text("remove"); text != "" {
		parents, key, err := parseMemberPath(text)
		if err != nil {
			t.fault("remove: %v", err)
		}
		redactions = append(redactions, removeMember{parents, key})
	}
	if text := t.text("set_null"); text != "" {
		parents, key, err := parseMemberPath(text)
		if err != nil {
			t.fault("set_null: %v", err)
		}
		redactions = append(redactions, nullMember{parents, key})
	}
	if text := t.text("rewrite_keys"); text != "" {
		path, err := parsePath(text)
		if err != nil {
			t.fault("rewrite_keys: %v", err)
		}
		redactions = append(redactions, rewriteKeys{path, t.readForms()})
	}
	if len(redactions) != 1 {
		t.fault("one of remove, set_null and rewrite_keys is expected")
	}
	return redactions
}

func (t ruleTable) readForms() []keyForm {
	var forms []keyForm
	for _, form := range t.tables("form") {
		forms = append(forms, form.readForm())
		form.refuseRest()
	}
	if forms == nil {
		t.fault("rewrite_keys: [[rule.redact.form]] says which keys, and what they become")
	}
	return forms
}

// readForm reads one form of keys.
func (t ruleTable) readForm() keyForm {
	form := keyForm{pattern: t.readPattern("pattern"), replace: []byte(t.needText("replace"))}
	allow, _ := t.table("allow")
	if len(allow.values) != 1 {
		t.fault("allow: one group of the pattern and what it may be is expected")
	}
	for group := range allow.values {
		form.allowed = t.readAllowed(allow, group)
		if form.pattern == nil {
			continue
		}
		if form.group = form.pattern.SubexpIndex(group); form.group < 0 {
			t.fault("allow: the pattern has no group named %s", group)
		}
	}
	if form.pattern != nil {
		if err := checkReplace(string(form.replace), form.pattern); err != nil {
			t.fault("replace: %v", err)
		}
	}
	return form
}

// readAllowed reads what a group may be: the name of a list, or the texts.
func (t ruleTable) readAllowed(allow ruleTable, group string) map[string]struct{} {
	name, isName := allow.values[group].(string)
	if !isName {
		return setOf(allow.texts(group))
	}
	list, ok := t.file.lists[name]
	if !ok {
		t.fault("allow: there is no list %s", name)
	}
	return setOf(list)
}

// replaceMark is a $ of a template with the group behind it.
var replaceMark = regexp.MustCompile(`\$(?:\{(\w+)\})?`)

// checkReplace refuses what regexp.Expand would silently leave out.
func checkReplace(replace string, pattern *regexp.Regexp) error {
	for _, mark := range replaceMark.FindAllStringSubmatch(replace, -1) {
		if mark[1] == "" {
			return fmt.Errorf("%q: a group is written as ${name}", replace)
		}
		if pattern.SubexpIndex(mark[1]) < 0 {
			return fmt.Errorf("%q: the pattern has no group named %s", replace, mark[1])
		}
	}
	return nil
}

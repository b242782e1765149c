package decode

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestIDsAreAllThatAVerdictCanName(t *testing.T) {
	want := strings.Fields(`1162183 1489560 1562011 1567596 1585144 1592010 1602844 1618684 1626020 1631849 1633525 1642386 1656910 1684980
		1697602 1712850 1733118 1751753 1751955 1784911 1817821 2000001 2000002 2010623 2024379 2037560 2039427 DENG-8496 DENG-9045`)
	s := loadScrubber(t, exampleScrubRules)
	if diff := cmp.Diff(want, s.IDs()); diff != "" {
		t.Error(diff)
	}
	s.IDs()[0] = "changed by the caller"
	if s.IDs()[0] != want[0] {
		t.Error("the list is shared")
	}
}

// TestTheDefaultSaysWhatItDrops holds the head of the default rules to the rules:
// what is dropped is lost, so an operator must be told.
func TestTheDefaultSaysWhatItDrops(t *testing.T) {
	head, _, _ := strings.Cut(string(defaultScrubRules), "# How to write rules")
	for _, id := range loadScrubber(t, "").IDs() {
		if !strings.Contains(head, id) {
			t.Errorf("%s is not in the head of the default rules", id)
		}
	}
	dropped, _, _ := strings.Cut(head, "# REFUSED")
	f := ruleFile{lists: map[string][]string{}}
	f.read(defaultScrubRules)
	for _, r := range f.rules {
		if listed := strings.Contains(dropped, r.id) && r.id != ""; listed != (r.kind == scrubDrop) {
			t.Errorf("rule %s of kind %d: listed as dropped: %t", r.id, r.kind, listed)
		}
	}
}

func TestRuleFileFaults(t *testing.T) {
	const (
		drop   = "[[rule]]\nid = '1'\nkind = 'drop'\n"
		redact = "[[rule]]\nid = '1'\nkind = 'redact'\n[[rule.redact]]\n"
		form   = redact + "rewrite_keys = 'a'\n[[rule.redact.form]]\n"
	)
	for _, c := range []struct{ rules, want string }{
		{"x = ", "line 1, column 5: expected value, not eof"},
		{"rules = 1", "unknown key rules"},
		{"include = 'other'", `include "other": only "default" can be included`},
		{"include = 1", "include: a text is expected"},
		{"rule = 1", "rule: tables are expected, each under its name in double brackets"},
		{"[rule]", "rule: tables are expected, each under its name in double brackets"},
		{"[[rule]]\nid = '1'\nmatch.app_name = 'A'", "rule 1 (1): kind is missing"},
		{"[[rule]]\nid = '1'\nkind = 'dorp'\nmatch.app_name = 'A'", `rule 1 (1): kind "dorp": drop, unwanted, bug or redact is expected`},
		{"[[rule]]\nkind = 'drop'\nmatch.app_name = 'A'", "rule 1: one of id, namespaces, namespaces_file and namespace_prefixes is expected"},
		{drop + "namespaces = { a = '2' }", "rule 1 (1): one of id, namespaces, namespaces_file and namespace_prefixes is expected"},
		{"[[rule]]\nid = 1\nkind = 'drop'\nmatch.app_name = 'A'", "rule 1: id: a text is expected"},
		{"[[rule]]\nid = 'a b'\nkind = 'drop'\nmatch.app_name = 'A'", `rule 1 (a b): id "a b": letters, digits, '.', '_' and '-' are expected, at most 64`},
		{"[[rule]]\nkind = 'drop'\nnamespaces = {}", "rule 1: namespaces: it is empty"},
		{"[[rule]]\nkind = 'drop'\nnamespaces = { a = 1 }", `rule 1: namespaces: "a": an id is expected, letters, digits, '.', '_' and '-', at most 64`},
		{"[[rule]]\nkind = 'drop'\nnamespaces = 'a'", "rule 1: namespaces: a table is expected"},
		{"[[rule]]\nkind = 'drop'\nnamespaces_file = 'none.toml'", "rule 1: open testdata/scrub/none.toml: no such file or directory"},
		{"[[rule]]\nkind = 'drop'\nnamespaces_file = 'search_codes.toml'", `rule 1: file search_codes.toml: namespaces_file: "values": an id is expected, letters, digits, '.', '_' and '-', at most 64`},
		{drop, "rule 1 (1): no condition: it would hit every ping"},
		{drop + "any = []", "rule 1 (1): no condition: it would hit every ping"},
		{drop + "[rule.match]", "rule 1 (1): no condition: it would hit every ping"},
		{drop + "match = 'a'\nmatch_payload.a = 'b'", "rule 1 (1): match: a table is expected"},
		{drop + "matchh = 1\nmatch.app_name = 'A'", "rule 1 (1): unknown key matchh"},
		{drop + "match.app_nam = { not = 'A' }", "rule 1 (1): match: there is no attribute app_nam"},
		{drop + "match.app_name = []", "rule 1 (1): app_name: the list is empty"},
		{drop + "match.app_name = 7", "rule 1 (1): app_name: a text or a list of texts is expected"},
		{drop + "match.app_name = ['a', 7]", "rule 1 (1): app_name: a text or a list of texts is expected"},
		{drop + "match.app_name = {}", "rule 1 (1): app_name: it has no operator"},
		{drop + "match.app_name = { begins = 'A' }", "rule 1 (1): app_name: unknown key begins"},
		{drop + "match.app_name = { prefix = '' }", "rule 1 (1): app_name: prefix: a text that is not empty is expected"},
		{drop + "match.app_name = { contains = ['a', ''] }", "rule 1 (1): app_name: contains: a text that is not empty is expected"},
		{drop + "match.app_name = { not_prefix = [] }", "rule 1 (1): app_name: not_prefix: a text that is not empty is expected"},
		{drop + "match.app_name = { not = [] }", "rule 1 (1): app_name: not: the list is empty"},
		{drop + "match.app_name = { exists = 'yes' }", "rule 1 (1): app_name: exists: true or false is expected"},
		{drop + "match.app_name = { matches = '(' }", "rule 1 (1): app_name: matches: error parsing regexp: missing closing ): `(`"},
		{drop + "match.app_name = { matches = 'a)|(b' }", "rule 1 (1): app_name: matches: error parsing regexp: unexpected ): `a)|(b`"},
		{drop + "match.app_name = { matches = 1 }", "rule 1 (1): app_name: matches: a text is expected"},
		{drop + "match_payload.'' = 'x'", `rule 1 (1): match_payload: "" is no path: a key is expected at ""`},
		{drop + "match_payload.'a..b' = 'x'", `rule 1 (1): match_payload: "a..b" is no path: a key is expected at ".b"`},
		{drop + "match_payload.'a.' = 'x'", `rule 1 (1): match_payload: "a." is no path: a key is expected at ""`},
		{drop + "match_payload.'a[x]' = 'x'", `rule 1 (1): match_payload: "a[x]" is no path: a key is expected at "a[x]"`},
		{drop + "match_payload.'[0]' = 'x'", `rule 1 (1): match_payload: "[0]" is no path: a key is expected at "[0]"`},
		{drop + "match_payload.'a*b' = 'x'", `rule 1 (1): match_payload: "a*b" is no path: a key is expected at "a*b"`},
		{drop + "match_payload.'a[99999999999999999999]' = 'x'", `rule 1 (1): match_payload: "a[99999999999999999999]" is no path: index 99999999999999999999 is too large`},
		{drop + "client_id = 'C0FFEEC0-ffee-c0ff-eec0-ffeec0ffeec0'", `rule 1 (1): client_id "C0FFEEC0-ffee-c0ff-eec0-ffeec0ffeec0": a UUID in lower case is expected`},
		{drop + "client_id = 'me'", `rule 1 (1): client_id "me": a UUID in lower case is expected`},
		{drop + "client_id = []", "rule 1 (1): client_id: the list is empty"},
		{drop + "[[rule.any]]", "rule 1 (1): any 1: no condition: it would always hold"},
		{drop + "[[rule.any]]\nmatch.uri = '/'", "rule 1 (1): any 1: uri: it can only stand in the rule's own match"},
		{drop + "[[rule.any]]\nmatch.app_name = 'A'\nid = '2'", "rule 1 (1): any 1: unknown key id"},
		{drop + "match.uri = '/'\nmatch_payload.a = 'b'", "rule 1 (1): uri: a rule on it is judged before the payload is read, and has no redact, match_payload, client_id and any"},
		{drop + "match.app_name = 'A'\n[[rule.redact]]\nremove = 'a'", "rule 1 (1): a rule of kind redact, and no other, has [[rule.redact]]"},
		{"[[rule]]\nid = '1'\nkind = 'redact'", "rule 1 (1): a rule of kind redact, and no other, has [[rule.redact]]"},
		{redact, "rule 1 (1): redact 1: one of remove, set_null and rewrite_keys is expected"},
		{redact + "remove = 'a'\nset_null = 'b'", "rule 1 (1): redact 1: one of remove, set_null and rewrite_keys is expected"},
		{redact + "remove = 'a[]'", "rule 1 (1): redact 1: remove: the path must end with a key, no * and no brackets"},
		{redact + "set_null = 'a.*'", "rule 1 (1): redact 1: set_null: the path must end with a key, no * and no brackets"},
		{redact + "remove = 'a'\nform = []", "rule 1 (1): redact 1: unknown key form"},
		{redact + "rewrite_keys = 'a'", "rule 1 (1): redact 1: rewrite_keys: [[rule.redact.form]] says which keys, and what they become"},
		{form + "pattern = '(?P<a>.)'\nreplace = 'x'", "rule 1 (1): redact 1: form 1: allow: one group of the pattern and what it may be is expected"},
		{form + "pattern = '(?P<a>.)'\nreplace = 'x'\nallow = { b = ['c'] }", "rule 1 (1): redact 1: form 1: allow: the pattern has no group named b"},
		{form + "pattern = '(?P<a>.)'\nreplace = 'x'\nallow = { a = 'c' }", "rule 1 (1): redact 1: form 1: allow: there is no list c"},
		{form + "pattern = '(?P<a>.)'\nallow = { a = ['c'] }", "rule 1 (1): redact 1: form 1: replace is missing"},
		{form + "replace = 'x'\nallow = { a = ['c'] }", "rule 1 (1): redact 1: form 1: pattern is missing"},
		{form + "pattern = '(?P<a>.)'\nreplace = '${b}'\nallow = { a = ['c'] }", `rule 1 (1): redact 1: form 1: replace: "${b}": the pattern has no group named b`},
		{form + "pattern = '(?P<a>.)'\nreplace = '$ax'\nallow = { a = ['c'] }", `rule 1 (1): redact 1: form 1: replace: "$ax": a group is written as ${name}`},
		{"[lists]\na = 1", "a: a text or a list of texts is expected"},
		{"[lists]\na = {}", "list a: either file or labels_of is expected"},
		{"[lists]\na = { file = 'x', labels_of = 'b' }", "list a: either file or labels_of is expected"},
		{"[lists]\na = { labels_of = 'b' }", "list a: there is no list b to make labels of"},
		{"[lists]\na = { file = 'none.toml' }", "list a: open testdata/scrub/none.toml: no such file or directory"},
		{"[lists]\na = { file = 'forks.toml' }", "list a: file forks.toml: values is missing"},
	} {
		_, err := parseScrubRules("rules", "testdata/scrub", []byte(c.rules))
		if err == nil {
			t.Errorf("%s\n: no fault, want %s", c.rules, c.want)
			continue
		}
		faults := strings.Split(strings.TrimPrefix(err.Error(), "rules: "), "\n  ")
		if !slices.Contains(faults, c.want) {
			t.Errorf("%s\n got %s\nwant %s", c.rules, err, c.want)
		}
		if one := !strings.Contains(c.rules, "forks.toml"); one && len(faults) != 1 {
			t.Errorf("%s\n one fault told as\n%s", c.rules, err)
		}
	}
}

func TestAllFaultsAreToldAtOnce(t *testing.T) {
	const rules = `
extra = true
[[rule]]
kind = "dorp"
id = "1"
[[rule]]
id = "2"
kind = "drop"
[rule.match]
app_nam = "A"
app_version = { matches = "(" }
`
	const want = `: 4 faults
  rule 1 (1): kind "dorp": drop, unwanted, bug or redact is expected
  rule 1 (1): no condition: it would hit every ping
  rule 2 (2): match: there is no attribute app_nam
  rule 2 (2): app_version: matches: error parsing regexp: missing closing ): ` + "`(`" + `
  unknown key extra`
	path := filepath.Join(t.TempDir(), "rules.toml")
	if err := os.WriteFile(path, []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := LoadScrubber(path)
	if err == nil {
		t.Fatal("no fault")
	}
	if diff := cmp.Diff("scrub rules "+path+strings.Replace(want, "4", "5", 1), err.Error()); diff != "" {
		t.Error(diff)
	}
	if _, err := LoadScrubber(path + ".none"); err == nil || !strings.HasPrefix(err.Error(), "read scrub rules: open ") {
		t.Errorf("a missing file: %v", err)
	}
}

package decode

import (
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// scrub_default.toml says in its head how a rule file is written.
//
//go:embed scrub_default.toml
var defaultScrubRules []byte

// LoadScrubber reads the rule file at path. "" is the rules that come with
// pinglake, "none" no rules. The error names every fault of the file, a line each.
func LoadScrubber(path string) (*Scrubber, error) {
	switch path {
	case "none":
		return newScrubber(nil), nil
	case "":
		return parseScrubRules("the embedded scrub rules", "", defaultScrubRules)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read scrub rules: %w", err)
	}
	return parseScrubRules("scrub rules "+path, filepath.Dir(path), text)
}

// parseScrubRules reads the text of a rule file. Files that it names are looked for
// in folder.
func parseScrubRules(name, folder string, text []byte) (*Scrubber, error) {
	f := ruleFile{folder: folder, lists: map[string][]string{}}
	f.read(text)
	switch len(f.faults) {
	case 0:
		return newScrubber(f.rules), nil
	case 1:
		return nil, fmt.Errorf("%s: %s", name, f.faults[0])
	}
	return nil, fmt.Errorf("%s: %d faults\n  %s", name, len(f.faults), strings.Join(f.faults, "\n  "))
}

// ruleFile is a rule file while it is read.
type ruleFile struct {
	folder string
	lists  map[string][]string
	rules  []*scrubRule
	faults []string // a line each
}

func (f *ruleFile) read(text []byte) {
	top := ruleTable{file: f}
	if err := toml.Unmarshal(text, &top.values); err != nil {
		top.fault("%s", tomlFault(err))
		return
	}
	if include := top.text("include"); include == "default" {
		defaults := ruleFile{lists: map[string][]string{}}
		defaults.read(defaultScrubRules)
		f.rules, f.faults = defaults.rules, defaults.faults
	} else if include != "" {
		top.fault("include %q: only \"default\" can be included", include)
	}
	if lists, ok := top.table("lists"); ok {
		f.readLists(lists)
	}
	for i, rule := range top.tables("rule") {
		rule.where = fmt.Sprintf("rule %d", i+1)
		if id, ok := rule.values["id"].(string); ok {
			rule.where += " (" + id + ")"
		}
		f.rules = append(f.rules, rule.readRule())
	}
	top.refuseRest()
}

// readLists reads the lists that rules can name: inline, from a file, or made of
// another list.
func (f *ruleFile) readLists(lists ruleTable) {
	derived := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(lists.values)) {
		value := lists.take(name)
		of, isTable := value.(map[string]any)
		if !isTable {
			f.lists[name] = lists.asTexts(name, value)
			continue
		}
		from := ruleTable{file: f, where: "list " + name, values: of}
		file, labelsOf := from.text("file"), from.text("labels_of")
		switch {
		case (file == "") == (labelsOf == ""):
			from.fault("either file or labels_of is expected")
		case labelsOf != "":
			derived[name] = labelsOf
		default:
			f.lists[name] = f.readListFile(from, file)
		}
		from.refuseRest()
	}
	labels := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(derived)) {
		codes, ok := f.lists[derived[name]]
		if !ok {
			lists.fault("list %s: there is no list %s to make labels of", name, derived[name])
		}
		for _, code := range codes {
			labels[name] = append(labels[name], labelOf(code))
		}
	}
	for name := range derived {
		f.lists[name] = labels[name]
	}
}

// labelOf is a search code as clients write it into a label: lower case, and not
// beginning with a digit.
func labelOf(code string) string {
	code = strings.ToLower(code)
	if code != "" && '0' <= code[0] && code[0] <= '9' {
		return "_" + code
	}
	return code
}

func (f *ruleFile) readListFile(from ruleTable, name string) []string {
	file, ok := from.readFile(name)
	if !ok {
		return nil
	}
	if _, ok := file.values["values"]; !ok {
		file.fault("values is missing")
	}
	values := file.texts("values")
	file.refuseRest()
	return values
}

// ruleTable is a table of a rule file. What is read is taken out of it, so that
// the rest is unknown.
type ruleTable struct {
	file   *ruleFile
	where  string // for faults; "" at the top of the file
	values map[string]any
}

func (t ruleTable) fault(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if t.where != "" {
		text = t.where + ": " + text
	}
	t.file.faults = append(t.file.faults, text)
}

// refuseRest tells of keys that nothing has read.
func (t ruleTable) refuseRest() {
	for _, key := range slices.Sorted(maps.Keys(t.values)) {
		t.fault("unknown key %s", key)
	}
}

func (t ruleTable) take(key string) any {
	value := t.values[key]
	delete(t.values, key)
	return value
}

// text is the text at key, "" if there is none.
func (t ruleTable) text(key string) string {
	value := t.take(key)
	text, _ := value.(string)
	if value != nil && text == "" {
		t.fault("%s: a text is expected", key)
	}
	return text
}

// needText is the text at key, which must be there.
func (t ruleTable) needText(key string) string {
	if _, ok := t.values[key]; !ok {
		t.fault("%s is missing", key)
	}
	return t.text(key)
}

// texts is the text or the list of texts at key, nil if there is none.
func (t ruleTable) texts(key string) []string {
	if _, ok := t.values[key]; !ok {
		return nil
	}
	return t.asTexts(key, t.take(key))
}

// asTexts is value, which stands at key, as a list of texts.
func (t ruleTable) asTexts(key string, value any) []string {
	if text, ok := value.(string); ok {
		return []string{text}
	}
	list, ok := value.([]any)
	texts := make([]string, 0, len(list))
	for _, element := range list {
		text, isText := element.(string)
		ok = ok && isText
		texts = append(texts, text)
	}
	if !ok {
		t.fault("%s: a text or a list of texts is expected", key)
		return nil
	}
	return texts
}

// table is the table at key, ok is false if there is none.
func (t ruleTable) table(key string) (inner ruleTable, ok bool) {
	value := t.take(key)
	values, ok := value.(map[string]any)
	if value != nil && !ok {
		t.fault("%s: a table is expected", key)
	}
	return ruleTable{t.file, t.where, values}, ok
}

// tables are the tables of the array at key.
func (t ruleTable) tables(key string) []ruleTable {
	value := t.take(key)
	if value == nil {
		return nil
	}
	array, ok := value.([]any)
	var inner []ruleTable
	for i, element := range array {
		values, isTable := element.(map[string]any)
		ok = ok && isTable
		inner = append(inner, ruleTable{t.file, fmt.Sprintf("%s: %s %d", t.where, key, i+1), values})
	}
	if !ok {
		t.fault("%s: tables are expected, each under its name in double brackets", key)
		return nil
	}
	return inner
}

// readFile reads a file of lists that t names.
func (t ruleTable) readFile(name string) (file ruleTable, ok bool) {
	path := name
	if !filepath.IsAbs(path) {
		path = filepath.Join(t.file.folder, name)
	}
	file = ruleTable{file: t.file, where: t.where + ": file " + name}
	text, err := os.ReadFile(path)
	if err != nil {
		t.fault("%v", err)
		return file, false
	}
	if err := toml.Unmarshal(text, &file.values); err != nil {
		file.fault("%s", tomlFault(err))
		return file, false
	}
	return file, true
}

// tomlFault says in one line what is wrong with a file's text, and where.
func tomlFault(err error) string {
	var decode *toml.DecodeError
	if !errors.As(err, &decode) {
		return err.Error()
	}
	line, column := decode.Position()
	return fmt.Sprintf("line %d, column %d: %s", line, column, strings.TrimPrefix(decode.Error(), "toml: "))
}

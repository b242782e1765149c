package schema

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// maxColumns bounds the leaves of one table.
const maxColumns = 10_000

// payloadColumns are the columns that a schema gives its payload, sorted by name.
// Names of system columns are left out: the pipeline sets those.
func payloadColumns(schema any, jsonPath *regexp.Regexp) ([]*Column, error) {
	reader := &shaper{root: schema, jsonPath: jsonPath, open: map[string]bool{}}
	root, err := reader.shape(schema, nil)
	if err != nil {
		return nil, err
	}
	if root.kind != record {
		return nil, nil
	}
	columns := slices.DeleteFunc(memberColumns(root.members), func(c *Column) bool { return isSystemColumn(c.Name) })
	if leaves := len(NewTable("", "", columns).Leaves()); leaves > maxColumns {
		return nil, fmt.Errorf("reading columns: %d columns, the most is %d", leaves, maxColumns)
	}
	return columns, nil
}

// memberColumns are the columns of a record's members. Of several keys with one
// column the one with the column's own name, else the first, says its kind.
func memberColumns(members map[string]*shape) []*Column {
	byName := make(map[string]*Column, len(members))
	for _, key := range slices.Sorted(maps.Keys(members)) {
		name := ColumnName(key)
		if name == "" || !members[key].hasColumn() {
			continue
		}
		if _, taken := byName[name]; taken && key != name {
			continue
		}
		byName[name] = columnOf(name, key, members[key])
	}
	columns := make([]*Column, 0, len(byName))
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		columns = append(columns, byName[name])
	}
	return columns
}

func columnOf(name, source string, s *shape) *Column {
	c := &Column{Name: name, Source: source, Description: s.about}
	switch s.kind {
	case boolean:
		c.Kind = Bool
	case integer:
		c.Kind = Int64
	case number:
		c.Kind = Float64
	case text:
		c.Kind = String
	case instant:
		c.Kind = Timestamp
	case binary:
		c.Kind = Bytes
	case record:
		c.Kind = Struct
		c.Fields = memberColumns(s.members)
	case mapping:
		c.Kind = Map
		c.Fields = []*Column{{Name: "key", Kind: String}, columnOf("value", "", s.item)}
	case array:
		c.Kind = List
		c.Fields = []*Column{columnOf("element", "", s.item)}
	case tuple:
		c.Kind = Struct
		for i, item := range s.items {
			if item.hasColumn() {
				c.Fields = append(c.Fields, columnOf(tupleName(i), "", item))
			}
		}
	}
	return c
}

// tupleName is the column of a place in a tuple.
func tupleName(i int) string { return "f" + strconv.Itoa(i) + "_" }

// renamedMetrics are the Glean metric types whose column carries a 2: the
// reference first stored them under their own name with another meaning.
var renamedMetrics = []string{"url", "text", "jwe", "labeled_rate"}

// renameMetrics gives the Glean schema's columns the reference's names:
// metrics.url2 for metrics.url.
func renameMetrics(columns []*Column) {
	at := slices.IndexFunc(columns, func(c *Column) bool { return c.Name == "metrics" })
	if at < 0 {
		return
	}
	metrics := columns[at].Fields
	for _, c := range metrics {
		taken := slices.ContainsFunc(metrics, func(other *Column) bool { return other.Name == c.Name+"2" })
		if slices.Contains(renamedMetrics, c.Name) && !taken {
			c.Name += "2"
		}
	}
	slices.SortFunc(metrics, func(a, b *Column) int { return strings.Compare(a.Name, b.Name) })
}

package schema

import (
	"fmt"
	"slices"
)

var kindNames = [...]string{
	Bool: "BOOLEAN", Int64: "BIGINT", Float64: "DOUBLE", String: "VARCHAR", Bytes: "BLOB",
	Timestamp: "TIMESTAMP", Date: "DATE", Struct: "STRUCT", List: "LIST", Map: "MAP",
}

// String is the kind in SQL.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// mergeColumns are the columns of a table whose schema was altered from old to
// next. A column that is gone stays (it has been written), behind the others of
// its level. A column of another type is an error.
func mergeColumns(old, next []*Column) ([]*Column, error) {
	return mergeLevel("", old, next)
}

func mergeLevel(path string, old, next []*Column) ([]*Column, error) {
	merged := make([]*Column, 0, len(next))
	for _, c := range next {
		before := columnNamed(old, c.Name)
		if before == nil {
			merged = append(merged, c)
			continue
		}
		if before.Kind != c.Kind {
			return nil, fmt.Errorf("column %s would change from %s to %s: publish it as a new version of the schema",
				path+c.Name, before.Kind, c.Kind)
		}
		fields, err := mergeLevel(path+c.Name+".", before.Fields, c.Fields)
		if err != nil {
			return nil, err
		}
		joined := *c
		joined.Fields = fields
		merged = append(merged, &joined)
	}
	for _, c := range old {
		if columnNamed(next, c.Name) == nil {
			merged = append(merged, c)
		}
	}
	return merged, nil
}

func columnNamed(columns []*Column, name string) *Column {
	i := slices.IndexFunc(columns, func(c *Column) bool { return c.Name == name })
	if i < 0 {
		return nil
	}
	return columns[i]
}

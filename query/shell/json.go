package shell

import (
	"database/sql"
	"encoding/json"

	"pinglake/query"
)

// jsonPrinter prints an object a row. The cells are JSON already.
type jsonPrinter struct {
	plain
	array bool
	keys  []string // encoded column names
	rows  int
}

func (p *jsonPrinter) begin(columns []query.Column) error {
	for _, c := range columns {
		key, err := json.Marshal(c.Name)
		if err != nil {
			return err
		}
		p.keys = append(p.keys, string(key))
	}
	if p.array {
		p.w.write("[")
	}
	return p.w.err
}

func (p *jsonPrinter) row(cells []sql.NullString) error {
	if p.array && p.rows > 0 {
		p.w.write(",\n")
	}
	p.rows++
	for i, cell := range cells {
		before := ","
		if i == 0 {
			before = "{"
		}
		value := "null"
		if cell.Valid {
			value = cell.String
		}
		p.w.write(before, p.keys[i], ":", value)
	}
	p.w.write("}")
	if !p.array {
		p.w.write("\n")
	}
	return p.w.err
}

func (p *jsonPrinter) end() error {
	if p.array {
		p.w.write("]\n")
	}
	return p.w.err
}

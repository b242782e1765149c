package shell

import (
	"cmp"
	"database/sql"
	"strings"
	"unicode"

	"pinglake/query"
)

// printer lays out one result. A row is only lent.
type printer interface {
	begin(columns []query.Column) error
	row(cells []sql.NullString) error
	end() error
}

func (s *Shell) printer(w *writer, rows *query.Rows) printer {
	null := "NULL"
	if s.o.NullValue != nil {
		null = *s.o.NullValue
	}
	p := plain{w: w, null: null, noHeader: s.o.NoHeader}
	if rows.Explain {
		return &explainPrinter{p}
	}
	switch s.o.Mode {
	case JSON, JSONLines:
		return &jsonPrinter{plain: p, array: s.o.Mode == JSON}
	case CSV:
		p.separator, p.newline, p.quote = cmp.Or(s.o.Separator, ","), "\r\n", true
		return &p
	case Tabs:
		p.separator, p.newline = cmp.Or(s.o.Separator, "\t"), "\n"
		return &p
	case List:
		p.separator, p.newline = cmp.Or(s.o.Separator, "|"), "\n"
		return &p
	case Line:
		return &linePrinter{plain: p}
	case Trash:
		return &trashPrinter{}
	case DuckBox:
		return newDuckBox(w, null, s.o)
	}
	return newGrid(w, null, s.o)
}

// plain prints rows as they come: csv, tabs and list.
type plain struct {
	w                  *writer
	null               string
	separator, newline string
	quote              bool
	noHeader           bool
	columns            []query.Column
}

func (p *plain) begin(columns []query.Column) error {
	p.columns = columns
	if p.noHeader {
		return nil
	}
	names := make([]sql.NullString, len(columns))
	for i, c := range columns {
		names[i] = sql.NullString{String: c.Name, Valid: true}
	}
	return p.row(names)
}

func (p *plain) row(cells []sql.NullString) error {
	for i, cell := range cells {
		if i > 0 {
			p.w.write(p.separator)
		}
		text := p.text(cell)
		if p.quote && cell.Valid && needsQuotes(text, p.separator) {
			text = `"` + strings.ReplaceAll(text, `"`, `""`) + `"`
		}
		p.w.write(text)
	}
	p.w.write(p.newline)
	return p.w.err
}

func (p *plain) end() error { return p.w.err }

func (p *plain) text(cell sql.NullString) string {
	if cell.Valid {
		return cell.String
	}
	return p.null
}

// needsQuotes is DuckDB's shell's rule: anything but printable ASCII, quotes and
// the separator.
func needsQuotes(text, separator string) bool {
	if separator != "" && strings.Contains(text, separator) {
		return true
	}
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '"' || c == '\'' {
			return true
		}
	}
	return false
}

// explainPrinter prints plans as pictures, in every mode.
type explainPrinter struct{ plain }

func (p *explainPrinter) begin([]query.Column) error { return nil }

func (p *explainPrinter) row(cells []sql.NullString) error {
	p.w.write(strings.TrimRight(cells[len(cells)-1].String, "\n"), "\n")
	return p.w.err
}

// linePrinter prints a column a line, rows apart by an empty line.
type linePrinter struct {
	plain
	widest int
	rows   int
}

func (p *linePrinter) begin(columns []query.Column) error {
	p.columns = columns
	for _, c := range columns {
		p.widest = max(p.widest, width(c.Name), 5)
	}
	return nil
}

func (p *linePrinter) row(cells []sql.NullString) error {
	if p.rows > 0 {
		p.w.write("\n")
	}
	p.rows++
	for i, cell := range cells {
		name := p.columns[i].Name
		p.w.write(strings.Repeat(" ", p.widest-width(name)), name, " = ", p.text(cell), "\n")
	}
	return p.w.err
}

type trashPrinter struct{}

func (*trashPrinter) begin([]query.Column) error { return nil }
func (*trashPrinter) row([]sql.NullString) error { return nil }
func (*trashPrinter) end() error                 { return nil }

// isNumber says whether values of a type stand at the right of their column.
func isNumber(typ string) bool {
	switch typ {
	case "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT", "BIGNUM", "FLOAT", "DOUBLE":
		return true
	}
	return strings.HasPrefix(typ, "DECIMAL(") && strings.HasSuffix(typ, ")")
}

// onOneLine writes control characters as escapes: a cell of a box is one line.
func onOneLine(text string) string {
	if strings.IndexFunc(text, unicode.IsControl) < 0 {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		switch r {
		case '\n':
			b.WriteString(`\n`)
		case '\r':
			b.WriteString(`\r`)
		case '\t':
			b.WriteString(`\t`)
		default:
			if unicode.IsControl(r) {
				b.WriteString(`\x`)
				b.WriteString(string("0123456789abcdef"[r>>4&15]))
				b.WriteString(string("0123456789abcdef"[r&15]))
				continue
			}
			b.WriteRune(r)
		}
	}
	return b.String()
}

package shell

import (
	"database/sql"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

	"pinglake/query"
)

// width is how many terminal columns a text takes.
func width(s string) int { return text.StringWidthWithoutEscSequences(s) }

type align uint8

const (
	left align = iota
	right
	center
)

func pad(s string, to int, a align) string {
	missing := to - width(s)
	if missing <= 0 {
		return s
	}
	before := 0
	switch a {
	case right:
		before = missing
	case center:
		before = missing / 2
	}
	return strings.Repeat(" ", before) + s + strings.Repeat(" ", missing-before)
}

// frame is the lines of a grid: a rule is begin, between and end around runs of
// fill.
type rule struct{ begin, fill, between, end string }

type frame struct {
	top, middle, bottom rule
	side, between       string // of a row: at its ends with their blanks, between cells
}

var (
	boxFrame = frame{
		rule{"┌", "─", "┬", "┐"}, rule{"├", "─", "┼", "┤"}, rule{"└", "─", "┴", "┘"}, "│", "│",
	}
	tableFrame = frame{
		rule{"+", "-", "+", "+"}, rule{"+", "-", "+", "+"}, rule{"+", "-", "+", "+"}, "|", "|",
	}
)

func (f frame) rule(r rule, widths []int) string {
	parts := make([]string, len(widths))
	for i, w := range widths {
		parts[i] = strings.Repeat(r.fill, w+2)
	}
	return r.begin + strings.Join(parts, r.between) + r.end + "\n"
}

func (f frame) line(cells []string, widths []int, aligns []align) string {
	parts := make([]string, len(cells))
	for i, cell := range cells {
		parts[i] = " " + pad(cell, widths[i], aligns[i]) + " "
	}
	return f.side + strings.Join(parts, f.between) + f.side + "\n"
}

// gridPrinter holds all rows, to know how wide the columns are: box, table,
// markdown and column.
type gridPrinter struct {
	plain
	mode    Mode
	columns []query.Column
	rows    [][]string
	widths  []int
}

func newGrid(w *writer, null string, o Options) *gridPrinter {
	return &gridPrinter{plain: plain{w: w, null: null, noHeader: o.NoHeader}, mode: o.Mode}
}

func (p *gridPrinter) begin(columns []query.Column) error {
	p.columns = columns
	for _, c := range columns {
		w := width(p.escape(c.Name))
		if p.noHeader {
			w = 0
		}
		p.widths = append(p.widths, w)
	}
	return nil
}

func (p *gridPrinter) row(cells []sql.NullString) error {
	row := make([]string, len(cells))
	for i, cell := range cells {
		row[i] = p.escape(p.text(cell))
		p.widths[i] = max(p.widths[i], width(row[i]))
	}
	p.rows = append(p.rows, row)
	return nil
}

func (p *gridPrinter) escape(s string) string {
	if p.mode == Markdown {
		s = strings.ReplaceAll(s, "|", `\|`)
	}
	return onOneLine(s)
}

func (p *gridPrinter) end() error {
	switch p.mode {
	case Markdown:
		p.markdown()
	case Column:
		p.inColumns()
	case Table:
		p.framed(tableFrame)
	default:
		p.framed(boxFrame)
	}
	return p.w.err
}

func (p *gridPrinter) header() []string {
	names := make([]string, len(p.columns))
	for i, c := range p.columns {
		names[i] = p.escape(c.Name)
	}
	return names
}

func (p *gridPrinter) all(a align) []align {
	aligns := make([]align, len(p.columns))
	for i := range aligns {
		aligns[i] = a
	}
	return aligns
}

func (p *gridPrinter) framed(f frame) {
	p.w.write(f.rule(f.top, p.widths))
	if !p.noHeader {
		p.w.write(f.line(p.header(), p.widths, p.all(center)), f.rule(f.middle, p.widths))
	}
	for _, row := range p.rows {
		p.w.write(f.line(row, p.widths, p.all(left)))
	}
	p.w.write(f.rule(f.bottom, p.widths))
}

func (p *gridPrinter) markdown() {
	if !p.noHeader {
		p.w.write(tableFrame.line(p.header(), p.widths, p.all(center)), "|")
		for i, c := range p.columns {
			if isNumber(c.Type) {
				p.w.write(strings.Repeat("-", p.widths[i]+1), ":|")
			} else {
				p.w.write(strings.Repeat("-", p.widths[i]+2), "|")
			}
		}
		p.w.write("\n")
	}
	for _, row := range p.rows {
		p.w.write(tableFrame.line(row, p.widths, p.all(left)))
	}
}

func (p *gridPrinter) inColumns() {
	line := func(cells []string) {
		for i, cell := range cells {
			if i > 0 {
				p.w.write("  ")
			}
			p.w.write(pad(cell, p.widths[i], left))
		}
		p.w.write("\n")
	}
	if !p.noHeader {
		line(p.header())
		dashes := make([]string, len(p.widths))
		for i, w := range p.widths {
			dashes[i] = strings.Repeat("-", w)
		}
		line(dashes)
	}
	for _, row := range p.rows {
		line(row)
	}
}

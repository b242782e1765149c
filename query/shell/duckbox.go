package shell

import (
	"database/sql"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"pinglake/query"
)

// slackRows is how many rows above the bound are still shown: the dots that would
// stand for them take as much room.
const slackRows = 3

// narrowest is the width that a column is cut to before columns are left out.
const narrowest = 20

// duckBox is the default look: names, types, numbers at the right, and for long
// results the first and last rows around dots. It holds only rows it may show.
type duckBox struct {
	plain
	maxRows, maxWidth int
	columns           []query.Column
	head, tail        [][]string // the first rows; the last ones, as a ring
	count             int
}

func newDuckBox(w *writer, null string, o Options) *duckBox {
	return &duckBox{plain: plain{w: w, null: null}, maxRows: o.MaxRows, maxWidth: o.MaxWidth}
}

func (p *duckBox) begin(columns []query.Column) error {
	p.columns = columns
	return nil
}

func (p *duckBox) row(cells []sql.NullString) error {
	row := make([]string, len(cells))
	for i, cell := range cells {
		row[i] = onOneLine(p.text(cell))
	}
	if p.maxRows < 0 || p.count < p.maxRows+slackRows {
		p.head = append(p.head, row)
	}
	if p.maxRows >= 0 {
		if bottom := max(p.maxRows/2, 1); len(p.tail) < bottom {
			p.tail = append(p.tail, row)
		} else {
			p.tail[p.count%bottom] = row
		}
	}
	p.count++
	return nil
}

// shown gives the rows above and below the dots; below is empty when all fit.
func (p *duckBox) shown() (above, below [][]string) {
	if p.count == len(p.head) {
		return p.head, nil
	}
	bottom := p.maxRows / 2
	for i := p.count - bottom; i < p.count; i++ {
		below = append(below, p.tail[i%max(bottom, 1)])
	}
	return p.head[:p.maxRows-bottom], below
}

func (p *duckBox) end() error {
	above, below := p.shown()
	names, types, aligns := p.heads()
	widths := make([]int, len(names))
	for i := range names {
		widths[i] = max(width(names[i]), width(types[i]))
		for _, rows := range [][][]string{above, below} {
			for _, row := range rows {
				widths[i] = max(widths[i], width(row[i]))
			}
		}
	}
	widths, keep := fit(widths, p.maxWidth)
	f := boxFrame
	centered := make([]align, len(widths))
	for i := range centered {
		centered[i] = center
	}
	pick := func(cells []string) []string { return cut(cells, widths, keep) }
	kept := pickAligns(aligns, keep)
	p.w.write(f.rule(f.top, widths), f.line(pick(names), widths, centered), f.line(pick(types), widths, centered))
	if p.count > 0 {
		p.w.write(f.rule(f.middle, widths))
	}
	for _, row := range above {
		p.w.write(f.line(pick(row), widths, kept))
	}
	if below != nil {
		dots := p.dots(above, aligns)
		for range slackRows {
			p.w.write(f.line(pick(dots), widths, kept))
		}
		for _, row := range below {
			p.w.write(f.line(pick(row), widths, kept))
		}
	}
	p.w.write(f.rule(f.bottom, widths))
	p.footer(len(above)+len(below), widths, keep)
	return p.w.err
}

func (p *duckBox) heads() (names, types []string, aligns []align) {
	for _, c := range p.columns {
		names = append(names, onOneLine(c.Name))
		types = append(types, boxType(c.Type))
		if isNumber(c.Type) {
			aligns = append(aligns, right)
		} else {
			aligns = append(aligns, left)
		}
	}
	return names, types, aligns
}

// dots stand under the middle of the last row's texts.
func (p *duckBox) dots(above [][]string, aligns []align) []string {
	dots := make([]string, len(aligns))
	for i, a := range aligns {
		dots[i] = "·"
		if a == left && len(above) > 0 {
			dots[i] = strings.Repeat(" ", max(width(above[len(above)-1][i])-1, 0)/2) + "·"
		}
	}
	return dots
}

// footer counts rows and columns when that is news.
func (p *duckBox) footer(shown int, widths, keep []int) {
	hidden := shownColumns(keep) < len(p.columns)
	if p.count > 0 && p.count < 10 && !hidden {
		return
	}
	total := 1
	for _, w := range widths {
		total += w + 3
	}
	rows, more, columns := fmt.Sprintf("%d rows", p.count), "", fmt.Sprintf("%d columns", len(p.columns))
	if shown < p.count {
		more = fmt.Sprintf("(%d shown)", shown)
	}
	if hidden {
		columns += fmt.Sprintf(" (%d shown)", shownColumns(keep))
	}
	room := total - 4 - len(columns) - 1
	switch {
	case p.count > 0 && len(p.columns) > 1 && len(rows+" "+more) <= room:
		p.w.write("  ", pad(strings.TrimSpace(rows+" "+more), room+1, left), columns, "\n")
	case p.count > 0 && len(p.columns) > 1 && len(rows) <= room:
		p.w.write("  ", pad(rows, room+1, left), columns, "\n")
		if more != "" {
			p.w.write("  ", more, "\n")
		}
	default:
		for _, line := range []string{rows, more} {
			if line != "" {
				p.w.write(strings.TrimRight(pad(line, total, center), " "), "\n")
			}
		}
	}
}

// gap stands in a list of kept columns for those left out.
const gap = -1

func shownColumns(keep []int) int {
	n := 0
	for _, i := range keep {
		if i != gap {
			n++
		}
	}
	return n
}

// fit narrows columns to fill at most maxWidth, and where that is not enough
// leaves out columns from the middle. keep says which column stands at each place.
func fit(widths []int, maxWidth int) (fitted, keep []int) {
	for i := range widths {
		keep = append(keep, i)
	}
	if maxWidth <= 0 {
		return widths, keep
	}
	total := func() int {
		sum := 1
		for _, w := range widths {
			sum += w + 3
		}
		return sum
	}
	for total() > maxWidth {
		widest := 0
		for i, w := range widths {
			if w > widths[widest] {
				widest = i
			}
		}
		if widths[widest] <= narrowest {
			break
		}
		widths[widest]--
	}
	for total() > maxWidth && shownColumns(keep) > 2 {
		// The first cut replaces the middle column by the gap, later ones grow it.
		middle := len(widths) / 2
		if at := slices.Index(keep, gap); at >= 0 {
			if middle = at + 1; len(widths)-at-1 <= at {
				middle = at - 1
			}
			widths = append(widths[:middle:middle], widths[middle+1:]...)
			keep = append(keep[:middle:middle], keep[middle+1:]...)
			continue
		}
		widths[middle], keep[middle] = 1, gap
	}
	return widths, keep
}

// cut is a row as it is shown: the kept columns, each cut to its width.
func cut(cells []string, widths, keep []int) []string {
	row := make([]string, len(keep))
	for place, i := range keep {
		if i == gap {
			row[place] = "…"
			continue
		}
		row[place] = shorten(cells[i], widths[place])
	}
	return row
}

func shorten(s string, to int) string {
	if width(s) <= to {
		return s
	}
	used := 0
	for at, r := range s {
		w := width(string(r))
		if used+w > to-1 {
			return s[:at] + "…"
		}
		used += w
	}
	return s
}

func pickAligns(aligns []align, keep []int) []align {
	picked := make([]align, len(keep))
	for place, i := range keep {
		if i != gap {
			picked[place] = aligns[i]
		}
	}
	return picked
}

var boxNames = map[string]string{
	"TINYINT": "int8", "SMALLINT": "int16", "INTEGER": "int32", "BIGINT": "int64", "HUGEINT": "int128",
	"UTINYINT": "uint8", "USMALLINT": "uint16", "UINTEGER": "uint32", "UBIGINT": "uint64", "UHUGEINT": "uint128",
}

var listType = regexp.MustCompile(`^(.*)\[\]$`)

// boxType is how the box writes a type: integers and lists of them by their bits.
func boxType(typ string) string {
	if name, ok := boxNames[typ]; ok {
		return name
	}
	if m := listType.FindStringSubmatch(typ); m != nil {
		return boxType(m[1]) + "[]"
	}
	return strings.ToLower(typ)
}

package shell

import (
	"fmt"
	"slices"
	"strings"

	"pinglake/query"
)

// Mode is how results are printed; the names are those of DuckDB's shell.
type Mode string

// The modes.
const (
	DuckBox   Mode = "duckbox" // a box with types and a row count; long results and wide columns are cut
	Box       Mode = "box"
	Table     Mode = "table"
	Markdown  Mode = "markdown"
	Column    Mode = "column"
	CSV       Mode = "csv"
	Tabs      Mode = "tabs"
	List      Mode = "list"
	Line      Mode = "line"
	JSON      Mode = "json"
	JSONLines Mode = "jsonlines"
	Trash     Mode = "trash"
)

// Modes are all modes, in the order of the help.
func Modes() []Mode {
	return []Mode{DuckBox, Box, Table, Markdown, Column, CSV, Tabs, List, Line, JSON, JSONLines, Trash}
}

// ParseMode finds a mode by its name; "" is [DuckBox].
func ParseMode(name string) (Mode, error) {
	if name == "" {
		return DuckBox, nil
	}
	if m := Mode(strings.ToLower(name)); slices.Contains(Modes(), m) {
		return m, nil
	}
	return "", fmt.Errorf("output mode %q: want one of %s", name, joinModes())
}

func joinModes() string {
	var names []string
	for _, m := range Modes() {
		names = append(names, string(m))
	}
	return strings.Join(names, ", ")
}

func (m Mode) form() query.Form {
	if m == JSON || m == JSONLines {
		return query.JSON
	}
	return query.Text
}

package query

import (
	"path"
	"slices"
	"strings"

	"pinglake/lake"
)

const (
	lastSeenTable = "baseline_clients_last_seen_v1"
	errorDataset  = "payload_bytes_error"
)

// newest is the highest version of a document type (or derived table) in each of
// a namespace's datasets; only tables of that version take part.
type newest struct {
	version               int
	live, stable, derived *lake.TableRef
}

// userViews are the views of all namespaces. A name is given once: first to the
// document types, then to the views over derived tables.
func userViews(dir string, tables []table) ([]userView, error) {
	doctypes, derived := map[[2]string]*newest{}, map[[2]string]*newest{}
	var views []userView
	taken := map[[2]string]bool{}
	add := func(v userView) {
		if !taken[[2]string{v.schema, v.name}] {
			taken[[2]string{v.schema, v.name}] = true
			views = append(views, v)
		}
	}
	var usage []string
	for _, t := range tables {
		base, version := splitVersion(t.Table)
		if ns, ok := strings.CutSuffix(t.Dataset, "_live"); ok {
			if n := atLeast(doctypes, ns, base, version); n != nil {
				n.live = &t.TableRef
			}
		} else if ns, ok := strings.CutSuffix(t.Dataset, "_stable"); ok {
			if n := atLeast(doctypes, ns, base, version); n != nil {
				n.stable = &t.TableRef
			}
		} else if ns, ok := strings.CutSuffix(t.Dataset, "_derived"); ok {
			if n := atLeast(derived, ns, base, version); n != nil {
				n.derived = &t.TableRef
			}
			if t.Table == lastSeenTable {
				usage = append(usage, ns)
			}
		}
	}
	for _, key := range sortedKeys(doctypes) {
		add(userView{key[0], key[1], doctypeView(dir, key[0], key[1], doctypes[key])})
	}
	special, err := usageViews(usage, derived)
	if err != nil {
		return nil, err
	}
	for _, v := range special {
		add(v)
	}
	for _, key := range sortedKeys(derived) {
		add(userView{key[0], key[1], viewHead(key[0], key[1]) + "SELECT * FROM " + quoteRef(*derived[key].derived) + ";\n"})
	}
	for _, t := range tables {
		if t.Dataset == errorDataset {
			name := t.Dataset + "_" + t.Table
			add(userView{"monitoring", name, viewHead("monitoring", name) + "SELECT * EXCLUDE (payload) FROM " + quoteRef(t.TableRef) + ";\n"})
		}
	}
	return views, nil
}

// atLeast is the entry to fill in for a table of this version, nil if a newer
// version was met.
func atLeast(all map[[2]string]*newest, namespace, base string, version int) *newest {
	key := [2]string{namespace, base}
	n := all[key]
	if n == nil || n.version < version {
		n = &newest{version: version}
		all[key] = n
	}
	if n.version > version {
		return nil
	}
	return n
}

// doctypeView is stable plus the live days that stable does not have. Which days
// those are is read from the file names by every query, so that a view of
// yesterday does not count a day twice today. It is a list of days to take and
// not of days to leave out: DuckDB then opens only the live files of those days.
func doctypeView(dir, namespace, name string, n *newest) string {
	head := viewHead(namespace, name)
	switch {
	case n.stable == nil:
		return head + "SELECT * FROM " + quoteRef(*n.live) + ";\n"
	case n.live == nil:
		return head + "SELECT * FROM " + quoteRef(*n.stable) + ";\n"
	}
	return head +
		"SELECT * FROM " + quoteRef(*n.stable) + "\n" +
		"UNION ALL BY NAME\n" +
		"SELECT * FROM " + quoteRef(*n.live) + "\n" +
		"WHERE submission_date IN (\n" +
		"  " + daysOf(dir, *n.live) + "\n" +
		"  EXCEPT\n" +
		"  " + daysOf(dir, *n.stable) + ");\n"
}

// daysOf is a query for the days of a table that have a file.
func daysOf(dir string, ref lake.TableRef) string {
	return "SELECT try_cast(regexp_extract(file, 'submission_date=([^/]*)/[^/]*$', 1) AS DATE) " +
		"FROM glob(" + quoteText(folderGlob(dir, ref)+"/submission_date=*/*.parquet") + ") " +
		"WHERE NOT contains(file, '/submission_date=" + schemaDay + "/')"
}

// usageViews are views/*.sql for each namespace with a last_seen table. A view
// gives way to a derived table of its own name, except last_seen, which adds
// columns to the table it is named for.
func usageViews(namespaces []string, derived map[[2]string]*newest) ([]userView, error) {
	entries, err := viewFiles.ReadDir("views")
	if err != nil {
		return nil, err
	}
	var views []userView
	for _, ns := range namespaces {
		for _, entry := range entries {
			text, err := viewFiles.ReadFile(path.Join("views", entry.Name()))
			if err != nil {
				return nil, err
			}
			name := strings.TrimSuffix(entry.Name(), ".sql")
			own := derived[[2]string{ns, name}]
			if own != nil && own.derived.Table != lastSeenTable {
				continue
			}
			escaped := strings.ReplaceAll(ns, `"`, `""`)
			views = append(views, userView{ns, name, strings.ReplaceAll(string(text), "{namespace}", escaped)})
		}
	}
	return views, nil
}

func viewHead(schema, name string) string {
	return "CREATE OR REPLACE VIEW " + quoteName(schema) + "." + quoteName(name) + " AS\n"
}

func quoteRef(ref lake.TableRef) string {
	return quoteName(ref.Dataset) + "." + quoteName(ref.Table)
}

func sortedKeys(m map[[2]string]*newest) [][2]string {
	keys := make([][2]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })
	return keys
}

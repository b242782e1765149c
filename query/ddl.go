package query

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"pinglake/lake"
)

//go:embed macros/*.sql
var macroFiles embed.FS

//go:embed views/*.sql
var viewFiles embed.FS

// bindVariable is a DuckDB variable. While it is set a table view sees only the
// folder of that name, so that creating the views of a big lake opens one
// zero-row file a table and not every file; queries never have it set.
const bindVariable = "pinglake_bind"

// schemaDay is the hive folder of a table's zero-row file. No ping is that old.
const schemaDay = "1970-01-01"

// macroSchemas are the schemas of macros/<schema>.sql, in dependency order.
var macroSchemas = []string{"bits28", "udf", "stats", "glean"}

// mozfunSchemas are those that the reference keeps in its mozfun project.
var mozfunSchemas = []string{"bits28", "stats", "glean"}

// table is a table of the tree and a fingerprint of its columns.
type table struct {
	lake.TableRef
	columns string
}

func newTable(ref lake.TableRef, schemaFile []byte) table {
	sum := sha256.Sum256(schemaFile)
	return table{ref, hex.EncodeToString(sum[:4])}
}

// statement is one piece of DDL. The key says what it makes ("view app.baseline"),
// drop how to unmake it ("" for what is never dropped). A statement may be several
// in SQL.
type statement struct {
	key, text, drop string
}

// ddl is all DDL of a lake in the order to run it. Equal input gives equal text.
func ddl(dir string, tables []table) ([]statement, error) {
	tables = slices.Clone(tables)
	slices.SortFunc(tables, func(a, b table) int { return strings.Compare(a.Dataset+"."+a.Table, b.Dataset+"."+b.Table) })
	macros, err := macroStatements()
	if err != nil {
		return nil, err
	}
	users, err := userViews(dir, tables)
	if err != nil {
		return nil, err
	}
	schemas := slices.Clone(macroSchemas)
	var views []statement
	for _, t := range tables {
		schemas = append(schemas, t.Dataset)
		views = append(views, tableView(dir, t))
	}
	for _, v := range users {
		schemas = append(schemas, v.schema)
		views = append(views, v.statement())
	}
	slices.Sort(schemas)
	var all []statement
	for _, schema := range slices.Compact(schemas) {
		all = append(all, statement{key: "schema " + schema, text: "CREATE SCHEMA IF NOT EXISTS " + quoteName(schema) + ";\n"})
	}
	return append(append(all, macros...), views...), nil
}

func macroStatements() ([]statement, error) {
	var all []statement
	for _, schema := range macroSchemas {
		text, err := macroFiles.ReadFile("macros/" + schema + ".sql")
		if err != nil {
			return nil, err
		}
		all = append(all, statement{key: "macros " + schema, text: string(text)})
	}
	return all, nil
}

// mozfun makes catalog.schema.macro names such as mozfun.bits28.range work. A
// database file cannot hold it: it is a second database, attached in memory.
func mozfun() ([]statement, error) {
	all := []statement{{key: "database mozfun", text: "ATTACH IF NOT EXISTS ':memory:' AS mozfun;\n"}}
	for _, schema := range mozfunSchemas {
		text, err := macroFiles.ReadFile("macros/" + schema + ".sql")
		if err != nil {
			return nil, err
		}
		all = append(all, statement{
			key:  "macros mozfun." + schema,
			text: "CREATE SCHEMA IF NOT EXISTS mozfun." + schema + ";\n" + strings.ReplaceAll(string(text), schema+".", "mozfun."+schema+"."),
		})
	}
	return all, nil
}

func tableView(dir string, t table) statement {
	name := quoteName(t.Dataset) + "." + quoteName(t.Table)
	return statement{
		key: "view " + t.Dataset + "." + t.Table,
		text: "-- columns " + t.columns + "\n" +
			"CREATE OR REPLACE VIEW " + name + " AS\n" +
			"SELECT * FROM read_parquet(\n" +
			"  " + quoteText(folderGlob(dir, t.TableRef)+"/submission_date=") + " || coalesce(getvariable('" + bindVariable + "'), '*') || '/*.parquet',\n" +
			"  hive_partitioning = true, hive_types = {'submission_date': DATE}, union_by_name = true);\n",
		drop: "DROP VIEW IF EXISTS " + name + ";\n",
	}
}

// folderGlob is a table's folder as a glob that matches only itself.
func folderGlob(dir string, ref lake.TableRef) string {
	folder := filepath.ToSlash(filepath.Join(dir, ref.Dataset, ref.Table))
	return strings.NewReplacer("[", "[[]", "*", "[*]", "?", "[?]").Replace(folder)
}

// userView is a view in a namespace: what people ask for by name.
type userView struct {
	schema, name, text string
}

func (v userView) statement() statement {
	return statement{
		key:  "view " + v.schema + "." + v.name,
		text: v.text,
		drop: "DROP VIEW IF EXISTS " + quoteName(v.schema) + "." + quoteName(v.name) + ";\n",
	}
}

var versioned = regexp.MustCompile(`^(.+)_v([0-9]+)$`)

// splitVersion takes baseline_v1 apart. A name without a version is its own.
func splitVersion(name string) (base string, version int) {
	m := versioned.FindStringSubmatch(name)
	if m == nil {
		return name, 0
	}
	n, err := strconv.Atoi(m[2])
	if err != nil { // more digits than an int holds: not a version
		return name, 0
	}
	return m[1], n
}

// quoteName is a name as an SQL identifier, always quoted.
func quoteName(name string) string {
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// quoteText is a text as an SQL string.
func quoteText(text string) string {
	return "'" + strings.ReplaceAll(text, "'", "''") + "'"
}

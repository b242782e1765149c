// Package shell is the SQL prompt: statements in, tables out, with the names and
// habits of DuckDB's own shell.
//
// Values arrive as texts that DuckDB itself wrote ([query.Rows]), so a printer only
// decides where to put them.
package shell

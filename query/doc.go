// Package query opens DuckDB over the lake: views, macros and the catalog file.
//
// No database holds data. Everything a reader sees is text of DDL made from the
// folder tree (ddl.go), and the same text becomes an in-memory [Session], the file
// lake.duckdb and the script init.sql.
package query

// Package schema says which pings there are and what their tables look like.
//
// One JSON Schema is read twice: to validate a payload and to give its table's
// columns. A payload becomes a row by the same columns, and what finds no column
// is kept in additional_properties.
package schema

// Package schema says which pings there are and what their tables look like.
//
// One JSON Schema is read twice: to validate a payload and to give its table's
// columns. A payload becomes a row by the same columns, and what finds no column
// is kept in additional_properties. Schemas are of JSON Schema draft 4 (when they
// do not say), 6 or 7 and refer to no other document. As in the reference, a number
// written 1.0 or 1e3 is no integer, and $ in a pattern also matches before a final
// newline.
//
// # From JSON Schema to columns
//
//	boolean, integer, number, string   BOOLEAN, BIGINT, DOUBLE, VARCHAR
//	string with format date-time       TIMESTAMP; with format bytes (base64) BLOB
//	object with properties             STRUCT, members sorted by name
//	object with additionalProperties   MAP(VARCHAR, ...), also for patternProperties
//	array of one kind                  list, and a list of lists for an array of arrays
//	array of listed items              STRUCT(f0_, f1_, ...), if its length is bounded
//	oneOf, anyOf, a list of types      their common kind, null aside
//
// Anything else (an object that says nothing of its members, alternatives that
// have no common kind, allOf) gets no column.
//
// # From payload to row
//
// A key goes to the column of its own name, else to that of its snake case name.
// Text columns take any value as JSON text, BIGINT takes integers and booleans,
// DOUBLE takes numbers and booleans, BOOLEAN only booleans. A value its column
// refuses is put into additional_properties under the names it had in the payload;
// a list of plain values with one refused element goes there as a whole. When two
// keys mean one column, the one that had to be renamed wins.
//
// That is the reference's transformation, but that a map is a MAP and no list of
// keys and values, and that values of another form than their column's, on which
// the reference gives the whole ping up or loses them, go to additional_properties.
//
// # Where schemas are
//
// In the operator's folder as <namespace>/<doctype>/<doctype>.<version>.schema.json,
// beside embedded ones that a file of the same name replaces. A schema in that
// folder needs no mozPipelineMetadata; in a checkout of mozilla-pipeline-schemas
// (a folder with schemas/ inside) one without it is no ping, as there. A folder
// <namespace> with an app.toml that says glean = true is a Glean app: each of its
// pings is read with the Glean schema and has its own table, without a file. Pings
// without client_info and ping_info are checked by glean-min beside it, if there is.
package schema

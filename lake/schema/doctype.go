package schema

import (
	"errors"
	"fmt"
	"regexp"
	"sync/atomic"

	"github.com/valyala/fastjson"
)

// Doctype is one kind of ping: what its payload must be and what its table is. It
// does not change and is safe for concurrent use.
type Doctype struct {
	// Namespace, DocType and Version are the names as their files or folders have
	// them. Submissions may write them in another case.
	Namespace, DocType, Version string

	file     *file
	columns  []*Column // the payload's
	table    *Table
	plan     *plan
	metadata Metadata
	offered  atomic.Bool // of a Glean app that has not sent it yet
}

// file is what one schema file says: all pings of the Glean schema share one.
type file struct {
	name     string // for messages
	check    *validator
	bare     *validator // for a Glean app's pings without client_info and ping_info, may be nil
	columns  []*Column  // the payload's
	metadata Metadata
}

// String is namespace/doctype/version.
func (d *Doctype) String() string { return d.Namespace + "/" + d.DocType + "/" + d.Version }

// Table is <namespace>_live.<doctype>_v<version>: the system columns, the
// payload's columns sorted by name, additional_properties.
func (d *Doctype) Table() (*Table, error) {
	if d.table == nil {
		return nil, fmt.Errorf("table of %s: no schema", d)
	}
	return d.table, nil
}

// Metadata is what the schema says to the pipeline.
func (d *Doctype) Metadata() Metadata { return d.metadata }

// Validate says whether the payload keeps to the JSON Schema. The error's text is
// `#/<pointer>: <what is wrong>`, one line of at most 300 bytes, for one cause.
func (d *Doctype) Validate(payload *fastjson.Value) error {
	if d.file.bare != nil && keyOf(d.Namespace, d.DocType, d.Version) != gleanKey && isBare(payload) {
		return d.file.bare.validate(payload)
	}
	return d.file.check.validate(payload)
}

// newDoctype names a schema file's pings. The columns may be more than the file's.
func newDoctype(namespace, doctype, version string, f *file, columns []*Column) *Doctype {
	table := NewTable(DatasetName(namespace, "live"), TableName(doctype, version), pingColumns(namespace, columns))
	return &Doctype{
		Namespace: namespace, DocType: doctype, Version: version,
		file: f, columns: columns, table: table, plan: newPlan(table, len(columns)), metadata: f.metadata,
	}
}

// errNoMetadata is a schema of a checkout that is not meant for pings.
var errNoMetadata = errors.New("no mozPipelineMetadata")

// parseFile reads a schema. In the Glean namespace some metrics are renamed.
func parseFile(src source, data []byte) (*file, error) {
	document, err := decodeSchema(data)
	if err != nil {
		return nil, err
	}
	object, _ := document.(map[string]any)
	pipeline, ok := object["mozPipelineMetadata"].(map[string]any)
	if !ok && src.strict {
		return nil, errNoMetadata
	}
	var jsonPath *regexp.Regexp
	if pattern, ok := pipeline["json_object_path_regex"].(string); ok {
		if jsonPath, err = regexp.Compile(`^(?:` + pattern + `)$`); err != nil {
			return nil, fmt.Errorf("json_object_path_regex: %w", err)
		}
	}
	metadata, err := parseMetadata(pipeline)
	if err != nil {
		return nil, err
	}
	columns, err := payloadColumns(document, jsonPath)
	if err != nil {
		return nil, err
	}
	if SnakeCase(src.namespace) == "glean" {
		renameMetrics(columns)
	}
	check, err := newValidator(document)
	if err != nil {
		return nil, err
	}
	return &file{name: src.path, check: check, columns: columns, metadata: metadata}, nil
}

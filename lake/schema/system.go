package schema

import (
	"strings"
	"time"
)

// Datasets of the landfill and of the errors.
const (
	DatasetRaw   = "payload_bytes_raw"
	DatasetError = "payload_bytes_error"
)

const additionalProperties = "additional_properties"

// systemColumns are the columns every ping table begins with. Only telemetry
// pings say their app in the URI.
func systemColumns(namespace string) []*Column {
	metadata := []*Column{
		texts("geo", "city", "country", "db_version", "dma_code", "subdivision1", "subdivision2"),
		texts("isp", "db_version", "name", "organization"),
		texts("header", "date", "dnt", "x_debug_id", "x_foxsec_ip_reputation", "x_lb_tags",
			"x_pingsender_version", "x_source_tags", "x_telemetry_agent"),
		texts("user_agent", "browser", "os", "version"),
		{Name: "document_namespace", Kind: String},
		{Name: "document_type", Kind: String},
		{Name: "document_version", Kind: String},
	}
	if SnakeCase(namespace) == "telemetry" {
		metadata = append(metadata, texts("uri", "app_build_id", "app_name", "app_update_channel", "app_version"))
	}
	return []*Column{
		{Name: "submission_timestamp", Kind: Timestamp, Description: "When the server got the ping."},
		{Name: "document_id", Kind: String, Description: "The ping's id, unique in its stable table."},
		{Name: "sample_id", Kind: Int64, Description: "0 to 99 by a hash of the client, for samples."},
		{Name: "normalized_app_name", Kind: String, Description: "App as said in the URI, Other if unknown."},
		{Name: "normalized_channel", Kind: String, Description: "Release channel, Other if unknown."},
		{Name: "normalized_country_code", Kind: String, Description: "Country by IP address, ISO 3166."},
		{Name: "normalized_os", Kind: String, Description: "Operating system, Other if unknown."},
		{Name: "normalized_os_version", Kind: String, Description: "Leading numbers of the operating system's version."},
		{Name: "metadata", Kind: Struct, Fields: metadata, Description: "What the pipeline knows of the submission."},
	}
}

func texts(name string, members ...string) *Column {
	c := &Column{Name: name, Kind: Struct}
	for _, member := range members {
		c.Fields = append(c.Fields, &Column{Name: member, Kind: String})
	}
	return c
}

// isSystemColumn keeps a payload's key from a column of ours: it stays in
// additional_properties.
func isSystemColumn(name string) bool {
	switch name {
	case "submission_timestamp", "document_id", "sample_id", "metadata", additionalProperties,
		"normalized_app_name", "normalized_channel", "normalized_country_code", "normalized_os", "normalized_os_version",
		"submission_date", "file_row_number", "pinglake_file": // what readers and the nightly add to a file's columns
		return true
	}
	return false
}

// pingColumns are all columns of a ping's table.
func pingColumns(namespace string, payload []*Column) []*Column {
	columns := append(systemColumns(namespace), payload...)
	return append(columns, &Column{Name: additionalProperties, Kind: String,
		Description: "JSON of what found no column, under the payload's own names; {} if nothing."})
}

// systemAttribute is the attribute that fills a leaf of the system columns, by the
// path of its column.
func systemAttribute(path []string) string {
	if path[0] != "metadata" {
		return path[0]
	}
	switch group := path[1]; group {
	case "geo", "isp", "user_agent":
		return group + "_" + path[2]
	case "header", "uri":
		return path[2]
	default:
		return group
	}
}

// Raw is the landfill table of a family: every submission as it came, unopened.
func Raw(family string) *Table {
	return NewTable(DatasetRaw, SnakeCase(family), flatColumns(
		"args", "content_length", "date", "dnt", "host", "method", "payload", "protocol", "remote_addr",
		"submission_timestamp", "uri", "user_agent", "x_debug_id", "x_forwarded_for", "x_foxsec_ip_reputation",
		"x_lb_tags", "x_pingsender_version", "x_pipeline_proxy", "x_source_tags", "x_telemetry_agent"))
}

// Errors is the table of a family's refused submissions. Its columns are the
// reference's and two more, document_id and reason. It never holds an IP address:
// remote_addr and x_forwarded_for are always null.
func Errors(family string) *Table {
	return NewTable(DatasetError, SnakeCase(family), flatColumns(
		"args", "client_id", "content_length", "date", "dnt", "document_id", "document_namespace", "document_type",
		"document_version", "error_message", "error_type", "exception_class", "geo_city", "geo_country",
		"geo_subdivision1", "geo_subdivision2", "host", "input", "input_type", "isp_name", "isp_organization",
		"job_name", "method", "payload", "protocol", "reason", "remote_addr", "stack_trace", "stack_trace_cause_1",
		"stack_trace_cause_2", "stack_trace_cause_3", "stack_trace_cause_4", "stack_trace_cause_5",
		"submission_timestamp", "uri", "user_agent", "user_agent_browser", "user_agent_os", "user_agent_version",
		"x_debug_id", "x_forwarded_for", "x_foxsec_ip_reputation", "x_lb_tags", "x_pingsender_version",
		"x_pipeline_proxy", "x_source_tags", "x_telemetry_agent"))
}

func flatColumns(names ...string) []*Column {
	columns := make([]*Column, len(names))
	for i, name := range names {
		columns[i] = &Column{Name: name, Kind: String}
		switch name {
		case "payload":
			columns[i].Kind = Bytes
		case "submission_timestamp":
			columns[i].Kind = Timestamp
		}
	}
	return columns
}

// AttributeRow is a row of a flat table (Raw, Errors): each column from the
// attribute of its name, payload from payload (null if empty) and
// submission_timestamp from submitted. The row aliases payload.
func AttributeRow(t *Table, submitted time.Time, attributes map[string]string, payload []byte) Row {
	row := Row{Table: t, Date: DateOf(submitted), Cells: make([]Cell, 0, len(attributes)+2)}
	for i, leaf := range t.Leaves() {
		cell := Cell{Leaf: int32(i), Def: leaf.MaxDef}
		name := leaf.Path[0]
		switch {
		case leaf.Kind == Timestamp:
			cell.Num = uint64(submitted.UnixMicro())
		case leaf.Kind == Bytes:
			if len(payload) == 0 {
				continue
			}
			cell.Bytes = payload
		case t.Dataset == DatasetError && isAddress(name):
			continue
		default:
			value, ok := attributes[name]
			if !ok {
				continue
			}
			cell.Bytes = validText(value)
		}
		row.Cells = append(row.Cells, cell)
	}
	return row
}

func isAddress(attribute string) bool {
	return attribute == "remote_addr" || attribute == "x_forwarded_for"
}

// validText is s as UTF-8, which a String cell must be.
func validText(s string) []byte { return []byte(strings.ToValidUTF8(s, "\uFFFD")) }

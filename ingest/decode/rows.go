package decode

import (
	"bytes"
	"io"
	"maps"
	"sync"
	"unicode/utf8"

	"github.com/klauspost/compress/gzip"

	"pinglake/ingest"
	"pinglake/lake/schema"
)

const (
	// maxErrorText is the longest value of an error row's text columns, in bytes.
	maxErrorText = 1024
	// maxErrorStack is the longest stack trace, in bytes.
	maxErrorStack = 8192
	ellipsis      = "..."
)

// ErrorRow is the row of a reject in payload_bytes_error: what was known of the
// submission, why it was refused, and its payload, gzip'd.
func (d *Decoder) ErrorRow(raw *ingest.Raw, reject *ingest.RejectError) schema.Row {
	attributes := make(map[string]string, len(reject.Attributes)+4)
	for name, value := range reject.Attributes {
		attributes[name] = d.truncate(value)
	}
	delete(attributes, "x_forwarded_for")
	delete(attributes, "remote_addr")
	if stack, ok := reject.Attributes["stack_trace"]; ok {
		attributes["stack_trace"] = truncate(stack, maxErrorStack)
	}
	for name, value := range errorAttributes(reject) {
		attributes[name] = d.truncate(value)
	}
	attributes["reason"] = string(reject.Reason)
	return schema.AttributeRow(d.errors[family(raw)], raw.Submitted, attributes, pack(reject.Payload))
}

// family is the table of a raw in the landfill and among the errors: by its URI, or
// by its namespace if it is a decoded ping without one.
func family(raw *ingest.Raw) string {
	if raw.URI == "" && raw.Attributes["document_namespace"] == "telemetry" {
		return ingest.FamilyTelemetry
	}
	return ingest.Family(raw.URI)
}

// errorAttributes say why a submission was refused.
func errorAttributes(reject *ingest.RejectError) map[string]string {
	class := reject.Reason.ExceptionClass()
	message := class
	if reject.Err != nil {
		message += ": " + reject.Err.Error()
	}
	return map[string]string{"error_type": reject.Reason.Step(), "exception_class": class, "error_message": message}
}

// DuplicateRow is the error row of a ping whose document_id its table already
// has. The payload is not kept again.
func (d *Decoder) DuplicateRow(raw *ingest.Raw, ping *ingest.Ping) schema.Row {
	return d.ErrorRow(raw, &ingest.RejectError{Reason: ingest.Duplicate, Attributes: ping.Attributes})
}

// LandfillRow is the row of raw as it came in payload_bytes_raw.
func (d *Decoder) LandfillRow(raw *ingest.Raw) schema.Row {
	attributes := make(map[string]string, len(raw.Attributes)+1)
	maps.Copy(attributes, raw.Attributes)
	if d.LandfillIP == ForgetClientIP {
		delete(attributes, "x_forwarded_for")
		delete(attributes, "remote_addr")
	}
	attributes["uri"] = raw.URI
	return schema.AttributeRow(d.landfill[family(raw)], raw.Submitted, attributes, raw.Body)
}

var gzipWriters = sync.Pool{New: func() any { return gzip.NewWriter(io.Discard) }}

// pack gzips a payload for the error table. A payload that came as gzip and could
// not be unpacked is packed again, so that one gunzip always gives what the
// decoder saw.
func pack(payload []byte) []byte {
	if len(payload) == 0 {
		return nil
	}
	var packed bytes.Buffer
	writer := gzipWriters.Get().(*gzip.Writer)
	defer gzipWriters.Put(writer)
	writer.Reset(&packed)
	// A bytes.Buffer takes every write.
	_, _ = writer.Write(payload)
	_ = writer.Close()
	return packed.Bytes()
}

// truncate cuts a value to what an error row's text columns take.
func (d *Decoder) truncate(value string) string {
	if len(value) > maxErrorText {
		d.metrics.truncated.Inc()
	}
	return truncate(value, maxErrorText)
}

// truncate cuts s to at most limit bytes of whole runes, marked by an ellipsis.
func truncate(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	cut := limit - len(ellipsis)
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + ellipsis
}

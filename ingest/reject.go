package ingest

import "errors"

// ErrCorrupt says that the stream's own data on disk contradicts itself. Nothing
// is deleted; the process stops and says what to do.
var ErrCorrupt = errors.New("corrupt")

// Reason says why a submission was refused. The list is closed: every error row
// carries one of these in its column reason.
type Reason string

// The reasons, in the order in which a submission can meet them.
const (
	UnknownPrefix     Reason = "unknown_prefix"      // the URI begins with no known prefix
	UnwantedURI       Reason = "unwanted_uri"        // a scrubber rule refuses the URI
	PathElements      Reason = "path_elements"       // too many or too few parts in the URI
	UnknownStub       Reason = "unknown_stub"        // a stub installer ping of a version we do not know
	StubValue         Reason = "stub_value"          // a stub installer ping with a part that must be a number and is none
	InvalidDocumentID Reason = "invalid_document_id" // the document_id is no UUID
	InvalidLogEntry   Reason = "invalid_log_entry"   // a message of a log that holds no ping
	PayloadTooLarge   Reason = "payload_too_large"   // more bytes than the limit once unpacked
	InvalidJSON       Reason = "invalid_json"        // not JSON, not UTF-8, or nested too deep
	NotAnObject       Reason = "not_an_object"       // empty, or JSON but no object
	Dropped           Reason = "dropped"             // a scrubber rule drops it: counted, no row
	Unwanted          Reason = "unwanted"            // a scrubber rule refuses data that nobody wants
	AffectedByBug     Reason = "affected_by_bug"     // a scrubber rule refuses data that a known bug spoilt
	UnknownDoctype    Reason = "unknown_doctype"     // no schema of this namespace and doctype
	MissingVersion    Reason = "missing_version"     // neither URI nor payload say the version
	UnknownVersion    Reason = "unknown_version"     // the doctype has no such version
	SchemaViolation   Reason = "schema_violation"    // the payload breaks its JSON Schema
	Expired           Reason = "expired"             // past the schema's collect_through_date
	Duplicate         Reason = "duplicate"           // this document_id is already in the table
	DecoderPanic      Reason = "decoder_panic"       // a fault of ours, kept to the one ping
)

// Step is the decoder step a reason belongs to: the column error_type, in the
// reference's words.
func (r Reason) Step() string {
	switch r {
	case UnknownPrefix, UnwantedURI, PathElements, UnknownStub, StubValue, InvalidDocumentID:
		return "ParseUri"
	case InvalidLogEntry:
		return "ParseLogEntry"
	case PayloadTooLarge:
		return "LimitPayloadSize"
	case Duplicate:
		return "Duplicate"
	}
	return "ParsePayload"
}

// exceptionClasses are the reference's names for the faults.
var exceptionClasses = map[Reason]string{
	UnknownPrefix:     "com.mozilla.telemetry.decoder.ParseUri$InvalidUriException",
	UnwantedURI:       "com.mozilla.telemetry.decoder.MessageScrubber$UnwantedDataException",
	PathElements:      "com.mozilla.telemetry.decoder.ParseUri$UnexpectedPathElementsException",
	UnknownStub:       "com.mozilla.telemetry.decoder.ParseUri$StubUri$UnknownPingVersionException",
	StubValue:         "com.mozilla.telemetry.decoder.ParseUri$StubUri$InvalidIntegerException",
	InvalidDocumentID: "com.mozilla.telemetry.decoder.ParseUri$InvalidUriException",
	InvalidLogEntry:   "com.mozilla.telemetry.decoder.ParseLogEntry$InvalidLogEntryException",
	PayloadTooLarge:   "com.mozilla.telemetry.transforms.LimitPayloadSize$PayloadTooLargeException",
	InvalidJSON:       "com.fasterxml.jackson.core.JsonParseException",
	NotAnObject:       "java.io.IOException",
	Dropped:           "com.mozilla.telemetry.decoder.MessageScrubber$MessageShouldBeDroppedException",
	Unwanted:          "com.mozilla.telemetry.decoder.MessageScrubber$UnwantedDataException",
	AffectedByBug:     "com.mozilla.telemetry.decoder.MessageScrubber$AffectedByBugException",
	UnknownDoctype:    "com.mozilla.telemetry.ingestion.core.schema.SchemaNotFoundException",
	MissingVersion:    "com.mozilla.telemetry.ingestion.core.schema.SchemaNotFoundException",
	UnknownVersion:    "com.mozilla.telemetry.ingestion.core.schema.SchemaNotFoundException",
	SchemaViolation:   "org.everit.json.schema.ValidationException",
	Expired:           "com.mozilla.telemetry.decoder.ParsePayload$DeprecatedMessageException",
	Duplicate:         "com.mozilla.telemetry.decoder.Deduplicate$DuplicateIdException",
	DecoderPanic:      "pinglake.DecoderPanic",
}

// ExceptionClass is the reference's name for the fault: the column
// exception_class, so that queries written for the reference find their rows.
func (r Reason) ExceptionClass() string { return exceptionClasses[r] }

// RejectError says that a submission was refused, with what an error row needs
// to explain it. It is the data's fault: never retried by itself.
type RejectError struct {
	Reason Reason
	Err    error
	// Attributes are the submission's attributes as they were when the failing
	// step began. They never hold an IP address.
	Attributes map[string]string
	// Payload is the body as it was when the failing step began: unpacked if it
	// could be, not scrubbed. Empty for a duplicate.
	Payload []byte
	// Rules are the scrubber's rules that the submission met.
	Rules []string
	// Namespace and DocType are the schema's own names, once it is known: few enough
	// to label metrics, whatever clients write.
	Namespace, DocType string
}

// Error is the reason and its cause.
func (e *RejectError) Error() string {
	if e.Err == nil {
		return string(e.Reason)
	}
	return string(e.Reason) + ": " + e.Err.Error()
}

// Unwrap is the cause.
func (e *RejectError) Unwrap() error { return e.Err }

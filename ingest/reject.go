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
	PathElements      Reason = "path_elements"       // too many or too few parts in the URI
	InvalidDocumentID Reason = "invalid_document_id" // the id in the URI is no UUID
	UnknownStub       Reason = "unknown_stub"        // a stub installer ping of a version we do not know
	PayloadTooLarge   Reason = "payload_too_large"   // more bytes than the limit once unpacked
	InvalidJSON       Reason = "invalid_json"        // not JSON, not UTF-8, or nested too deep
	NotAnObject       Reason = "not_an_object"       // JSON, but no object
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
	case UnknownPrefix, PathElements, InvalidDocumentID, UnknownStub:
		return "ParseUri"
	case PayloadTooLarge:
		return "LimitPayloadSize"
	case Duplicate:
		return "Duplicate"
	}
	return "ParsePayload"
}

// ExceptionClass is the reference's name for the fault: the column
// exception_class, so that queries written for the reference find their rows.
func (r Reason) ExceptionClass() string {
	const decoder = "com.mozilla.telemetry.decoder."
	switch r {
	case UnknownPrefix, InvalidDocumentID:
		return decoder + "ParseUri$InvalidUriException"
	case PathElements:
		return decoder + "ParseUri$UnexpectedPathElementsException"
	case UnknownStub:
		return decoder + "ParseUri$StubUri$UnknownPingVersionException"
	case PayloadTooLarge:
		return "com.mozilla.telemetry.transforms.LimitPayloadSize$PayloadTooLargeException"
	case InvalidJSON:
		return "com.fasterxml.jackson.core.JsonParseException"
	case NotAnObject:
		return "java.io.IOException"
	case UnknownDoctype, MissingVersion, UnknownVersion:
		return "com.mozilla.telemetry.ingestion.core.schema.SchemaNotFoundException"
	case SchemaViolation:
		return "org.everit.json.schema.ValidationException"
	case Expired:
		return decoder + "ParsePayload$DeprecatedMessageException"
	case Duplicate:
		return decoder + "Deduplicate$DuplicateIdException"
	}
	return "pinglake.DecoderPanic"
}

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

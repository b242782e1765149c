package decode

import (
	"fmt"
	"strings"

	"pinglake/ingest"
)

// The names of a URI's parts after its prefix, in order.
var (
	telemetryParts = []string{"document_id", "document_type", "app_name", "app_version", "app_update_channel", "app_build_id"}
	genericParts   = []string{"document_namespace", "document_type", "document_version", "document_id"}
)

// uriFault is why a URI can not be used. It is raised only after the body was
// unpacked, so that the error row has the payload as a person can read it.
type uriFault struct {
	reason ingest.Reason
	err    error
}

// referenceError is a message in the reference's words, so that queries written for
// its error table find their rows.
type referenceError string

func (e referenceError) Error() string { return string(e) }

const (
	errUnknownPrefix referenceError = "Unknown URI prefix"
	errNoUUID        referenceError = "Entry in document_id place is not a valid UUID"
)

// parseURI fills the attributes that the URI holds and nil, or says what is wrong
// with it. A decoded ping may have no URI: what it is stands in its attributes.
func (s *submission) parseURI() *uriFault {
	uri, ok := s.attributes["uri"]
	if !ok {
		return nil
	}
	switch {
	case strings.HasPrefix(uri, ingest.PrefixTelemetry):
		return s.parseDocumentURI(uri[len(ingest.PrefixTelemetry):], telemetryParts)
	case strings.HasPrefix(uri, ingest.PrefixGeneric):
		return s.parseDocumentURI(uri[len(ingest.PrefixGeneric):], genericParts)
	case strings.HasPrefix(uri, ingest.PrefixStub):
		return s.parseStubURI(uri[len(ingest.PrefixStub):])
	}
	return &uriFault{ingest.UnknownPrefix, errUnknownPrefix}
}

func (s *submission) parseDocumentURI(path string, names []string) *uriFault {
	delete(s.attributes, "message_id")
	parts := splitPath(path)
	if len(parts) != len(names) {
		return wrongCount(len(parts), len(names))
	}
	for i, name := range names {
		s.attributes[name] = parts[i]
	}
	if len(names) == len(telemetryParts) {
		s.attributes["document_namespace"] = "telemetry"
	}
	if _, ok := ingest.ParseDocumentID(s.attributes["document_id"]); !ok {
		return &uriFault{ingest.InvalidDocumentID, errNoUUID}
	}
	return nil
}

func wrongCount(got, want int) *uriFault {
	return &uriFault{ingest.PathElements,
		referenceError(fmt.Sprintf("Found %d more path elements in the URI than expected for this endpoint", got-want))}
}

// splitPath splits like Java's String.split("/"): trailing empty parts are
// dropped, others kept; the empty text is one empty part.
func splitPath(path string) []string {
	parts := strings.Split(path, "/")
	if path == "" {
		return parts
	}
	for len(parts) > 0 && parts[len(parts)-1] == "" {
		parts = parts[:len(parts)-1]
	}
	return parts
}

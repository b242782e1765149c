package decode

import (
	"errors"
	"fmt"
	"strings"

	"pinglake/ingest"
)

// The names of a URI's parts after its prefix, in order.
var (
	telemetryParts = []string{"document_id", "document_type", "app_name", "app_version", "app_update_channel", "app_build_id"}
	genericParts   = []string{"document_namespace", "document_type", "document_version", "document_id"}
)

// parseURI fills the attributes that the URI holds, or says why it can not. The
// caller refuses the submission only after the body was unpacked, so that the
// error row has the payload as a person can read it.
func (s *submission) parseURI() (ingest.Reason, error) {
	var prefix string
	var names []string
	switch uri := s.raw.URI; {
	case strings.HasPrefix(uri, ingest.PrefixTelemetry):
		prefix, names = ingest.PrefixTelemetry, telemetryParts
	case strings.HasPrefix(uri, ingest.PrefixStub):
		return ingest.UnknownStub, errors.New("stub installer pings are kept but not decoded")
	case strings.HasPrefix(uri, ingest.PrefixGeneric):
		prefix, names = ingest.PrefixGeneric, genericParts
	default:
		return ingest.UnknownPrefix, errors.New("unknown URI prefix")
	}
	parts := splitPath(s.raw.URI[len(prefix):])
	if len(parts) != len(names) {
		return ingest.PathElements,
			fmt.Errorf("the URI has %d parts after %s where %d are expected", len(parts), prefix, len(names))
	}
	for i, name := range names {
		s.attributes[name] = parts[i]
	}
	if prefix == ingest.PrefixTelemetry {
		s.attributes["document_namespace"] = "telemetry"
	}
	if _, ok := ingest.ParseDocumentID(s.attributes["document_id"]); !ok {
		return ingest.InvalidDocumentID, errors.New("the document_id in the URI is not a UUID")
	}
	return "", nil
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

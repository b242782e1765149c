// Package ingest holds the words of the line: what a submission is before and
// after it is opened, and why one may be refused.
//
// It does no I/O and imports nothing of ours, so that the edge, the stream, the
// decoder and the sink can speak to each other without knowing each other.
package ingest

import (
	"fmt"
	"strings"
	"time"
)

// Position is the place of one raw in the stream: the sequence of the pack that
// carries it and its index in that pack. The first pack is 1.
type Position struct {
	Pack  uint64
	Index uint32
}

// Raw is a submission unopened: what the edge saw, with the body as it came.
type Raw struct {
	// At is set by the stream when the raw is read back.
	At Position
	// URI is the path as it was sent: percent-encoding kept, no query.
	URI string
	// Submitted is the server's clock when the request had arrived, UTC, in
	// microseconds. Its date decides the partition.
	Submitted time.Time
	// Attributes are the request's other facts by their field names: args, host,
	// method, protocol, remote_addr and one for each captured header present
	// (lower case, underscores).
	Attributes map[string]string
	// Body is never opened before the decoder. It may be gzip'd.
	Body []byte
}

// Ping is one decoded submission.
type Ping struct {
	// Namespace, DocType and Version are the text of the submission, not yet
	// turned into table names.
	Namespace, DocType, Version string
	// ID is the dedup identity. The text as sent is Attributes["document_id"].
	ID DocumentID
	// Submitted is the server's submission_timestamp.
	Submitted time.Time
	// Attributes are what the pipeline knows of the ping: document_*, client_id,
	// sample_id, geo_*, user_agent_*, normalized_*, app_*, captured headers.
	Attributes map[string]string
}

// Document families: the tables of the landfill and of the errors.
const (
	FamilyStructured    = "structured"
	FamilyTelemetry     = "telemetry"
	FamilyStubInstaller = "stub_installer"
)

// Families lists the document families.
func Families() []string {
	return []string{FamilyStructured, FamilyTelemetry, FamilyStubInstaller}
}

// Prefixes of the submission URIs.
const (
	PrefixTelemetry = "/submit/telemetry/"
	PrefixGeneric   = "/submit/"
	PrefixStub      = "/stub/"
)

// Family names the landfill and error table a URI belongs to.
func Family(uri string) string {
	switch {
	case strings.HasPrefix(uri, PrefixTelemetry):
		return FamilyTelemetry
	case strings.HasPrefix(uri, PrefixStub):
		return FamilyStubInstaller
	}
	return FamilyStructured
}

// timestampLayout is the text form of submission_timestamp: UTC, microseconds.
const timestampLayout = "2006-01-02T15:04:05.000000Z"

// FormatTimestamp writes t as submission_timestamp text, UTC with microseconds.
func FormatTimestamp(t time.Time) string { return t.UTC().Format(timestampLayout) }

// ParseTimestamp reads submission_timestamp text: an ISO instant in UTC with any
// fraction or none, cut to microseconds.
func ParseTimestamp(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}, err
	}
	return t.UTC().Truncate(time.Microsecond), nil
}

// Pack is one message of the stream: the raws that were made durable together.
type Pack struct {
	// Seq is the pack's sequence in the stream. The first is 1.
	Seq uint64
	// Raws are in the order in which they were packed; At is set.
	Raws []Raw
	// Bytes is the size of the pack in the stream.
	Bytes int
}

// The days that a partition can have.
var (
	firstSubmitted = time.Date(1970, 1, 2, 0, 0, 0, 0, time.UTC)
	endSubmitted   = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
)

// CheckSubmitted refuses times that no partition is for: before 1970-01-02, as
// clocks say that were never set, and after 9999-12-31.
func CheckSubmitted(t time.Time) error {
	if t.Before(firstSubmitted) || !t.Before(endSubmitted) {
		return fmt.Errorf("submission_timestamp %s is outside 1970-01-02 to 9999-12-31", t.UTC().Format(time.RFC3339))
	}
	return nil
}

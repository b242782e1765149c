package decode

import (
	"time"

	"pinglake/ingest"
)

// sanitize makes a ping as coarse as its schema wants it: the time is cut first,
// then attributes are removed or replaced.
func (p *part) sanitize(submitted time.Time) {
	p.submitted = submitted
	metadata := p.doctype.Metadata()
	if metadata.Granularity > 0 && !submitted.IsZero() {
		p.submitted = submitted.Truncate(metadata.Granularity)
	}
	if at, err := ingest.ParseTimestamp(p.attributes["submission_timestamp"]); err == nil && metadata.Granularity > 0 {
		p.attributes["submission_timestamp"] = formatInstant(at.Truncate(metadata.Granularity))
	}
	for _, o := range metadata.Overrides {
		if o.Value == nil {
			delete(p.attributes, o.Name)
			continue
		}
		p.attributes[o.Name] = *o.Value
	}
}

// formatInstant writes a time as Java's Instant does: with three or six digits
// behind the second, or none.
func formatInstant(t time.Time) string {
	switch t = t.UTC(); {
	case t.Nanosecond() == 0:
		return t.Format("2006-01-02T15:04:05Z")
	case t.Nanosecond()%int(time.Millisecond) == 0:
		return t.Format("2006-01-02T15:04:05.000Z")
	}
	return ingest.FormatTimestamp(t)
}

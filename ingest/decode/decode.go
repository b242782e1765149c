// Package decode turns a raw submission into rows: the pings it holds, or the
// reason why it was refused.
//
// It is a pure function of the raw and of what the Decoder was given at the
// start; the order of its steps is the reference's, and matters: addresses are
// forgotten before anything can be refused, so that none reaches an error row.
package decode

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fastjson"

	"pinglake/ingest"
	"pinglake/lake/schema"
)

// DefaultMaxPayload is the largest payload, unpacked, in bytes.
const DefaultMaxPayload = 8 << 20

// Schemas finds the doctype a submission claims to be. Its errors wrap
// schema.ErrUnknownDoctype or schema.ErrUnknownVersion.
type Schemas interface {
	Lookup(namespace, doctype, version string) (*schema.Doctype, error)
	// Names are a known doctype's own names, whatever its version.
	Names(namespace, doctype string) (schema.Names, bool)
	// Accept is told of a valid payload. An error wraps schema.ErrUnknownDoctype.
	Accept(*schema.Doctype) error
}

// ClientIP says whether landfill rows keep the client's addresses.
type ClientIP bool

// The two answers. Forget is the default.
const (
	ForgetClientIP ClientIP = false
	KeepClientIP   ClientIP = true
)

// Options configure a Decoder. Only Schemas is required.
type Options struct {
	Schemas Schemas
	// MaxPayload is the largest payload in bytes once unpacked; 0 is
	// DefaultMaxPayload.
	MaxPayload int
	// LandfillIP is for landfill rows only: no other row ever has an address.
	LandfillIP ClientIP
	// Geo says where addresses are; nil knows no place.
	Geo *Geo
	// Proxies is how many entries at the end of X-Forwarded-For were added by
	// proxies of our own, behind the client's address.
	Proxies int
	// Scrubber is asked about every payload; nil keeps all.
	Scrubber *Scrubber
	// LogEntries takes messages that no edge stamped for entries of a log that hold
	// a ping.
	LogEntries bool
	// Metrics is where the metrics are registered. nil registers none.
	Metrics prometheus.Registerer
}

// Decoder decodes raws. It keeps no state between them and is safe for
// concurrent use.
type Decoder struct {
	Options
	metrics metrics
	// One table a family: rows of one table share a file by its address.
	landfill, errors map[string]*schema.Table
}

// New is a Decoder with the options' defaults filled in.
func New(o Options) *Decoder {
	if o.MaxPayload == 0 {
		o.MaxPayload = DefaultMaxPayload
	}
	d := &Decoder{
		Options: o, metrics: newMetrics(o.Metrics),
		landfill: map[string]*schema.Table{}, errors: map[string]*schema.Table{},
	}
	if o.Metrics != nil {
		o.Metrics.MustRegister(o.Geo.Collector())
	}
	for _, family := range ingest.Families() {
		d.landfill[family], d.errors[family] = schema.Raw(family), schema.Errors(family)
	}
	return d
}

// Decoded is a ping with its row in its live table.
type Decoded struct {
	ingest.Ping
	Doctype *schema.Doctype
	Row     schema.Row
}

// Result is what a submission held.
type Result struct {
	// Pings are the parts of a ping that its schema splits, else one.
	Pings []Decoded
	// Bytes is the size of the payload, unpacked.
	Bytes int
	// Rules are the scrubber's rules that changed the payload.
	Rules []string
}

// Decode opens raw. The error, if any, is an *ingest.RejectError; a panic on the
// way is one too, so that one bad submission stops nothing but itself. raw is
// not changed, and the rows share no memory with a later Decode.
func (d *Decoder) Decode(raw *ingest.Raw) (result Result, err error) {
	s := d.newSubmission(raw)
	defer s.recoverPanic(&err)
	parts, err := s.open()
	if err != nil {
		return Result{}, err
	}
	result = Result{Pings: make([]Decoded, 0, len(parts)), Bytes: len(s.payload), Rules: s.rules}
	for i := range parts {
		ping, err := s.ping(&parts[i])
		if err != nil {
			return Result{}, err
		}
		result.Pings = append(result.Pings, ping)
	}
	return result, nil
}

// part is one ping of a submission.
type part struct {
	attributes map[string]string
	document   *fastjson.Value
	doctype    *schema.Doctype
	submitted  time.Time // as coarse as the schema wants it
}

// ping makes the row of a part. A ping without a document_id gets one from its
// place in the stream.
func (s *submission) ping(p *part) (Decoded, error) {
	text, ok := p.attributes["document_id"]
	if !ok {
		text = nameID(s.positionName()).String()
		p.attributes["document_id"] = text
	}
	id, ok := ingest.ParseDocumentID(text)
	if !ok {
		return Decoded{}, s.reject(ingest.InvalidDocumentID, errNoUUID)
	}
	row, err := p.doctype.Row(schema.Document{Payload: p.document, Submitted: p.submitted, Attributes: p.attributes})
	if err != nil {
		return Decoded{}, s.reject(ingest.SchemaViolation, err)
	}
	return Decoded{
		Ping: ingest.Ping{
			Namespace: p.attributes["document_namespace"], DocType: p.attributes["document_type"],
			Version: p.attributes["document_version"], ID: id, Submitted: p.submitted, Attributes: p.attributes,
		},
		Doctype: p.doctype, Row: row,
	}, nil
}

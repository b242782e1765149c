// Package decode turns a raw submission into rows: the pings it holds, or the
// reason why it was refused.
//
// It is a pure function of the raw and of what the Decoder was given at the
// start; the order of its steps is the reference's, and matters: addresses are
// forgotten before anything can be refused, so that none reaches an error row.
package decode

import (
	"errors"
	"fmt"
	"maps"
	"runtime/debug"

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

// Options configure a Decoder.
type Options struct {
	Schemas Schemas
	// MaxPayload is the largest payload in bytes once unpacked; 0 is
	// DefaultMaxPayload.
	MaxPayload int
	// LandfillIP is for landfill rows only: no other row ever has an address.
	LandfillIP ClientIP
}

// Decoder decodes raws. It keeps no state between them and is safe for
// concurrent use.
type Decoder struct {
	schemas    Schemas
	maxPayload int
	landfillIP ClientIP
	// One table a family: rows of one table share a file by its address.
	landfill, errors map[string]*schema.Table
}

// New is a Decoder with the options' defaults filled in.
func New(o Options) *Decoder {
	if o.MaxPayload == 0 {
		o.MaxPayload = DefaultMaxPayload
	}
	d := &Decoder{
		schemas: o.Schemas, maxPayload: o.MaxPayload, landfillIP: o.LandfillIP,
		landfill: map[string]*schema.Table{}, errors: map[string]*schema.Table{},
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

// Decode opens raw. The error, if any, is an *ingest.RejectError; a panic on the
// way is one too, so that one bad submission stops nothing but itself. raw is
// not changed, and the rows share no memory with a later Decode.
func (d *Decoder) Decode(raw *ingest.Raw) (pings []Decoded, err error) {
	s := submission{Decoder: d, raw: raw, attributes: ownAttributes(raw), payload: raw.Body}
	defer func() {
		if p := recover(); p != nil {
			s.attributes["stack_trace"] = string(debug.Stack())
			pings, err = nil, s.reject(ingest.DecoderPanic, fmt.Errorf("%v", p))
		}
	}()
	return s.decode()
}

// submission is one raw on its way through the steps.
type submission struct {
	*Decoder
	raw        *ingest.Raw
	attributes map[string]string // what is known so far
	payload    []byte            // the body as the current step sees it
	bomb       bool              // it unpacks to more than maxPayload
	doctype    *schema.Doctype   // once it is known
}

// ownAttributes is a copy of the raw's attributes without its addresses.
func ownAttributes(raw *ingest.Raw) map[string]string {
	attributes := make(map[string]string, len(raw.Attributes)+24)
	maps.Copy(attributes, raw.Attributes)
	delete(attributes, "x_forwarded_for")
	delete(attributes, "remote_addr")
	attributes["uri"] = raw.URI
	return attributes
}

func (s *submission) decode() ([]Decoded, error) {
	reason, err := s.parseURI()
	s.unpack()
	if err != nil {
		return nil, s.reject(reason, err)
	}
	if s.bomb || len(s.payload) > s.maxPayload {
		return nil, s.reject(ingest.PayloadTooLarge,
			fmt.Errorf("the payload has more than %d bytes once unpacked", s.maxPayload))
	}
	document, err := parseDocument(s.payload)
	if err != nil {
		return nil, s.rejectDocument(err)
	}
	dropReserved(document)
	clientID := normalizeClientID(document)
	doctype, version, err := s.lookup(document)
	if err != nil {
		return nil, err
	}
	s.doctype = doctype
	if err := doctype.Validate(document); err != nil {
		return nil, s.reject(ingest.SchemaViolation, err)
	}
	if err := s.schemas.Accept(doctype); err != nil {
		s.doctype = nil
		return nil, s.reject(ingest.UnknownDoctype, err)
	}
	metadata := doctype.Metadata()
	if through := metadata.CollectThrough; !through.IsZero() && schema.DateOf(s.raw.Submitted) > schema.DateOf(through) {
		return nil, s.reject(ingest.Expired, fmt.Errorf("collected through %s", through.Format("2006-01-02")))
	}

	s.attributes["document_version"] = version
	s.addPayloadAttributes(document, clientID)
	s.addSampleID(document, metadata)
	s.parseUserAgent()
	s.normalize()

	id, _ := ingest.ParseDocumentID(s.attributes["document_id"])
	row, err := doctype.Row(schema.Document{Payload: document, Submitted: s.raw.Submitted, Attributes: s.attributes})
	if err != nil {
		return nil, s.reject(ingest.SchemaViolation, err)
	}
	ping := ingest.Ping{
		Namespace:  s.attributes["document_namespace"],
		DocType:    s.attributes["document_type"],
		Version:    version,
		ID:         id,
		Submitted:  s.raw.Submitted,
		Attributes: s.attributes,
	}
	return []Decoded{{Ping: ping, Doctype: doctype, Row: row}}, nil
}

// lookup finds the doctype, and the version of a submission whose URI has none.
func (s *submission) lookup(document *fastjson.Value) (*schema.Doctype, string, error) {
	namespace, doctype := s.attributes["document_namespace"], s.attributes["document_type"]
	version, found := s.attributes["document_version"]
	if !found {
		version, found = payloadVersion(document)
	}
	known, err := s.schemas.Lookup(namespace, doctype, version)
	switch {
	case errors.Is(err, schema.ErrUnknownDoctype):
		return nil, "", s.reject(ingest.UnknownDoctype, err)
	case !found:
		return nil, "", s.reject(ingest.MissingVersion,
			errors.New("the URI has no version and the payload neither version nor v"))
	case errors.Is(err, schema.ErrUnknownVersion):
		return nil, "", s.reject(ingest.UnknownVersion, err)
	case err != nil:
		return nil, "", s.reject(ingest.UnknownDoctype, err)
	}
	return known, version, nil
}

func (s *submission) reject(reason ingest.Reason, err error) *ingest.RejectError {
	reject := &ingest.RejectError{Reason: reason, Err: err, Attributes: s.attributes, Payload: s.payload}
	if s.doctype != nil {
		reject.Namespace, reject.DocType = s.doctype.Namespace, s.doctype.DocType
	}
	return reject
}

func (s *submission) rejectDocument(err error) *ingest.RejectError {
	if errors.Is(err, errNotAnObject) {
		return s.reject(ingest.NotAnObject, err)
	}
	return s.reject(ingest.InvalidJSON, err)
}

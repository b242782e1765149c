package decode

import (
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"strings"
	"time"

	"github.com/valyala/fastjson"

	"pinglake/ingest"
	"pinglake/lake/schema"
)

// submission is one raw on its way through the steps.
type submission struct {
	*Decoder
	raw        *ingest.Raw
	attributes map[string]string // what is known so far
	payload    []byte            // the body as the current step sees it
	submitted  time.Time         // zero if nobody said
	decoded    bool              // it is a decoded ping that comes again, not a client's request
	stub       []byte            // the payload that the URI of a stub ping says
	bomb       bool              // it unpacks to more than MaxPayload
	rules      []string          // of the scrubber, that it met
	doctype    *schema.Doctype   // once it is known
	// entered are the attributes with which the payload's steps began, if those
	// steps change any: an error row has these.
	entered map[string]string
}

func (d *Decoder) newSubmission(raw *ingest.Raw) *submission {
	attributes := make(map[string]string, len(raw.Attributes)+24)
	maps.Copy(attributes, raw.Attributes)
	_, decoded := attributes["document_type"]
	if raw.URI != "" {
		attributes["uri"] = raw.URI
	}
	if _, ok := attributes["uri"]; !ok {
		decoded = true
	}
	return &submission{
		Decoder: d, raw: raw, attributes: attributes, payload: raw.Body, submitted: raw.Submitted, decoded: decoded,
	}
}

// recoverPanic turns a panic into a reject.
func (s *submission) recoverPanic(err *error) {
	if p := recover(); p != nil {
		s.attributes["stack_trace"] = string(debug.Stack())
		s.forgetAddresses()
		*err = s.reject(ingest.DecoderPanic, fmt.Errorf("%v", p))
	}
}

func (s *submission) forgetAddresses() {
	delete(s.attributes, "x_forwarded_for")
	delete(s.attributes, "remote_addr")
}

// open takes the submission through the steps, in the reference's order.
func (s *submission) open() ([]part, error) {
	fault := s.parseURI()
	s.locate()
	s.unpack()
	if _, stamped := s.attributes["submission_timestamp"]; s.LogEntries && !stamped && s.submitted.IsZero() {
		if err := s.openLogEntry(); err != nil {
			return nil, err
		}
	}
	if v := s.Scrubber.scrubURI(s.attributes); v.kind != scrubKeep {
		return nil, s.scrubbed(v, ingest.UnwantedURI)
	}
	if fault != nil {
		return nil, s.reject(fault.reason, fault.err)
	}
	if s.stub != nil {
		s.payload, s.bomb = s.stub, false
	}
	if s.bomb {
		return nil, s.reject(ingest.PayloadTooLarge, referenceError(fmt.Sprintf(
			"Message payload is more than %dbytes, larger than the configured limit of %d", s.MaxPayload, s.MaxPayload)))
	}
	if len(s.payload) > s.MaxPayload {
		return nil, s.reject(ingest.PayloadTooLarge, referenceError(fmt.Sprintf(
			"Message payload is %dbytes, larger than the configured limit of %d", len(s.payload), s.MaxPayload)))
	}
	return s.openPayload()
}

// locate replaces the client's address by where it is.
func (s *submission) locate() {
	skip := 0
	if _, ok := s.attributes["x_forwarded_for"]; ok && s.Geo != nil {
		skip = s.addressesToSkip()
	}
	trimProxies(s.attributes, s.Proxies, skip)
	s.Geo.addISP(s.attributes)
	s.Geo.addCity(s.attributes)
	s.forgetAddresses()
}

// addressesToSkip is how many more proxies the doctype says there are. What has no
// version in its URI is not known yet.
func (s *submission) addressesToSkip() int {
	version, ok := s.attributes["document_version"]
	if !ok {
		return 0
	}
	doctype, err := s.Schemas.Lookup(s.attributes["document_namespace"], s.attributes["document_type"], version)
	if err != nil {
		return 0
	}
	return doctype.Metadata().GeoIPSkip
}

// openPayload reads and judges the payload.
func (s *submission) openPayload() ([]part, error) {
	var document *fastjson.Value
	err := timed(s.metrics.parse, func() (err error) {
		document, err = parseDocument(s.payload)
		return err
	})
	switch {
	case errors.Is(err, errNotAnObject):
		return nil, s.reject(ingest.NotAnObject, err)
	case err != nil:
		return nil, s.reject(ingest.InvalidJSON, err)
	}
	if s.decoded {
		s.entered = maps.Clone(s.attributes)
		s.recoverAttributes(document)
	}
	dropReserved(document)
	clientID := normalizeClientID(document)
	v := s.Scrubber.scrub(s.attributes, document)
	s.rules = v.hits
	if v.kind != scrubKeep {
		return nil, s.scrubbed(v, ingest.Unwanted)
	}
	version, err := s.lookup(document)
	if err != nil {
		return nil, err
	}
	if err := timed(s.metrics.validate, func() error { return s.validate(document) }); err != nil {
		return nil, s.reject(ingest.SchemaViolation, err)
	}
	if err := s.Schemas.Accept(s.doctype); err != nil {
		s.doctype = nil
		return nil, s.reject(ingest.UnknownDoctype, err)
	}
	metadata := s.doctype.Metadata()
	if isPast(metadata.CollectThrough, s.submitted) {
		return nil, s.reject(ingest.Expired, nil)
	}

	s.attributes["document_version"] = version
	s.addPayloadAttributes(document, clientID)
	s.addSampleID(document, metadata)
	s.parseUserAgent()
	s.normalize()
	parts := s.split(document, metadata.Split)
	for i := range parts {
		parts[i].sanitize(s.submitted)
	}
	return parts, nil
}

// validate says whether the document keeps to its schema. The schemas of parts may
// ask for the pipeline's own words, which a part has only once it was decoded.
func (s *submission) validate(document *fastjson.Value) error {
	err := s.doctype.Validate(document)
	if err == nil || !s.decoded {
		return err
	}
	if whole, parseErr := parseDocument(s.payload); parseErr == nil && s.doctype.Validate(whole) == nil {
		return nil
	}
	return err
}

// isPast says whether a submission came after the last day of its collection.
func isPast(through, submitted time.Time) bool {
	return !through.IsZero() && !submitted.IsZero() && schema.DateOf(submitted) > schema.DateOf(through)
}

// lookup finds the doctype, and the version of a submission whose URI has none.
func (s *submission) lookup(document *fastjson.Value) (version string, err error) {
	namespace, doctype := s.attributes["document_namespace"], s.attributes["document_type"]
	version, found := s.attributes["document_version"]
	if !found {
		version, found = payloadVersion(document)
	}
	known, err := s.Schemas.Lookup(namespace, doctype, version)
	switch {
	case errors.Is(err, schema.ErrUnknownDoctype):
		return "", s.reject(ingest.UnknownDoctype, explained("No such docType: "+s.name("document_namespace")+"/"+s.name("document_type"), err))
	case !found:
		return "", s.reject(ingest.MissingVersion,
			errors.New("the URI has no version and the payload neither version nor v"))
	case err != nil:
		return "", s.reject(ingest.UnknownVersion, explained(fmt.Sprintf("No schema with name: %s/%s/%s.%s.schema.json", namespace, doctype, doctype, version), err))
	}
	s.doctype = known
	return version, nil
}

// name is an attribute as the reference's messages have it.
func (s *submission) name(attribute string) string {
	if value, ok := s.attributes[attribute]; ok {
		return value
	}
	return "null"
}

// explained adds to the reference's words what the registry knows beyond them.
func explained(text string, err error) error {
	detail := err
	if inner := errors.Unwrap(err); inner != nil {
		detail = inner
	}
	if detail == schema.ErrUnknownDoctype || detail == schema.ErrUnknownVersion {
		return referenceError(text)
	}
	return referenceError(text + " (" + strings.TrimSpace(detail.Error()) + ")")
}

// scrubbed is what becomes of a submission that a rule refuses.
func (s *submission) scrubbed(v verdict, unwanted ingest.Reason) error {
	s.rules = v.hits
	reason := unwanted
	switch v.kind {
	case scrubDrop:
		reason = ingest.Dropped
	case scrubBug:
		reason = ingest.AffectedByBug
	}
	return s.reject(reason, referenceError(v.id))
}

// reject refuses the submission as it entered the step.
func (s *submission) reject(reason ingest.Reason, err error) *ingest.RejectError {
	attributes := s.attributes
	if s.entered != nil && reason != ingest.DecoderPanic {
		attributes = s.entered
	}
	reject := &ingest.RejectError{Reason: reason, Err: err, Attributes: attributes, Payload: s.payload, Rules: s.rules}
	switch {
	case s.doctype != nil:
		reject.Namespace, reject.DocType = s.doctype.Namespace, s.doctype.DocType
	case s.Schemas != nil:
		if known, ok := s.Schemas.Names(attributes["document_namespace"], attributes["document_type"]); ok {
			reject.Namespace, reject.DocType = known.Namespace, known.DocType
		}
	}
	return reject
}

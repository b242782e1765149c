package sim

import (
	"bytes"

	"pinglake/ingest"
)

// fault is what is wrong with a malformed submission.
type fault uint8

const (
	noFault fault = iota
	cutJSON
	cutGzip
	invalidUTF8
	noObject
	breaksSchema
	strangeDoctype
	strangeNamespace
	strangeVersion
	badID
	shortPath
	longPath
	faults // how many there are, with noFault
)

// reason is what the decoder must refuse a submission with this fault for.
func (f fault) reason() ingest.Reason {
	switch f {
	case cutJSON, cutGzip, invalidUTF8:
		return ingest.InvalidJSON
	case noObject:
		return ingest.NotAnObject
	case breaksSchema:
		return ingest.SchemaViolation
	case strangeDoctype, strangeNamespace:
		return ingest.UnknownDoctype
	case strangeVersion:
		return ingest.UnknownVersion
	case badID:
		return ingest.InvalidDocumentID
	}
	return ingest.PathElements
}

// letter is a submission before it is folded: what the URI says and the payload.
type letter struct {
	namespace, doctype, version, id string
	path                            string // instead of all of the above, if set
	payload                         []byte
	gzip                            bool
	cut                             bool // half of the gzip'd body is lost
}

func (l *letter) uri() string {
	if l.path != "" {
		return l.path
	}
	return "/submit/" + l.namespace + "/" + l.doctype + "/" + l.version + "/" + l.id
}

// breakages each turn a payload of ours into one that its schema refuses.
var breakages = [][2]string{
	{`"seq":`, `"sequence":`},                         // a required member is missing
	{`"end_time":"`, `"end_time":0,"ended":"`},        // a member of another type
	{`"client_info":{`, `"client_info":7,"client":{`}, // an object that is none
	{`"telemetry_sdk_build":"`, `"app_sdk":"`},
}

// spoil puts the fault into the letter.
func (l *letter) spoil(f fault, d *dice, id ingest.DocumentID) {
	switch f {
	case cutJSON:
		l.payload = l.payload[:len(l.payload)/2]
	case cutGzip:
		l.gzip, l.cut = true, true
	case invalidUTF8:
		l.payload = bytes.Replace(l.payload, []byte(`"locale":"`), []byte("\"locale\":\"\xff\xfe"), 1)
	case noObject:
		l.payload = pick(d, [][]byte{[]byte(`[]`), []byte(`"ping"`), []byte(`42`), []byte(`null`), append(append([]byte{'['}, l.payload...), ']')})
	case breaksSchema:
		b := pick(d, breakages)
		l.payload = bytes.Replace(l.payload, []byte(b[0]), []byte(b[1]), 1)
	case strangeDoctype:
		l.doctype = "No_Such_Ping" // not even a Glean app may call a ping so
	case strangeNamespace:
		l.namespace = "no-such-app"
	case strangeVersion:
		l.version = "99"
	case badID:
		l.id = pick(d, []string{"not-a-document-id", shortHex(id), id.String() + "0", "{" + id.String()[1:35] + "}"})
	case shortPath:
		l.path = pick(d, []string{"/submit/" + l.namespace, "/submit/" + l.namespace + "/" + l.doctype + "/" + l.id})
	case longPath:
		l.path = l.uri() + "/again"
	}
}

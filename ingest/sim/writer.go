package sim

import (
	"bytes"
	"net/http"
	"strconv"
	"time"

	"github.com/klauspost/compress/gzip"

	"pinglake/ingest"
)

// writer turns facts into messages. It is not safe for concurrent use.
type writer struct {
	*Population
	dice    *dice
	plan    []ping
	payload []byte
	packed  bytes.Buffer
	packer  *gzip.Writer
}

func newWriter(p *Population) *writer {
	w := &writer{Population: p, dice: newDice(p.Seed)}
	packer, err := gzip.NewWriterLevel(&w.packed, gzip.BestSpeed)
	if err != nil {
		panic(err) // the level is a constant that exists
	}
	w.packer = packer
	return w
}

// raw is the submission of an arrival as the edge would have caught it. It
// shares nothing with the writer.
func (w *writer) raw(a arrival) ingest.Raw {
	c := w.client(w.dice, a.client)
	w.plan = w.Population.plan(w.dice, &c, a.made, w.plan[:0])
	s := &w.plan[a.index]
	l := w.letter(&c, s, a.kind)
	raw := ingest.Raw{URI: l.uri(), Submitted: time.UnixMicro(a.at).UTC(), Body: w.fold(l)}
	raw.Attributes = c.attributes(a.at, len(raw.Body))
	return raw
}

// letter writes one copy of a ping, or the broken submission beside it.
func (w *writer) letter(c *client, s *ping, kind copyKind) letter {
	w.payload = w.body(w.dice, c, s, w.sequence(w.dice, c, s), w.payload[:0])
	id := documentID(w.dice, s)
	l := letter{
		namespace: w.Namespace, doctype: s.doctype.String(), version: "1", id: id.String(),
		payload: w.payload, gzip: !c.platform.beacon(),
	}
	switch kind {
	case againCopy:
		if s.upper {
			l.id = upperHex(id)
		}
	case malformed:
		w.dice.set(forFault, s.client, s.made, s.index)
		id = w.dice.id()
		l.id = id.String()
		l.spoil(s.fault, w.dice, id)
	}
	return l
}

// fold is the body of a letter as it goes over the wire.
func (w *writer) fold(l letter) []byte {
	if !l.gzip {
		return bytes.Clone(l.payload)
	}
	w.packed.Reset()
	w.packer.Reset(&w.packed)
	// Writing to memory does not fail.
	_, _ = w.packer.Write(l.payload)
	_ = w.packer.Close()
	body := w.packed.Bytes()
	if l.cut {
		body = body[:len(body)/2]
	}
	return bytes.Clone(body)
}

// attributes are what the edge notes of a request of the client, with addresses
// of the ranges kept for documentation.
func (c *client) attributes(at int64, length int) map[string]string {
	a := map[string]string{
		"args":            "",
		"content_length":  strconv.Itoa(length),
		"host":            "pings.example.com",
		"method":          http.MethodPost,
		"protocol":        "HTTP/1.1",
		"remote_addr":     "192.0.2.10",
		"x_forwarded_for": "198.51.100." + strconv.Itoa(int(c.ip)) + ", 192.0.2.20",
	}
	for name, value := range c.headers(at) {
		a[name] = value
	}
	return a
}

// headers are those of the client's own that the edge keeps, by attribute name.
// at is when it sends, microseconds since 1970.
func (c *client) headers(at int64) map[string]string {
	h := map[string]string{}
	if c.platform.userAgent != "" {
		h["user_agent"] = c.platform.userAgent
	}
	if !c.platform.beacon() {
		h["x_telemetry_agent"] = c.platform.agent
		h["date"] = time.UnixMicro(at).UTC().Add(-200 * time.Millisecond).Format(http.TimeFormat)
	}
	return h
}

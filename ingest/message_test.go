package ingest

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var midnight = time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC)

func TestMessagesSurviveTheirText(t *testing.T) {
	for _, raw := range []Raw{
		{URI: "/submit/my-app/baseline/1/x", Submitted: midnight, Attributes: map[string]string{"host": "h", "args": ""}, Body: []byte("{}")},
		{URI: "/stub/v6/<&>", Submitted: midnight.Add(time.Microsecond), Attributes: map[string]string{"x_debug_id": "é\n\"\x00"}},
		{Submitted: midnight, Attributes: map[string]string{"document_type": "decoded"}, Body: []byte{0, 0xff, '\n'}},
	} {
		text, err := MessageOf(&raw).Line()
		if err != nil {
			t.Fatal(err)
		}
		if strings.ContainsRune(string(text), '\n') {
			t.Fatal("a message has more than one line")
		}
		message, err := ParseMessage(text)
		if err != nil {
			t.Fatal(err)
		}
		back, err := message.Raw()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(raw, back); diff != "" {
			t.Fatal(diff)
		}
	}
}

func TestParseMessage(t *testing.T) {
	at := `"submission_timestamp":"2026-11-01T00:00:00.5Z"`
	for _, c := range []struct{ name, text, want, fault string }{
		{"payload", `{"attributeMap":{"uri":"/u",` + at + `,"host":"h"},"payload":"aGk="}`, "/u hi", ""},
		{"null payload", `{"attributeMap":{"uri":"/u",` + at + `},"payload":null}`, "/u ", ""},
		{"no payload", `{"attributeMap":{"uri":"/u",` + at + `}}`, "/u ", ""},
		{"null attributes", `{"attributeMap":null,"payload":"aGk="}`, "", "message: attributeMap has no uri"},
		{"no attributes", `{"payload":"aGk="}`, "", "message: attributeMap has no uri"},
		{"no time", `{"attributeMap":{"uri":"/u"}}`, "", "message: attributeMap has no submission_timestamp"},
		{"bad time", `{"attributeMap":{"uri":"/u","submission_timestamp":"today"}}`, "",
			`message: submission_timestamp "today" is no UTC instant like 2026-01-31T12:00:00.000000Z`},
		{"bad base64", `{"attributeMap":{"uri":"/u",` + at + `},"payload":"*"}`, "", "message: payload is not base64: illegal base64 data at input byte 0"},
		{"not an object", `[1]`, "", "message: a JSON object is expected, not array"},
		{"wrong type", `{"attributeMap":{"uri":4}}`, "", "message: attributeMap can not be number"},
		{"null attribute", `{"attributeMap":{"uri":"/u","host":null,` + at + `}}`, "/u ", ""},
		{"null uri", `{"attributeMap":{"uri":null,` + at + `}}`, "", "message: attributeMap has no uri"},
		{"null", `null`, "", "message: a JSON object is expected, not null"},
		{"decoded ping", `{"attributeMap":{"document_type":"x",` + at + `},"payload":"aGk="}`, " hi", ""},
		{"cut off", `{"attributeMap":{"uri"`, "", "message: not JSON at byte 22: unexpected end of JSON input"},
		{"empty", ``, "", "message: not JSON at byte 0: unexpected end of JSON input"},
	} {
		t.Run(c.name, func(t *testing.T) {
			raw, err := parseRaw([]byte(c.text))
			fault := ""
			if err != nil {
				fault = err.Error()
			}
			if fault != c.fault {
				t.Fatalf("error %q, want %q", fault, c.fault)
			}
			if err != nil {
				return
			}
			if got := raw.URI + " " + string(raw.Body); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if want := time.Date(2026, 11, 1, 0, 0, 0, 500_000_000, time.UTC); !raw.Submitted.Equal(want) {
				t.Errorf("submitted %s, want %s", raw.Submitted, want)
			}
			for _, name := range []string{"uri", "submission_timestamp"} {
				if _, ok := raw.Attributes[name]; ok {
					t.Errorf("%s is an attribute too", name)
				}
			}
		})
	}
}

func parseRaw(text []byte) (Raw, error) {
	m, err := ParseMessage(text)
	if err != nil {
		return Raw{}, err
	}
	return m.Raw()
}

func FuzzParseMessage(f *testing.F) {
	text, err := MessageOf(&Raw{URI: "/submit/a/b/1/c", Submitted: midnight, Body: []byte("x")}).Line()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Fuzz(func(t *testing.T, text []byte) {
		if _, err := parseRaw(text); err != nil && strings.ContainsRune(err.Error(), '\n') {
			t.Errorf("the error has more than one line: %v", err)
		}
	})
}

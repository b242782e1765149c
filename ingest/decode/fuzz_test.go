package decode

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"testing"
	"unicode/utf8"

	"pinglake/ingest"
	"pinglake/lake/schema"
)

// A URI is parsed or refused for a reason, whatever it is, and what is parsed is
// the same when it comes again.
func FuzzURI(f *testing.F) {
	for _, uri := range []string{
		"", "/", "/submit", "/submit/", "/submit//", "/submit/telemetry/", "/submit/telemetry//", "/submit/sslreports", "/stub/", "/stub//",
		"/submit/a/b/1/1-1-1-1-1", "/submit/telemetry/1-1-1-1-1/main/Firefox/1/release/2",
		stubURI("v6", 36, nil), stubURI("v14-9", 47, map[int]string{13: "x"}), stubURI("v15", 48, nil),
	} {
		f.Add(uri)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		raw := &ingest.Raw{URI: uri, Attributes: map[string]string{"uri": uri}}
		first := New(Options{}).newSubmission(raw)
		if fault := first.parseURI(); fault != nil {
			if fault.reason == "" || fault.err == nil || fault.err.Error() == "" {
				t.Fatalf("%q is refused without a reason: %+v", uri, fault)
			}
			return
		}
		again := New(Options{}).newSubmission(&ingest.Raw{URI: uri, Attributes: first.attributes})
		if fault := again.parseURI(); fault != nil || !reflect.DeepEqual(first.attributes, again.attributes) {
			t.Fatalf("%q gives %v, then %v and %v", uri, first.attributes, again.attributes, fault)
		}
	})
}

// What is packed is unpacked, whatever stands behind it; what is cut off is not.
func FuzzGunzip(f *testing.F) {
	f.Add([]byte("hello"), []byte("garbage"), uint(3))
	f.Add([]byte(""), []byte("\x1f\x8b"), uint(0))
	f.Add([]byte("{}"), []byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x00"), uint(1))
	f.Fuzz(func(t *testing.T, plain, behind []byte, cut uint) {
		packed := []byte(gzipped(t, string(plain)))
		const limit = 1 << 20
		if len(plain) > limit {
			return
		}
		got, err := gunzip(packed, limit)
		if err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("unpacked %q, %v, want %q", got, err, plain)
		}
		if got, err := gunzip(append(packed, behind...), limit); !bytes.HasPrefix(behind, []byte("\x1f\x8b")) && (err != nil || !bytes.Equal(got, plain)) {
			t.Fatalf("with %q behind: %q, %v", behind, got, err)
		}
		if n := int(cut % uint(len(packed))); n < len(packed) {
			if _, err := gunzip(packed[:n], limit); err == nil {
				t.Fatalf("%d of %d bytes are whole gzip", n, len(packed))
			}
		}
		if len(plain) > 0 {
			if _, err := gunzip(packed, len(plain)-1); !errors.Is(err, errBomb) {
				t.Fatalf("past the limit: %v", err)
			}
		}
		_, _ = gunzip(plain, limit) // whatever it is, it ends
	})
}

// The parser takes what encoding/json takes as the first value of a text, if it is
// an object in UTF-8 within the bounds, and reads the same out of it.
func FuzzJSON(f *testing.F) {
	for _, text := range []string{
		good, "{}", "[]", "", " ", "null", `{"a":1}x`, `{"a":1e5,"b":-0,"c":0.10,"d":9223372036854775808}`, `{"a":1,"a":{"b":2,"b":3}}`,
		`{"a":"\u0000\ud83d\ude00é"}`, `{"a":tru}`, `{"a":[1,2`, "\xef\xbb\xbf{}", "{\"a\":\"\xff\"}", `{"a":01}`, `{"a":"\ud83d\u0041b"}`, `{"b":"\ud83d\ud83d\ude00"}`, `{"a":"\ud83d x","\udc00k":1}`, `{"a":"\\ud83d"}`, `{"\u0061":1,"a":2}`, `{"":{"":[[[]]]}}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		document, err := parseDocument(text)
		want, ok := oracle(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")))
		if ok != (err == nil) {
			t.Fatalf("%q: %v, want it taken: %t", text, err, ok)
		}
		if err != nil {
			return
		}
		var got any
		if err := unmarshal(schema.AppendJSON(nil, document), &got); err != nil {
			t.Fatalf("%q is written as no JSON: %v", text, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%q is read as %v, want %v", text, got, want)
		}
	})
}

// oracle is what encoding/json reads from a text, if the decoder must take it.
func oracle(text []byte) (value any, ok bool) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	var first json.RawMessage
	if decoder.Decode(&first) != nil || !utf8.Valid(text[:decoder.InputOffset()]) {
		return nil, false
	}
	if depth(first) > MaxDepth || longestNumber(first) > maxNumber || unmarshal(first, &value) != nil {
		return nil, false
	}
	_, ok = value.(map[string]any)
	return value, ok
}

func unmarshal(text []byte, into *any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	return decoder.Decode(into)
}

// depth is how deep the deepest value of a text lies.
func depth(text []byte) (deepest int) {
	decoder, level := json.NewDecoder(bytes.NewReader(text)), 0
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return deepest
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			deepest = max(deepest, level)
			level++
		case json.Delim('}'), json.Delim(']'):
			level--
		default:
			deepest = max(deepest, level)
		}
	}
}

func longestNumber(text []byte) (longest int) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return longest
		}
		if number, ok := token.(json.Number); ok {
			longest = max(longest, len(number))
		}
	}
}

// Whatever comes, it is a ping, a reject with a reason, or dropped by a rule. What
// is decoded is the same when it is decoded again.
func FuzzDecode(f *testing.F) {
	scrubber, err := LoadScrubber("")
	if err != nil {
		f.Fatal(err)
	}
	decoder := New(Options{Schemas: schemasOf(f, messageSchemas), Scrubber: scrubber})
	for _, body := range []string{good, "", "{}", `{"client_info":{"client_id":"x"}}`, gzipped(f, good), gzipped(f, good)[:50], "[[[["} {
		f.Add(baseline, []byte(body))
	}
	f.Add("/submit/telemetry/"+documentID+"/main/Firefox/1/release/2", []byte(`{"version":4}`))
	f.Add("/submit//", []byte("{}"))
	f.Add(stubURI("v6", 36, nil), []byte("{}"))
	for _, c := range messageCases {
		f.Add(c.attributes["uri"], []byte(c.payload))
	}
	f.Fuzz(func(t *testing.T, uri string, body []byte) {
		if !utf8.ValidString(uri) {
			return // the edge and messages give no such text
		}
		raw := rawOf(uri, string(body))
		result, err := decoder.Decode(raw)
		var reject *ingest.RejectError
		switch {
		case err == nil && len(result.Pings) == 0:
			t.Fatal("neither a ping nor a reject")
		case err != nil && (!errors.As(err, &reject) || reject.Reason == "" || reject.Reason == ingest.DecoderPanic):
			t.Fatalf("not a reject with a reason: %v", err)
		}
		once, err := decoder.DecodeMessage(ingest.MessageOf(raw), raw.At)
		if (err == nil) != (reject == nil) || len(once) != len(result.Pings) {
			t.Fatalf("%d pings and %v as rows, %d and %v as messages", len(result.Pings), reject, len(once), err)
		}
		for _, ping := range once {
			twice, err := decoder.DecodeMessage(ping, raw.At)
			if err != nil || len(twice) != 1 || messageText(twice[0]) != messageText(ping) {
				t.Fatalf("decoded once:\n%s\ntwice: %v\n%v", messageText(ping), err, twice)
			}
		}
	})
}

package sim

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dlclark/regexp2"
	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"pinglake/ingest"
)

var testEnd = time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC)

func smallPopulation() *Population {
	return New(Options{Seed: 7, Clients: 400, Days: 30, End: testEnd, DuplicateRatio: 0.05, MalformedRatio: 0.04})
}

func digest(t *testing.T, p *Population, days ...int) string {
	t.Helper()
	h := sha256.New()
	for _, day := range days {
		for raw := range p.Day(day) {
			text, err := ingest.MessageOf(&raw).Line()
			if err != nil {
				t.Fatal(err)
			}
			h.Write(text)
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

func TestTheSameSeedGivesTheSameBytes(t *testing.T) {
	want := digest(t, smallPopulation(), 0, 1, 2)
	if got := digest(t, smallPopulation(), 0, 1, 2); got != want {
		t.Errorf("another population of the same options: %s, want %s", got, want)
	}
	used := smallPopulation()
	used.Answers()
	digest(t, used, 9, 4)
	if got := digest(t, used, 0, 1, 2); got != want {
		t.Errorf("after other days were made: %s, want %s", got, want)
	}
	other := smallPopulation()
	other.Seed = 8
	if got := digest(t, other, 0, 1, 2); got == want {
		t.Error("another seed gives the same bytes")
	}
}

// The names and times of a seed's messages do not move from one version to the
// next unless somebody wants it: answers quoted elsewhere rest on them.
func TestTheFirstMessagesOfASeed(t *testing.T) {
	var got strings.Builder
	n := 0
	for raw := range smallPopulation().Messages() {
		got.WriteString(ingest.FormatTimestamp(raw.Submitted) + " " + raw.URI + "\n")
		if n++; n == 4 {
			break
		}
	}
	want := `2026-10-02T00:26:41.121811Z /submit/my-app/metrics/1/41f3ef49-fb1c-458b-8f8e-933492d211d5
2026-10-02T00:31:24.655259Z /submit/my-app/baseline/1/010c91d9-8c8f-453f-9944-258e65b8ede6
2026-10-02T00:36:45.789511Z /submit/my-app/shopping/1/09f23a86-30ec-456c-ac9e-60cccb58a3c2
2026-10-02T00:44:06.169954Z /submit/my-app/events/1/bbc75c99-2d7f-4d97-a479-f95d58898a2a
`
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Error(diff)
	}
}

func TestMessagesComeInOrderAndOnTheirDay(t *testing.T) {
	p := smallPopulation()
	last := time.Time{}
	for day := range p.Days {
		n := 0
		for raw := range p.Day(day) {
			n++
			if raw.Submitted.Before(last) {
				t.Fatalf("day %d: %s comes after %s", day, raw.Submitted, last)
			}
			last = raw.Submitted
			if got := raw.Submitted.Truncate(24 * time.Hour); !got.Equal(p.Date(day)) {
				t.Fatalf("day %s has a message of %s", p.Date(day), raw.Submitted)
			}
			if raw.Submitted.Location() != time.UTC || raw.Submitted.Nanosecond()%1000 != 0 {
				t.Fatalf("%v is not in UTC microseconds", raw.Submitted)
			}
		}
		if n == 0 {
			t.Errorf("day %d has no messages", day)
		}
	}
}

func TestStoppingEarlyIsFine(t *testing.T) {
	for range smallPopulation().Messages() {
		break
	}
}

func TestDaysOutsideThePeriodAreEmpty(t *testing.T) {
	p := smallPopulation()
	for _, day := range []int{-1, p.Days} {
		for range p.Day(day) {
			t.Errorf("day %d has messages", day)
		}
	}
}

func gunzip(body []byte) ([]byte, bool) {
	r, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, false
	}
	plain, err := io.ReadAll(r)
	return plain, err == nil
}

// sharedFile finds a file beside the repository, or skips the test.
func sharedFile(t *testing.T, name string) string {
	t.Helper()
	at, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
			break
		}
		if filepath.Dir(at) == at {
			t.Skip("no go.mod above the test")
		}
		at = filepath.Dir(at)
	}
	path := filepath.Join(at, "..", "shared", name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("the outside fixture %s is not here", name)
	}
	return path
}

type lookaround regexp2.Regexp

func (l *lookaround) MatchString(s string) bool {
	ok, err := (*regexp2.Regexp)(l).MatchString(s)
	return err == nil && ok
}

func (l *lookaround) String() string { return (*regexp2.Regexp)(l).String() }

func gleanSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	path := sharedFile(t, "fixtures/mozilla-pipeline-schemas/schemas/glean/glean/glean.1.schema.json")
	compiler := jsonschema.NewCompiler()
	compiler.UseRegexpEngine(func(s string) (jsonschema.Regexp, error) {
		re, err := regexp2.Compile(s, regexp2.None)
		return (*lookaround)(re), err
	})
	schema, err := compiler.Compile(path)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func TestValidPingsKeepTheGleanSchemaAndBrokenOnesBreakIt(t *testing.T) {
	schema := gleanSchema(t)
	p := smallPopulation()
	w := newWriter(p)
	checked := map[bool]int{}
	for day := range 8 {
		for _, a := range p.arrivals(day) {
			fault := w.faultOf(a)
			if fault != noFault && fault != breaksSchema {
				continue
			}
			raw := w.raw(a)
			plain := raw.Body
			if unpacked, ok := gunzip(raw.Body); ok {
				plain = unpacked
			}
			value, err := jsonschema.UnmarshalJSON(bytes.NewReader(plain))
			if err != nil {
				t.Fatalf("%s: %v\n%s", raw.URI, err, plain)
			}
			err = schema.Validate(value)
			if (err == nil) != (fault == noFault) {
				t.Fatalf("%s: valid %v, fault %d: %v\n%s", raw.URI, err == nil, fault, err, plain)
			}
			checked[fault == noFault]++
		}
	}
	if checked[true] < 500 || checked[false] < 2 {
		t.Errorf("only %d valid and %d broken pings were checked", checked[true], checked[false])
	}
}

// faultOf says what is wrong with an arrival.
func (w *writer) faultOf(a arrival) fault {
	if a.kind != malformed {
		return noFault
	}
	c := w.client(w.dice, a.client)
	return w.Population.plan(w.dice, &c, a.made, nil)[a.index].fault
}

func TestBodiesAreOfRealisticSize(t *testing.T) {
	var sizes, packed, count int
	var smallest, largest = 1 << 20, 0
	for raw := range smallPopulation().Day(3) {
		if !strings.Contains(raw.URI, "/baseline/1/") {
			continue
		}
		plain, ok := gunzip(raw.Body)
		if ok {
			packed++
		} else {
			plain = raw.Body
		}
		if plain[0] != '{' || !json.Valid(plain) {
			continue
		}
		count++
		sizes += len(plain)
		smallest, largest = min(smallest, len(plain)), max(largest, len(plain))
	}
	if mean := sizes / count; mean < 1000 || mean > 2048 || smallest < 700 || largest > 2500 {
		t.Errorf("baseline pings have %d..%d bytes, %d on average", smallest, largest, mean)
	}
	if part := float64(packed) / float64(count); part < 0.75 || part > 0.95 {
		t.Errorf("%.2f of the bodies are gzip'd", part)
	}
}

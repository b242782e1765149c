package schema

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fastjson"
)

// sharedFolder finds outside data kept beside the repository.
func sharedFolder(t testing.TB, name string) string {
	t.Helper()
	at, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		folder := filepath.Join(at, "..", "shared", name)
		if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
			if _, err := os.Stat(folder); err != nil {
				t.Skipf("outside data not here: %v", err)
			}
			return folder
		}
		if at == filepath.Dir(at) {
			t.Skip("outside data not here: no repository root above the test")
		}
		at = filepath.Dir(at)
	}
}

// parse reads a payload the way the decoder does: reserved keys are gone.
func parse(t testing.TB, data []byte) *fastjson.Value {
	t.Helper()
	v, err := fastjson.ParseBytes(data)
	if err != nil {
		t.Fatalf("parse %.60q: %v", data, err)
	}
	for _, key := range []string{"metadata", "submission_timestamp", "document_id", "sample_id", "normalized_app_name",
		"normalized_channel", "normalized_country_code", "normalized_os", "normalized_os_version"} {
		v.Del(key)
	}
	return v
}

var submitted = time.Date(2026, 11, 22, 19, 41, 10, 436000*1000, time.UTC)

func TestPipelineSchemasAcceptAndRefuseTheirValidationPings(t *testing.T) {
	shared := sharedFolder(t, "fixtures/mozilla-pipeline-schemas")
	r, err := Open(Options{Dir: shared})
	if err != nil {
		t.Fatal(err)
	}
	pings, err := filepath.Glob(filepath.Join(shared, "validation", "*", "*.json"))
	if err != nil || len(pings) < 100 {
		t.Fatalf("%d validation pings, %v", len(pings), err)
	}
	for _, name := range pings {
		namespace := filepath.Base(filepath.Dir(name))
		parts := strings.Split(filepath.Base(name), ".")
		t.Run(namespace+"/"+filepath.Base(name), func(t *testing.T) {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			d, err := r.Lookup(namespace, parts[0], parts[1])
			if err != nil {
				t.Fatal(err)
			}
			payload, err := fastjson.ParseBytes(data)
			if err != nil {
				t.Fatal(err)
			}
			err = d.Validate(payload)
			if want := parts[len(parts)-2] == "pass"; (err == nil) != want {
				t.Fatalf("valid is %v, want %v: %v", err == nil, want, err)
			}
			if err != nil {
				return
			}
			if err := accountFor(d, parse(t, data)); err != nil {
				t.Error(err)
			}
		})
	}
	if faults := r.Faults(); len(faults) > 0 {
		t.Errorf("faults: %v", faults)
	}
}

func TestCheckoutSchemasAllHaveTables(t *testing.T) {
	shared := sharedFolder(t, "fixtures/mozilla-pipeline-schemas")
	start := time.Now()
	r, err := Open(Options{Dir: shared})
	if err != nil {
		t.Fatal(err)
	}
	opened := time.Since(start)
	all := r.Doctypes()
	if len(all) < 100 {
		t.Errorf("%d doctypes", len(all))
	}
	for _, d := range all {
		if d.Namespace == "metadata" {
			t.Errorf("%s has no mozPipelineMetadata and is a doctype", d)
		}
	}
	if _, err := r.Lookup("metadata", "raw", "1"); err == nil {
		t.Error("metadata/raw is a doctype")
	}
	if faults := r.Faults(); len(faults) > 0 {
		t.Errorf("faults: %v", faults)
	}
	t.Logf("open %v, %d doctypes %v", opened, len(all), time.Since(start))
}

// captured is one request of a real Glean client.
type captured struct {
	file, namespace, doctype string
	body                     []byte
}

func capturedPings(t testing.TB) []captured {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(sharedFolder(t, "fixtures/glean"), "*-POST.json"))
	if err != nil {
		t.Fatal(err)
	}
	var pings []captured
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var request struct {
			URL  string          `json:"url"`
			Body json.RawMessage `json:"body_json"`
		}
		if err := json.Unmarshal(data, &request); err != nil {
			t.Fatal(err)
		}
		parts := strings.Split(request.URL, "/")
		if parts[2] == "telemetry" {
			continue
		}
		pings = append(pings, captured{filepath.Base(name), parts[2], parts[3], request.Body})
	}
	return pings
}

// Real clients' pings are valid by the embedded Glean schema and by an outside one.
func TestRealGleanPingsAreValidAndFindTheirColumns(t *testing.T) {
	checkRealGleanPings(t, t.TempDir(), "embedded")
	outside := t.TempDir()
	from := filepath.Join(sharedFolder(t, "fixtures/mozilla-pipeline-schemas"), "schemas", "glean")
	if err := os.CopyFS(filepath.Join(outside, "schemas", "glean"), os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	checkRealGleanPings(t, outside, "outside")
}

func checkRealGleanPings(t *testing.T, dir, which string) {
	t.Helper()
	r, err := Open(Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	for _, app := range []string{"my-shop", "my-cli", "firefox-desktop"} {
		if err := r.AddApp(app); err != nil {
			t.Fatal(err)
		}
	}
	for _, ping := range capturedPings(t) {
		t.Run(which+"/"+ping.file, func(t *testing.T) {
			d, err := r.Lookup(ping.namespace, ping.doctype, "1")
			if err != nil {
				t.Fatal(err)
			}
			if err := d.Validate(parse(t, ping.body)); err != nil {
				t.Fatal(err)
			}
			if err := accountFor(d, parse(t, ping.body)); err != nil {
				t.Error(err)
			}
			tree := checkReassembles(t, d, Document{Payload: parse(t, ping.body), Submitted: submitted})
			if left := tree[additionalProperties]; left != "{}" {
				t.Errorf("left over: %s", left)
			}
		})
	}
}

func TestGleanSchemaRefusesWhatTheReferenceRefuses(t *testing.T) {
	shared := sharedFolder(t, "fixtures/mozilla-pipeline-schemas")
	r, err := Open(Options{})
	if err != nil {
		t.Fatal(err)
	}
	d, err := r.Lookup("my-app", "metrics", "1")
	if err != nil {
		t.Fatal(err)
	}
	// These have members the reference does not know; ours keeps such in
	// additional_properties.
	lenient := map[string]bool{
		"glean.1.events_session_extra_properties.fail.json": true,
		"glean.1.invalid_use_counter.fail.json":             true,
	}
	names, err := filepath.Glob(filepath.Join(shared, "validation", "glean", "glean.1.*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		err = d.Validate(parse(t, data))
		want := strings.HasSuffix(name, ".pass.json") || lenient[filepath.Base(name)]
		if (err == nil) != want {
			t.Errorf("%s: valid is %v: %v", filepath.Base(name), err == nil, err)
		}
	}
}

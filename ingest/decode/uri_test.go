package decode

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pinglake/ingest"
)

// parseOf is what the URI says: its attributes, or its fault.
func parseOf(uri string, attributes map[string]string) (map[string]string, string) {
	raw := &ingest.Raw{URI: uri, Attributes: attributes, At: ingest.Position{Pack: 7, Index: 3}}
	s := New(Options{}).newSubmission(raw)
	if fault := s.parseURI(); fault != nil {
		return s.attributes, string(fault.reason) + ": " + fault.err.Error()
	}
	return s.attributes, ""
}

func TestURIForms(t *testing.T) {
	const id = "2c3a0767-d84a-4d02-8a92-fa54a3376049"
	for _, c := range []struct{ uri, fault, attributes string }{
		{"/submit/telemetry/" + id + "/main/Firefox/61.0a1/nightly/20180328030202", "",
			"app_build_id=20180328030202 app_name=Firefox app_update_channel=nightly app_version=61.0a1 document_id=" + id + " document_namespace=telemetry document_type=main"},
		{"/submit/eng-workflow/hgpush/1/" + id, "", "document_id=" + id + " document_namespace=eng-workflow document_type=hgpush document_version=1"},
		{"/submit/eng-workflow/hgpush/1/" + id + "//", "", "document_id=" + id + " document_namespace=eng-workflow document_type=hgpush document_version=1"},
		{"/submit/a%2Fb//x/" + id, "", "document_id=" + id + " document_namespace=a%2Fb document_type= document_version=x"},
		{"/submit/a/b/1/" + strings.ToUpper(id), "", "document_id=" + strings.ToUpper(id) + " document_namespace=a document_type=b document_version=1"},
		{"/submit/a/b/1/1-1-1-1-1", "", "document_id=1-1-1-1-1 document_namespace=a document_type=b document_version=1"},
		{"/submit/a/b/1/+1-1-1-1-1", "", "document_id=+1-1-1-1-1 document_namespace=a document_type=b document_version=1"},
		{"/submit/a/b/1/1--1-1-1", "invalid_document_id: Entry in document_id place is not a valid UUID", "document_id=1--1-1-1 document_namespace=a document_type=b document_version=1"},
		{"/nonexistent_prefix/" + id, "unknown_prefix: Unknown URI prefix", ""},
		{"/submit", "unknown_prefix: Unknown URI prefix", ""},
		{"/submit/telemetry", "path_elements: Found -3 more path elements in the URI than expected for this endpoint", ""},
		{"/submit/telemetry/", "path_elements: Found -5 more path elements in the URI than expected for this endpoint", ""},
		{"/submit/telemetry//", "path_elements: Found -6 more path elements in the URI than expected for this endpoint", ""},
		{"/submit/telemetry//update/Firefox/1/release/2", "invalid_document_id: Entry in document_id place is not a valid UUID",
			"app_build_id=2 app_name=Firefox app_update_channel=release app_version=1 document_id= document_namespace=telemetry document_type=update"},
		{"/submit/telemetry/" + id + "/main/Firefox/1/release", "path_elements: Found -1 more path elements in the URI than expected for this endpoint", ""},
		{"/submit/telemetry/" + id + "/main/Firefox/1/release/2/3", "path_elements: Found 1 more path elements in the URI than expected for this endpoint", ""},
		{"/submit/eng-workflow/hgpush/" + id, "path_elements: Found -1 more path elements in the URI than expected for this endpoint", ""},
		{"/submit/", "path_elements: Found -3 more path elements in the URI than expected for this endpoint", ""},
		{"/submit//", "path_elements: Found -4 more path elements in the URI than expected for this endpoint", ""},
	} {
		attributes, fault := parseOf(c.uri, map[string]string{"message_id": "m"})
		if fault != c.fault {
			t.Errorf("%s:\n got %s\nwant %s", c.uri, fault, c.fault)
		}
		_, kept := attributes["message_id"]
		if unknown := strings.HasPrefix(fault, "unknown_prefix"); kept != unknown {
			t.Errorf("%s: message_id kept is %t", c.uri, kept)
		}
		delete(attributes, "message_id")
		delete(attributes, "uri")
		if got := list(attributes); got != c.attributes {
			t.Errorf("%s:\n got %s\nwant %s", c.uri, got, c.attributes)
		}
	}
}

// list is a map as text, sorted.
func list(m map[string]string) string {
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		pairs = append(pairs, name+"="+m[name])
	}
	return strings.Join(pairs, " ")
}

func TestWithoutURIAMessageIsAsItWasDecoded(t *testing.T) {
	given := map[string]string{"message_id": "m", "document_type": "x"}
	attributes, fault := parseOf("", maps.Clone(given))
	if diff := cmp.Diff(given, attributes); diff != "" || fault != "" {
		t.Errorf("%s %s", fault, diff)
	}
	if _, fault := parseOf("", map[string]string{"uri": ""}); fault != "unknown_prefix: Unknown URI prefix" {
		t.Errorf("an empty URI: %q", fault)
	}
}

// stubURI is a stub ping's URI of a version with a given number of parts, each 0
// but for some.
func stubURI(version string, parts int, set map[int]string) string {
	path := []string{version}
	for i := 1; i < parts; i++ {
		value, ok := set[i]
		if !ok {
			value = "0"
		}
		path = append(path, value)
	}
	return "/stub/" + strings.Join(path, "/")
}

// stubFault is how a stub URI is refused, "" if it is not.
func stubFault(uri string) string {
	_, err := newDecoderOf(unknownDoctypes{}).Decode(&ingest.Raw{URI: uri})
	var reject *ingest.RejectError
	if !errors.As(err, &reject) || reject.Reason == ingest.UnknownDoctype {
		return ""
	}
	return reject.Error()
}

func TestStubVersions(t *testing.T) {
	for _, c := range []struct {
		version string
		parts   int
		want    string
	}{
		{"v6", 36, ""}, {"v7", 37, ""}, {"v8", 39, ""}, {"v9", 41, ""}, {"v10", 43, ""},
		{"v11", 44, ""}, {"v12", 45, ""}, {"v13", 46, ""}, {"v14", 47, ""},
		{"v6-137", 36, ""},
		{"v14-1", 47, ""},
		{"v6", 37, "path_elements: Found 1 more path elements in the URI than expected for this endpoint"},
		{"v6", 35, "path_elements: Found -1 more path elements in the URI than expected for this endpoint"},
		{"v7", 36, "path_elements: Found -1 more path elements in the URI than expected for this endpoint"},
		{"v14", 48, "path_elements: Found 1 more path elements in the URI than expected for this endpoint"},
		{"v1", 36, "unknown_stub: For input string: v1"},
		{"v5", 36, "unknown_stub: For input string: v5"},
		{"v15", 48, "unknown_stub: For input string: v15"},
		{"v19", 48, "unknown_stub: For input string: v19"},
		{"v21", 36, "unknown_stub: For input string: v21"},
		{"v61", 36, "unknown_stub: For input string: v61"},
		{"v06", 36, "unknown_stub: For input string: v06"},
		{"6", 36, "unknown_stub: For input string: 6"},
		{"v6-", 36, "unknown_stub: For input string: v6-"},
		{"v6-x", 36, "unknown_stub: For input string: v6-x"},
		{"V6", 36, "unknown_stub: For input string: V6"},
	} {
		if got := stubFault(stubURI(c.version, c.parts, nil)); got != c.want {
			t.Errorf("%s with %d parts:\n got %s\nwant %s", c.version, c.parts, got, c.want)
		}
	}
	for _, uri := range []string{"/stub/", "/stub//", "/stub///"} {
		if got := stubFault(uri); got != "unknown_stub: For input string: " {
			t.Errorf("%s: %s", uri, got)
		}
	}
}

func TestStubNumbers(t *testing.T) {
	for _, c := range []struct {
		index       int
		value, want string
	}{
		{13, "2147483647", ""},
		{13, "-2147483648", ""},
		{13, "+1", ""},
		{13, "2147483648", "stub_value: Path element #15: 2147483648"},
		{13, "", "stub_value: Path element #15: "},
		{13, "1.0", "stub_value: Path element #15: 1.0"},
		{13, "1_0", "stub_value: Path element #15: 1_0"},
		{4, "x", "stub_value: Path element #6: x"},
		{11, " 1", "stub_value: Path element #13:  1"},
		{12, "one", "stub_value: Path element #14: one"},
		{37, "none", "stub_value: Path element #39: none"},
		{41, "none", "stub_value: Path element #43: none"},
		{44, "none", "stub_value: Path element #46: none"},
		{45, "none", "stub_value: Path element #47: none"},
		{10, "none", ""}, // a flag is true for 1 and false for all else
		{19, "none", ""}, // nobody reads it
		{46, "none", ""},
	} {
		if got := stubFault(stubURI("v14", 47, map[int]string{c.index: c.value})); got != c.want {
			t.Errorf("part %d is %q: %q, want %q", c.index, c.value, got, c.want)
		}
	}
}

func TestStubPayload(t *testing.T) {
	parts := make([]string, 47)
	for i := range parts {
		parts[i] = fmt.Sprint(i)
	}
	for i, value := range map[int]string{
		0: "v14-99", 1: "release", 2: "esr", 3: "en-US", 4: "1", 5: "0", 6: "10", 7: "0", 8: "19045", 9: "SP 1", 10: "1", 11: "23", 12: "2",
		24: "1", 25: "1", 26: " 1", 31: "0", 32: "1", 33: "2", 34: "2", 35: "192.0.2.1", 36: "source%3Dx", 37: "007", 38: "1", 46: "1",
	} {
		parts[i] = value
	}
	payload, err := stubPayload(parts, "99")
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(payload, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"installer_type": "stub", "installer_version": "", "ping_version": "v14-99", "funnelcake": "99",
		"build_channel": "release", "update_channel": "esr", "locale": "en-US", "64bit_build": true, "64bit_os": false,
		"os_version": "10.0.19045", "service_pack": "SP 1", "server_os": true,
		"succeeded": false, "user_cancelled": false, "out_of_retries": false, "file_error": false, "sig_not_trusted": true,
		"sig_unexpected": true, "install_timeout": false, "unknown_error": false, "sig_check_timeout": false,
		"hardware_req_not_met": false, "os_version_req_not_met": false, "disk_space_req_not_met": false, "writeable_req_not_met": false,
		"old_running": false, "new_launched": true,
		"download_retries": 13., "bytes_downloaded": 14., "download_size": 15., "intro_time": 16., "options_time": 17., "download_time": 18.,
		"download_latency": 20., "preinstall_time": 21., "install_time": 22., "finish_time": 23.,
		"disk_space_error": true, "no_write_access": false, "manual_download": true, "had_old_install": false,
		"old_version": "27", "old_build_id": "28", "version": "29", "build_id": "30", "default_path": false, "admin_user": true,
		"new_default": false, "old_default": true, "set_default": true, "download_ip": "192.0.2.1", "attribution": "source%3Dx",
		"profile_cleanup_prompt": "7", "profile_cleanup_requested": true,
		"distribution_id": "39", "distribution_version": "40", "windows_ubr": 41., "stub_build_id": "42", "launched_by": "43",
		"download_requests_blocked_by_server": 44., "desktop_launcher_status": 45., "had_existing_profile": true,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTheLastPartOfEachStubVersion(t *testing.T) {
	for version, last := range map[string]string{
		"v6": "download_ip", "v7": "attribution", "v8": "profile_cleanup_requested", "v9": "distribution_version", "v10": "stub_build_id",
		"v11": "launched_by", "v12": "download_requests_blocked_by_server", "v13": "desktop_launcher_status", "v14": "had_existing_profile",
	} {
		payload, err := stubPayload(splitPath(strings.TrimPrefix(stubURI(version, stubParts[version[1:]], nil), "/stub/")), "")
		if err != nil {
			t.Fatal(err)
		}
		if i := strings.LastIndex(string(payload), `,"`); !strings.HasPrefix(string(payload[i+2:]), last+`"`) {
			t.Errorf("%s ends in %s, want %s", version, payload[i:], last)
		}
	}
}

func TestStubPingsAreNamedByTheirPlace(t *testing.T) {
	uri := stubURI("v6", 36, nil)
	attributes, _ := parseOf(uri, map[string]string{"message_id": "00000000001"})
	if got := attributes["document_id"]; got != "d67f0826-d4c0-3a7e-bea5-861616a822b2" {
		t.Errorf("by message_id: %s", got)
	}
	first, _ := parseOf(uri, nil)
	again, _ := parseOf(uri, nil)
	if first["document_id"] != again["document_id"] || first["document_namespace"] != "firefox-installer" ||
		first["document_type"] != "install" || first["document_version"] != "1" {
		t.Errorf("first %v\nagain %v", first, again)
	}
	elsewhere := New(Options{}).newSubmission(&ingest.Raw{URI: uri, At: ingest.Position{Pack: 7, Index: 4}})
	if elsewhere.parseURI(); elsewhere.attributes["document_id"] == first["document_id"] {
		t.Error("two places give one id")
	}
	decoded, _ := parseOf(uri, map[string]string{"document_id": "1-1-1-1-1"})
	if decoded["document_id"] != "1-1-1-1-1" {
		t.Errorf("a decoded stub ping got another id: %s", decoded["document_id"])
	}
}

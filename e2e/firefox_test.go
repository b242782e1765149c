package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// firefox is a running Firefox.
type firefox struct {
	*program
	control *marionette
}

func startFirefox(t *testing.T, path, profile string) *firefox {
	t.Helper()
	p := start(t, path, "--headless", "--no-remote", "--profile", profile, "--marionette", "--remote-allow-system-access")
	return &firefox{p, takeControl(p)}
}

// quit closes the browser and waits until it is gone.
func (f *firefox) quit() {
	f.t.Helper()
	f.control.quit()
	if err := f.wait(); err != nil {
		f.t.Fatalf("firefox ended with %v", err)
	}
}

// newProfile is the folder of a Firefox that sends its pings to a daemon.
func newProfile(t *testing.T, d *daemon) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "firefox", "user.js"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	port := d.edge[strings.LastIndexByte(d.edge, ':')+1:]
	if err := os.WriteFile(filepath.Join(dir, "user.js"), []byte(strings.ReplaceAll(string(text), "EDGE_PORT", port)), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestFirefoxFromItsFirstStartToOptOut(t *testing.T) {
	path := lookFor(t, "firefox-esr", "apt-get install firefox-esr")
	if !inOwnNetwork(t) {
		return
	}
	data := t.TempDir()
	if err := os.CopyFS(filepath.Join(data, "schemas"), os.DirFS(filepath.Join("testdata", "schemas"))); err != nil {
		t.Fatal(err)
	}
	d := serve(t, data)
	if r := pinglake(t, "schema", "add-app", "firefox-desktop", "--data", data); r.code != 0 {
		t.Fatal(r.err)
	}
	profile := newProfile(t, d)

	first := startFirefox(t, path, profile)
	first.untilRows(data, "SELECT DISTINCT client_info.app_channel, metadata.user_agent.browser FROM firefox_desktop.baseline WHERE ping_info.reason = 'active'", "esr,Firefox")
	first.untilRows(data, "SELECT payload.reason FROM telemetry.new_profile", "startup")
	first.quit()

	// The second session sends what the first one left.
	second := startFirefox(t, path, profile)
	second.untilRows(data, "SELECT len(events) > 0 FROM firefox_desktop.events WHERE ping_info.reason = 'startup'", "true")
	second.untilRows(data, "SELECT payload.info.reason FROM telemetry.main", "shutdown")
	second.control.setPref("datareporting.healthreport.uploadEnabled", false)
	second.untilRows(data, "SELECT ping_info.reason FROM firefox_desktop.deletion_request", "set_upload_enabled")
	second.untilRows(data, "SELECT count(*) FROM telemetry.deletion_request", "1")
	second.quit()
	d.stop()

	noRejects(t, data)
	for _, c := range []struct{ what, sql, want string }{
		{"who asks to be forgotten is who sent pings", `SELECT count(DISTINCT client_info.client_id) FROM (
			FROM firefox_desktop.baseline SELECT client_info UNION ALL FROM firefox_desktop.events SELECT client_info UNION ALL
			FROM firefox_desktop.deletion_request SELECT client_info)`, "1"},
		{"and so in legacy telemetry", `SELECT count(DISTINCT client_id) FROM (
			FROM telemetry.new_profile SELECT client_id UNION ALL FROM telemetry.main SELECT client_id UNION ALL
			FROM telemetry.deletion_request SELECT client_id)`, "1"},
		{"one joins the other", `SELECT count(DISTINCT n.document_id) FROM telemetry.new_profile n
			JOIN firefox_desktop.baseline b ON b.metrics.uuid['legacy.telemetry.client_id'] = n.client_id`, "1"},
		{"Glean's headers", `SELECT DISTINCT split_part(metadata.header.x_telemetry_agent, '/', 1), metadata.header.date IS NOT NULL, normalized_os, normalized_channel
			FROM firefox_desktop.baseline`, "Glean,true,Linux,esr"},
		{"a legacy ping's facts are in its URI", `SELECT metadata.uri.app_name, metadata.uri.app_update_channel, metadata.uri.app_version = application.version, normalized_os
			FROM telemetry.new_profile`, "Firefox,esr,true,Linux"},
		{"every ping taken is a row of a table", `SELECT (SELECT count(*) FROM payload_bytes_raw.structured) - (SELECT count(*) FROM payload_bytes_error.structured)
			- (SELECT count(*) FROM (` + allDocuments(t, data, "firefox_desktop") + `)),
			(SELECT count(*) FROM payload_bytes_raw.telemetry) - (SELECT count(*) FROM payload_bytes_error.telemetry)
			- (SELECT count(*) FROM (` + allDocuments(t, data, "telemetry") + `))`, "0,0"},
	} {
		if got := strings.Join(query(t, data, c.sql), " "); got != c.want {
			t.Errorf("%s: got %q, want %q\n%s", c.what, got, c.want, c.sql)
		}
	}
}

// allDocuments is a query for the document_ids of all tables of a namespace.
func allDocuments(t *testing.T, data, namespace string) string {
	t.Helper()
	tables := query(t, data, "SELECT table_name FROM information_schema.tables WHERE table_schema = '"+namespace+"_live' ORDER BY ALL")
	var parts []string
	for _, table := range tables {
		parts = append(parts, "SELECT document_id FROM "+namespace+"_live."+table)
	}
	return strings.Join(parts, " UNION ALL ")
}

package batch

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

var field = regexp.MustCompile(`([a-z_]+)=("[^"]*"|\S+)`)

// pingsOf is SQL for the rows of a Glean baseline live table, one for each line of
// text such as `id=A at=01:00 client=c1 end=2026-01-02T01:00+00:00 seconds=60`.
func pingsOf(t testing.TB, date, text string) string {
	t.Helper()
	var rows []string
	for line := range strings.Lines(text) {
		p := ping{t: t, fields: map[string]string{}}
		for _, m := range field.FindAllStringSubmatch(line, -1) {
			p.fields[m[1]] = strings.Trim(m[2], `"`)
		}
		rows = append(rows, p.sql(date))
	}
	return strings.Join(rows, "\nUNION ALL ")
}

type ping struct {
	t      testing.TB
	fields map[string]string
}

// text is a field as an SQL text and takes it from the fields.
func (p ping) text(name string) string {
	value, ok := p.fields[name]
	delete(p.fields, name)
	if !ok {
		return "NULL::VARCHAR"
	}
	return quoteText(value) + "::VARCHAR"
}

func (p ping) number(name string) string {
	value, ok := p.fields[name]
	delete(p.fields, name)
	if !ok {
		value = "NULL"
	}
	return value + "::BIGINT"
}

func (p ping) sql(date string) string {
	at := p.fields["at"]
	delete(p.fields, "at")
	if !strings.Contains(at, "T") {
		at = date + "T" + at
	}
	if _, given := p.fields["sample"]; !given && p.fields["client"] != "" {
		p.fields["sample"] = "1"
	}
	if seconds, ok := p.fields["seconds"]; ok {
		p.fields["unit"], p.fields["value"] = "second", seconds
		delete(p.fields, "seconds")
	}
	experiments := "NULL"
	if e, ok := p.fields["experiment"]; ok {
		slug, branch, _ := strings.Cut(e, ":")
		experiments = fmt.Sprintf("MAP {%s: {'branch': %s, 'extra': NULL}}", quoteText(slug), quoteText(branch))
		delete(p.fields, "experiment")
	}
	row := strings.Join([]string{
		"SELECT TIMESTAMP " + quoteText(at) + " AS submission_timestamp",
		p.text("id") + " AS document_id",
		p.number("sample") + " AS sample_id",
		p.text("channel") + " AS normalized_channel",
		p.text("country") + " AS normalized_country_code",
		p.text("os") + " AS normalized_os",
		p.text("os_version") + " AS normalized_os_version",
		"{'geo': {'city': " + p.text("city") + "}, 'isp': {'name': " + p.text("isp") + "}, 'header': {'x_source_tags': " + p.text("tags") + "}} AS metadata",
		"{'client_id': " + p.text("client") + ", 'first_run_date': " + p.text("first_run") +
			", 'locale': " + p.text("locale") + ", 'android_sdk_version': " + p.text("android") +
			", 'app_build': " + p.text("app_build") + ", 'app_channel': " + p.text("app_channel") +
			", 'app_display_version': " + p.text("app_version") + ", 'architecture': " + p.text("architecture") +
			", 'device_manufacturer': " + p.text("manufacturer") + ", 'device_model': " + p.text("model") +
			", 'telemetry_sdk_build': " + p.text("sdk") + "} AS client_info",
		"{'end_time': " + p.text("end") + ", 'experiments': CAST(" + experiments +
			" AS MAP(VARCHAR, STRUCT(branch VARCHAR, extra MAP(VARCHAR, VARCHAR))))} AS ping_info",
		"{'counter': MAP {'browser.engagement.uri_count': " + p.number("uri") + ", 'browser.engagement.active_ticks': " + p.number("ticks") +
			"}, 'timespan': MAP {'glean.baseline.duration': {'time_unit': " + p.text("unit") + ", 'value': " + p.number("value") + "}}} AS metrics",
	}, ",\n")
	for name := range p.fields {
		p.t.Fatalf("a ping has no field %s", name)
	}
	return row
}

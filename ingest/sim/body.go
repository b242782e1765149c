package sim

import (
	"bytes"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"pinglake/ingest"
)

// jsonText builds JSON text. Values come from this package and need no escapes.
type jsonText []byte

// key begins a member: a comma unless it is the first, its name and a colon.
func (j *jsonText) key(name string) {
	if b := *j; len(b) > 0 && b[len(b)-1] != '{' && b[len(b)-1] != '[' {
		*j = append(*j, ',')
	}
	*j = append(append(append(*j, '"'), name...), '"', ':')
}

func (j *jsonText) raw(text string) { *j = append(*j, text...) }

func (j *jsonText) open(name string) {
	j.key(name)
	*j = append(*j, '{')
}

func (j *jsonText) close() { *j = append(*j, '}') }

func (j *jsonText) text(name, value string) {
	j.key(name)
	*j = append(append(append(*j, '"'), value...), '"')
}

func (j *jsonText) number(name string, value int64) {
	j.key(name)
	*j = strconv.AppendInt(*j, value, 10)
}

func (j *jsonText) truth(name string, value bool) {
	j.key(name)
	*j = strconv.AppendBool(*j, value)
}

// body appends the payload of a ping. It leaves d set to the ping's body.
func (p *Population) body(d *dice, c *client, s *ping, seq int64, into []byte) []byte {
	d.set(forBody, c.index, s.made, s.index)
	j := jsonText(append(into, '{'))
	if s.doctype == events {
		writeEvents(&j, d)
	}
	p.writePingInfo(&j, d, c, s, seq)
	p.writeClientInfo(&j, c, s)
	if s.doctype != deletion {
		writeMetrics(&j, d, c, s)
	}
	j.close()
	return j
}

// sequence is the ping's seq: how many of its doctype the client made before.
func (p *Population) sequence(d *dice, c *client, s *ping) int64 {
	n := int64(0)
	if s.doctype == baseline {
		n = c.history
	}
	for day := max(c.arrived, 0); day < s.made; day++ {
		n += int64(p.habit(d, c, day).count[s.doctype])
	}
	made := p.habit(d, c, s.made)
	before := 0
	for t := range s.doctype {
		before += int(made.count[t])
	}
	return n + int64(int(s.index)-before)
}

var reasons = [doctypes][]string{
	baseline: {"active", "inactive", "dirty_startup"},
	metrics:  {"today", "overdue", "upgrade"},
	events:   {"inactive", "max_capacity", "startup"},
	custom:   {"checkout"},
	deletion: {"set_upload_enabled"},
}

// experiment is a trial that part of the population takes part in.
type experiment struct {
	name     string
	branches []string
	percent  int
	extra    string // JSON
}

var experiments = []experiment{
	{"new-tab-layout", []string{"control", "treatment-a", "treatment-b"}, 20, `{"type":"nimbus-nimbus","enrollment_id":"__NIMBUS__"}`},
	{"faster-checkout", []string{"control", "treatment"}, 10, `null`},
	{"quiet-prompts", []string{"rollout"}, 50, ""},
}

func (p *Population) writePingInfo(j *jsonText, d *dice, c *client, s *ping, seq int64) {
	j.open("ping_info")
	j.number("seq", seq)
	begin := s.end - int64(s.duration)*second
	if s.doctype == metrics || s.doctype == custom {
		begin = s.end - wholeD + d.Int64N(wholeD/2)
	}
	j.text("start_time", c.clock(begin))
	j.text("end_time", c.clock(s.end))
	reason := pick(d, reasons[s.doctype])
	if s.doctype == baseline {
		reason = reasons[baseline][0]
		if s.duration > 0 {
			reason = reasons[baseline][1]
		}
	}
	j.text("reason", reason)
	if s.doctype != deletion {
		writeExperiments(j, c)
	}
	j.close()
}

// writeExperiments depends on the client alone: it stays in its branch.
func writeExperiments(j *jsonText, c *client) {
	j.open("experiments")
	for i, e := range experiments {
		draw := int(c.id[2*i])<<8 | int(c.id[2*i+1])
		if draw%100 >= e.percent {
			continue
		}
		j.open(e.name)
		j.text("branch", e.branches[draw/100%len(e.branches)])
		if e.extra != "" {
			j.key("extra")
			j.raw(e.extra)
		}
		j.close()
	}
	j.close()
}

const releaseDays = 28 // days between two major versions

func (p *Population) writeClientInfo(j *jsonText, c *client, s *ping) {
	epochDay := int32(p.start.Unix()/86400) + s.made
	release := (epochDay - c.lag) / releaseDays
	built := time.Unix(int64(release)*releaseDays*86400, 0).UTC()
	j.open("client_info")
	j.text("telemetry_sdk_build", c.platform.sdk)
	id := c.id.String()
	if c.upperID {
		id = strings.ToUpper(id)
	}
	j.text("client_id", id)
	if c.platform.beacon() {
		session := c.id
		session[0] ^= byte(s.made)
		session[15] ^= s.index + 1
		j.text("session_id", session.String())
		j.number("session_count", int64(s.made-max(c.arrived, -50)+1))
	}
	j.text("first_run_date", c.date(p.Date(int(c.arrived))))
	j.text("build_date", built.Format("2006-01-02T15:04:05")+"+00:00")
	j.text("os", c.platform.os)
	j.text("os_version", c.version)
	j.text("architecture", c.machine)
	j.text("locale", c.locale)
	j.text("app_build", built.Format("20060102")+"0915")
	j.text("app_display_version", strconv.Itoa(int(release)-580)+".0")
	j.text("app_channel", c.channel)
	if maker, model, ok := strings.Cut(c.model, "/"); ok {
		j.text("device_manufacturer", maker)
		j.text("device_model", model)
	}
	if c.platform.androidSDK != "" {
		j.text("android_sdk_version", c.platform.androidSDK)
	}
	if c.platform.os == "Windows" && !c.platform.beacon() {
		j.number("windows_build_number", 22000+int64(c.id[7])%3*631)
	}
	j.close()
}

// clock is a time as the client's Glean writes it, with the client's offset.
func (c *client) clock(micros int64) string {
	layout := "2006-01-02T15:04"
	if c.platform.exact {
		layout = "2006-01-02T15:04:05.000"
	}
	local := time.UnixMicro(micros).UTC().Add(time.Duration(c.zone) * time.Minute)
	return local.Format(layout) + c.offset()
}

func (c *client) date(utc time.Time) string { return utc.Format(time.DateOnly) + c.offset() }

// offset is the client's zone. JavaScript clients write UTC as -00:00.
func (c *client) offset() string {
	sign, minutes := byte('+'), c.zone
	if minutes < 0 || minutes == 0 && c.platform.beacon() {
		sign, minutes = '-', -minutes
	}
	return string([]byte{sign, '0' + byte(minutes/600), '0' + byte(minutes/60%10), ':', '0' + byte(minutes%60/10), '0' + byte(minutes%10)})
}

func writeMetrics(j *jsonText, d *dice, c *client, s *ping) {
	j.open("metrics")
	j.open("labeled_counter")
	j.open("glean.validation.pings_submitted")
	j.number(s.doctype.String(), 1)
	j.number("events", int64(d.IntN(3)))
	j.close()
	j.open("navigation.opened")
	for _, label := range []string{"link", "menu", "search", "__other__"} {
		j.number(label, int64(d.IntN(40)))
	}
	j.close()
	j.close()
	j.open("counter")
	j.number("app.screens", 1+int64(d.IntN(60)))
	j.number("glean.validation.foreground_count", 1+int64(d.IntN(5)))
	j.close()
	j.open("boolean")
	j.truth("app.is_default", c.id[9]%3 == 0)
	j.truth("app.dark_theme", c.id[9]%2 == 0)
	j.close()
	j.open("string")
	j.text("app.distribution", "default")
	j.text("app.theme", pick(d, []string{"light", "dark", "system"}))
	j.close()
	j.open("quantity")
	j.number("display.width", 360+40*int64(c.id[10]%40))
	j.close()
	j.open("datetime")
	j.text("glean.validation.first_run_hour", c.date(time.UnixMicro(s.end).UTC()))
	j.close()
	switch s.doctype {
	case baseline:
		writeDuration(j, d, c, s)
	case metrics:
		writeDistributions(j, d)
	case custom:
		j.open("string_list")
		j.key("shop.tags")
		j.raw(`["sale","book"]`)
		j.close()
		j.open("uuid")
		j.text("shop.cart_id", d.id().String())
		j.close()
		j.open("rate")
		j.open("shop.error_rate")
		j.number("numerator", int64(d.IntN(3)))
		j.number("denominator", 10)
		j.close()
		j.close()
	}
	j.close()
}

// writeDuration leaves the metric out of half of the pings without any use.
func writeDuration(j *jsonText, d *dice, c *client, s *ping) {
	if s.duration == 0 && d.chance(0.5) {
		return
	}
	unit, value := "second", int64(s.duration)
	if c.inMillis {
		unit, value = "millisecond", 1000*value
	}
	j.open("timespan")
	j.open("glean.baseline.duration")
	j.text("time_unit", unit)
	j.number("value", value)
	j.close()
	j.close()
}

func writeDistributions(j *jsonText, d *dice) {
	j.open("timing_distribution")
	for _, name := range []string{"app.startup_time", "app.page_load"} {
		j.open(name)
		sum := int64(0)
		j.open("values")
		for bucket := int64(1 << 20); bucket < 1<<27; bucket *= 2 {
			n := int64(d.IntN(9))
			sum += n * bucket
			j.number(strconv.FormatInt(bucket, 10), n)
		}
		j.close()
		j.number("sum", sum)
		j.close()
	}
	j.close()
}

func writeEvents(j *jsonText, d *dice) {
	j.key("events")
	j.raw("[")
	at := int64(0)
	for i := range 1 + d.IntN(6) {
		if i > 0 {
			j.raw(",")
		}
		j.raw("{")
		j.number("timestamp", at)
		j.text("category", "app")
		j.text("name", pick(d, []string{"opened", "clicked", "searched", "shared"}))
		j.open("extra")
		j.text("item", "i"+strconv.Itoa(d.IntN(100)))
		j.text("gift", strconv.FormatBool(d.chance(0.5)))
		j.close()
		j.close()
		at += int64(d.IntN(90_000))
	}
	j.raw("]")
}

// documentID is the identity of a ping: the population's seed, the client, the
// day and the place in the day decide it.
func documentID(d *dice, s *ping) ingest.DocumentID {
	d.set(forBody, s.client, s.made, 0x80|s.index)
	return d.id()
}

// upperHex is the text of an id in upper case.
func upperHex(id ingest.DocumentID) string {
	return string(bytes.ToUpper([]byte(id.String())))
}

// shortHex is the text of an id without its dashes, which is no document_id.
func shortHex(id ingest.DocumentID) string { return hex.EncodeToString(id[:]) }

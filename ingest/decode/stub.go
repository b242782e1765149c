package decode

import (
	"crypto/md5"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/valyala/fastjson"

	"pinglake/ingest"
	"pinglake/lake/schema"
)

// Stub installer pings have no body: what they say is in their path, one part a
// field, and the first part is the version of that list.

// stubParts is how many parts, the first included, a stub ping of a version has.
var stubParts = map[string]int{"6": 36, "7": 37, "8": 39, "9": 41, "10": 43, "11": 44, "12": 45, "13": 46, "14": 47}

// stubKind says how a part of a stub ping becomes members of its payload.
type stubKind uint8

const (
	stubText    stubKind = iota // as it is
	stubFlag                    // true for 1
	stubNumber                  // a whole number of 32 bits
	stubCodes                   // one flag for each name, true if the number is one of its codes
	stubCounted                 // a whole number, as text
	stubVersion                 // this part and the next two, with dots between
	stubIgnored
)

// stubField is one part of a stub ping, in the order of the path.
type stubField struct {
	kind  stubKind
	name  string
	codes []stubCode // of stubCodes
}

type stubCode struct {
	name string
	is   []int32
}

func codes(named ...stubCode) stubField { return stubField{kind: stubCodes, codes: named} }

// stubFields are the parts behind the first.
var stubFields = []stubField{
	1: {kind: stubText, name: "build_channel"},
	2: {kind: stubText, name: "update_channel"},
	3: {kind: stubText, name: "locale"},
	4: codes(stubCode{"64bit_build", []int32{1}}),
	5: codes(stubCode{"64bit_os", []int32{1}}),
	6: {kind: stubVersion, name: "os_version"},
	7: {kind: stubIgnored}, // with 6
	8: {kind: stubIgnored}, // with 6
	9: {kind: stubText, name: "service_pack"},

	10: {kind: stubFlag, name: "server_os"},
	11: codes(
		stubCode{"succeeded", []int32{0}},
		stubCode{"user_cancelled", []int32{10}},
		stubCode{"out_of_retries", []int32{11}},
		stubCode{"file_error", []int32{20}},
		stubCode{"sig_not_trusted", []int32{21, 23}},
		stubCode{"sig_unexpected", []int32{22, 23}},
		stubCode{"install_timeout", []int32{30}},
		stubCode{"unknown_error", []int32{1}},
		stubCode{"sig_check_timeout", []int32{24}},
		stubCode{"hardware_req_not_met", []int32{25}},
		stubCode{"os_version_req_not_met", []int32{26}},
		stubCode{"disk_space_req_not_met", []int32{27}},
		stubCode{"writeable_req_not_met", []int32{28}},
	),
	12: codes(stubCode{"old_running", []int32{1}}, stubCode{"new_launched", []int32{2}}),
	13: {kind: stubNumber, name: "download_retries"},
	14: {kind: stubNumber, name: "bytes_downloaded"},
	15: {kind: stubNumber, name: "download_size"},
	16: {kind: stubNumber, name: "intro_time"},
	17: {kind: stubNumber, name: "options_time"},
	18: {kind: stubNumber, name: "download_time"},
	19: {kind: stubIgnored},

	20: {kind: stubNumber, name: "download_latency"},
	21: {kind: stubNumber, name: "preinstall_time"},
	22: {kind: stubNumber, name: "install_time"},
	23: {kind: stubNumber, name: "finish_time"},
	24: codes(stubCode{"disk_space_error", []int32{1}}, stubCode{"no_write_access", []int32{2}}),
	25: {kind: stubFlag, name: "manual_download"},
	26: {kind: stubFlag, name: "had_old_install"},
	27: {kind: stubText, name: "old_version"},
	28: {kind: stubText, name: "old_build_id"},
	29: {kind: stubText, name: "version"},

	30: {kind: stubText, name: "build_id"},
	31: {kind: stubFlag, name: "default_path"},
	32: {kind: stubFlag, name: "admin_user"},
	33: codes(stubCode{"new_default", []int32{1}}, stubCode{"old_default", []int32{2}}),
	34: codes(stubCode{"set_default", []int32{2}}),
	35: {kind: stubText, name: "download_ip"},
	36: {kind: stubText, name: "attribution"},
	37: {kind: stubCounted, name: "profile_cleanup_prompt"},
	38: {kind: stubFlag, name: "profile_cleanup_requested"},
	39: {kind: stubText, name: "distribution_id"},

	40: {kind: stubText, name: "distribution_version"},
	41: {kind: stubNumber, name: "windows_ubr"},
	42: {kind: stubText, name: "stub_build_id"},
	43: {kind: stubText, name: "launched_by"},
	44: {kind: stubNumber, name: "download_requests_blocked_by_server"},
	45: {kind: stubNumber, name: "desktop_launcher_status"},
	46: {kind: stubFlag, name: "had_existing_profile"},
}

// parseStubURI fills the attributes of a stub ping and makes its payload, which
// takes the place of any body.
func (s *submission) parseStubURI(path string) *uriFault {
	messageID, redelivered := s.attributes["message_id"]
	delete(s.attributes, "message_id")
	parts := splitPath(path)
	first := ""
	if len(parts) > 0 {
		first = parts[0]
	}
	version, funnelcake, ok := stubPingVersion(first)
	want, known := stubParts[version]
	if !ok || !known {
		return &uriFault{ingest.UnknownStub, referenceError("For input string: " + first)}
	}
	if len(parts) != want {
		return wrongCount(len(parts), want)
	}
	s.attributes["document_namespace"] = "firefox-installer"
	s.attributes["document_type"] = "install"
	s.attributes["document_version"] = "1"
	if _, decoded := ingest.ParseDocumentID(s.attributes["document_id"]); !decoded {
		if !redelivered {
			messageID = s.positionName()
		}
		s.attributes["document_id"] = nameID(messageID).String()
	}
	payload, err := stubPayload(parts, funnelcake)
	if err != nil {
		return &uriFault{ingest.StubValue, err}
	}
	s.stub = payload
	return nil
}

// stubPingVersion takes v8 or v8-funnelcake apart, versions 6 to 9 and 10 to 19.
func stubPingVersion(part string) (version, funnelcake string, ok bool) {
	part, ok = strings.CutPrefix(part, "v")
	if !ok {
		return "", "", false
	}
	version, funnelcake, tagged := strings.Cut(part, "-")
	if tagged && (funnelcake == "" || digitsEnd(funnelcake, 0) != len(funnelcake)) {
		return "", "", false
	}
	return version, funnelcake, true
}

// positionName names a submission without an id of its own by where it stands in
// the stream and when it came, so that reading it again gives the same id.
func (s *submission) positionName() string {
	return fmt.Sprintf("%d-%d-%s", s.raw.At.Pack, s.raw.At.Index, ingest.FormatTimestamp(s.raw.Submitted))
}

// nameID is Java's UUID.nameUUIDFromBytes: MD5 of the name alone, marked version 3.
func nameID(name string) ingest.DocumentID {
	id := ingest.DocumentID(md5.Sum([]byte(name)))
	id[6] = id[6]&0x0f | 0x30
	id[8] = id[8]&0x3f | 0x80
	return id
}

// stubPayload is the payload of a stub ping from the parts of its path.
func stubPayload(parts []string, funnelcake string) ([]byte, error) {
	var b stubBuilder
	b.object = b.arena.NewObject()
	b.text("installer_type", "stub")
	b.text("installer_version", "")
	b.text("ping_version", parts[0])
	if funnelcake != "" {
		b.text("funnelcake", funnelcake)
	}
	for i := 1; i < len(parts); i++ {
		if err := b.add(stubFields[i], i, parts); err != nil {
			return nil, err
		}
	}
	return schema.AppendJSON(nil, b.object), nil
}

type stubBuilder struct {
	arena  fastjson.Arena
	object *fastjson.Value
}

func (b *stubBuilder) text(name, value string) { b.object.Set(name, b.arena.NewString(value)) }

func (b *stubBuilder) flag(name string, value bool) {
	if value {
		b.object.Set(name, b.arena.NewTrue())
		return
	}
	b.object.Set(name, b.arena.NewFalse())
}

// add puts part i into the payload.
func (b *stubBuilder) add(f stubField, i int, parts []string) error {
	part := parts[i]
	switch f.kind {
	case stubText:
		b.text(f.name, part)
		return nil
	case stubFlag:
		b.flag(f.name, part == "1")
		return nil
	case stubVersion:
		b.text(f.name, strings.Join(parts[i:i+3], "."))
		return nil
	case stubIgnored:
		return nil
	}
	long, err := strconv.ParseInt(part, 10, 32)
	if err != nil {
		return referenceError(fmt.Sprintf("Path element #%d: %s", i+2, part))
	}
	number := int32(long)
	switch f.kind {
	case stubNumber:
		b.object.Set(f.name, b.arena.NewNumberInt(int(number)))
	case stubCounted:
		b.text(f.name, strconv.Itoa(int(number)))
	case stubCodes:
		for _, code := range f.codes {
			b.flag(code.name, slices.Contains(code.is, number))
		}
	}
	return nil
}

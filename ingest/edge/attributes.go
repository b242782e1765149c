package edge

import (
	"net"
	"net/http"
	"unicode/utf8"

	"pinglake/ingest"
)

const (
	// maxAttributeBytes bounds the URI and each attribute, counted in UTF-8.
	maxAttributeBytes = 1024

	// maxTargetBytes bounds a path and its query as they are sent. Front ends take no
	// more (8 KiB is nginx's and Apache's default), and clients know their 414.
	maxTargetBytes = 8 << 10
)

// captured are the headers that are kept if present, in the form net/http keys
// them by, and the names of their attributes.
var captured = [...]struct{ header, attribute string }{
	{"Content-Length", "content_length"},
	{"Date", "date"},
	{"Dnt", "dnt"},
	{"User-Agent", "user_agent"},
	{"X-Forwarded-For", "x_forwarded_for"},
	{"X-Pingsender-Version", "x_pingsender_version"},
	{"X-Pipeline-Proxy", "x_pipeline_proxy"},
	{"X-Debug-Id", "x_debug_id"},
	{"X-Foxsec-Ip-Reputation", "x_foxsec_ip_reputation"},
	{"X-Lb-Tags", "x_lb_tags"},
	{"X-Source-Tags", "x_source_tags"},
	{"X-Telemetry-Agent", "x_telemetry_agent"},
}

// attributes are the facts of r that are kept beside its body. Of a repeated
// header the first value counts.
func attributes(r *http.Request, args string) map[string]string {
	kept := make(map[string]string, 5+len(captured))
	kept["args"] = utf8Of(args)
	kept["host"] = utf8Of(r.Host)
	kept["method"] = r.Method
	kept["protocol"] = r.Proto
	kept["remote_addr"] = peer(r.RemoteAddr)
	for _, c := range captured {
		if values := r.Header[c.header]; len(values) > 0 {
			kept[c.attribute] = utf8Of(values[0])
		}
	}
	return kept
}

// peer is the address without its port, or "" for a peer that has none, as on a
// Unix socket.
func peer(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return ""
	}
	return host
}

func tooLong(raw *ingest.Raw) bool {
	if len(raw.URI) > maxAttributeBytes {
		return true
	}
	for _, value := range raw.Attributes {
		if len(value) > maxAttributeBytes {
			return true
		}
	}
	return false
}

// utf8Of reads the bytes of a request line or header as ISO-8859-1, as the
// reference does, so that any byte becomes a character and nothing is lost. A
// text over maxAttributeBytes is not converted: it only grows.
func utf8Of(s string) string {
	high := 0
	for i := range len(s) {
		high += int(s[i] >> 7)
	}
	if high == 0 || len(s) > maxAttributeBytes {
		return s
	}
	text := make([]byte, 0, len(s)+high)
	for i := range len(s) {
		text = utf8.AppendRune(text, rune(s[i]))
	}
	return string(text)
}

package edge

import (
	"net/http"
	"strings"

	"pinglake/ingest"
)

type routeKind uint8

const (
	routeNone routeKind = iota
	routeSubmit
	routeStub
	routeLBHeartbeat
	routeHeartbeat
	routeVersion
)

const (
	pathSubmit      = "/submit"
	pathLBHeartbeat = "/__lbheartbeat__"
	pathHeartbeat   = "/__heartbeat__"
	pathVersion     = "/__version__"

	submitMethods = "POST, PUT, OPTIONS"
)

// route says what the path of a request, as it was sent, is for. The reference's
// four submit routes all end in the same place, so they are one here: /submit
// and everything below it.
func route(uri string) routeKind {
	switch {
	case uri == pathSubmit, below(uri, ingest.PrefixGeneric):
		return routeSubmit
	case below(uri, ingest.PrefixStub):
		return routeStub
	case uri == pathLBHeartbeat:
		return routeLBHeartbeat
	case uri == pathHeartbeat:
		return routeHeartbeat
	case uri == pathVersion:
		return routeVersion
	}
	return routeNone
}

// below says whether uri is prefix and something after it.
func below(uri, prefix string) bool {
	return len(uri) > len(prefix) && strings.HasPrefix(uri, prefix)
}

const (
	// usualHeaders are what clients ask leave to send; the answer to a preflight
	// that does not say.
	usualHeaders = "content-encoding, content-type, date, dnt, user-agent, x-debug-id, x-pingsender-version, x-source-tags, x-telemetry-agent"

	maxRequestedHeaders = 1024 // bytes
)

// The values of headers that every answer has, shared so that none is allocated.
var (
	anyOrigin        = []string{"*"}
	preflightMethods = []string{submitMethods}
	preflightMaxAge  = []string{"86400"}
)

// preflight answers a browser that asks whether a page of any origin may submit.
func preflight(w http.ResponseWriter, r *http.Request) int {
	header := w.Header()
	header["Access-Control-Allow-Methods"] = preflightMethods
	header["Access-Control-Max-Age"] = preflightMaxAge
	allowed := usualHeaders
	if asked := r.Header.Get("Access-Control-Request-Headers"); isHeaderList(asked) {
		allowed = asked
	}
	header.Set("Access-Control-Allow-Headers", allowed)
	w.WriteHeader(http.StatusNoContent)
	return http.StatusNoContent
}

// isHeaderList says whether s is a list of header names and fit to be sent back.
func isHeaderList(s string) bool {
	if s == "" || len(s) > maxRequestedHeaders {
		return false
	}
	for name := range strings.SplitSeq(s, ",") {
		name = strings.Trim(name, " \t")
		if name == "" {
			return false
		}
		for _, b := range []byte(name) {
			if !isTokenByte(b) {
				return false
			}
		}
	}
	return true
}

// isTokenByte follows the token rule of RFC 9110, section 5.6.2.
func isTokenByte(b byte) bool {
	switch {
	case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', '0' <= b && b <= '9':
		return true
	}
	return strings.IndexByte("!#$%&'*+-.^_`|~", b) >= 0
}

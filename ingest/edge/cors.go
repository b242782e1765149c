package edge

import (
	"net/http"
	"strings"
)

const (
	// usualHeaders are what clients ask leave to send; the answer to a preflight
	// that does not say.
	usualHeaders = "content-encoding, content-type, date, dnt, user-agent, x-debug-id, x-pingsender-version, x-source-tags, x-telemetry-agent"

	maxRequestedHeaders = 1024 // bytes
)

// The values of headers that many answers have, shared so that none is allocated.
var (
	anyOrigin       = []string{"*"}
	preflightMaxAge = []string{"86400"}
)

// allowAnyOrigin lets a page of any origin see the answer. Answers other than 200
// need it too: a page that may not see a status can not tell it from a broken line.
func allowAnyOrigin(w http.ResponseWriter) { w.Header()["Access-Control-Allow-Origin"] = anyOrigin }

// preflight answers a browser that asks whether a page of any origin may submit.
func preflight(w http.ResponseWriter, r *http.Request, methods string) int {
	header := w.Header()
	header.Set("Access-Control-Allow-Methods", methods)
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

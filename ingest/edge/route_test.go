package edge

import (
	"fmt"
	"strings"
	"testing"
)

func TestRoutesAreSearchedInOrder(t *testing.T) {
	table := []Route{
		{"/one", []string{"GET"}},
		{"/submit/exact", []string{"PUT"}},
		{"/submit/<suffix:path>", []string{"POST", "PUT"}},
		{"/submit/late/<suffix:path>", []string{"DELETE"}},
		{"/get/<suffix:path>", []string{"GET", "HEAD"}},
		{"/%7Eencoded", []string{"POST"}},
		{"/slash/", []string{"POST"}},
	}
	const cors = " Access-Control-Allow-Origin: *"
	for _, c := range []struct{ request, want string }{
		{"GET /one", `200 ""`},
		{"GET /one/", `404 "not found\n"` + cors},
		{"HEAD /one", `405 "method not allowed\n" Allow: GET`},
		{"OPTIONS /one", `405 "method not allowed\n" Allow: GET`},
		{"PUT /submit/exact", `200 ""` + cors},
		{"POST /submit/exact", `200 ""` + cors},
		{"POST /submit/exact/", `200 ""` + cors},
		{"POST /submit/late/x", `200 ""` + cors},
		{"DELETE /submit/late/x", `200 ""`},
		{"GET /submit/late/x", `405 "method not allowed\n"` + cors + " Allow: POST, PUT, DELETE, OPTIONS"},
		{"GET /submit/exact", `405 "method not allowed\n"` + cors + " Allow: PUT, POST, OPTIONS"},
		{"OPTIONS /submit/exact", `204 ""` + cors},
		{"POST /submit/", `404 "not found\n"` + cors},
		{"POST /submit", `404 "not found\n"` + cors},
		{"POST /submit?x", `404 "not found\n"` + cors},
		{"POST /Submit/x", `404 "not found\n"` + cors},
		{"HEAD /get/x", `200 ""`},
		{"OPTIONS /get/x", `405 "method not allowed\n" Allow: GET, HEAD`},
		{"POST /%7Eencoded", `200 ""` + cors},
		{"POST /~encoded", `404 "not found\n"` + cors},
		{"POST /slash/", `200 ""` + cors},
		{"POST /slash", `404 "not found\n"` + cors},
		{"GET /__lbheartbeat__", `200 ""`},
	} {
		t.Run(c.request, func(t *testing.T) {
			h := mustHandler(t, Options{Stream: &recorder{}, Routes: table})
			if got := answerText(t, do(h, request(t, c.request+" HTTP/1.1\nHost: x", ""))); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestTheStatusRoutesAreNobodyElses(t *testing.T) {
	stream := &recorder{}
	h := mustHandler(t, Options{Stream: stream, Routes: []Route{{"/<suffix:path>", []string{"GET", "POST"}}}})
	for uri, want := range map[string]string{
		"/__lbheartbeat__": "", "/__heartbeat__": "status", "/__version__": "version",
	} {
		if got := textOf(t, do(h, request(t, "GET "+uri+" HTTP/1.1\nHost: x", ""))); !strings.Contains(got, want) {
			t.Errorf("%s: %s", uri, got)
		}
	}
	if got := len(stream.taken()); got != 0 {
		t.Errorf("%d of them were stored", got)
	}
	do(h, request(t, "GET /__heartbeat__/ HTTP/1.1\nHost: x", ""))
	if got := len(stream.taken()); got != 1 {
		t.Errorf("%d raws of the path below were stored", got)
	}
}

func TestPreflightAllowsTheMethodsOfTheRoute(t *testing.T) {
	h := mustHandler(t, Options{Stream: &recorder{}, Routes: []Route{
		{"/a", []string{"PUT"}}, {"/b", []string{"GET", "POST"}}, {"/<suffix:path>", []string{"POST"}},
	}})
	for uri, want := range map[string]string{"/a": "PUT, POST, OPTIONS", "/b": "GET, POST, OPTIONS", "/c/d": "POST, OPTIONS"} {
		got := do(h, request(t, fmt.Sprintf("OPTIONS %s HTTP/1.1\nHost: x", uri), ""))
		if methods := got.Header.Get("Access-Control-Allow-Methods"); got.StatusCode != 204 || methods != want {
			t.Errorf("%s: status %d, methods %s, want %s", uri, got.StatusCode, methods, want)
		}
	}
}

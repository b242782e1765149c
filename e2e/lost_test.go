package e2e

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestALostIndexOverwritesNothing(t *testing.T) {
	data := t.TempDir()
	want := 0
	for _, lost := range [][]string{nil, {"dedup", "stream"}, {"dedup"}, {"stream"}} {
		for _, folder := range lost {
			if err := os.RemoveAll(filepath.Join(data, folder)); err != nil {
				t.Fatal(err)
			}
		}
		d := serve(t, data)
		if contains := strings.Contains(d.log.String(), "the dedup index is new"); contains != (len(lost) > 0 && lost[0] == "dedup") {
			t.Errorf("lost %v: warned %v", lost, contains)
		}
		want++
		d.post("/submit/my-app/baseline/1/"+newID(want), nil, baseline(newID(9)))
		d.stop()
		if got := query(t, data, countByID); got[0] != fmt.Sprintf("%d,%d", want, want) {
			t.Errorf("lost %v: stored %s, want %d", lost, got[0], want)
		}
	}
}

func TestAHalfClosedClientIsToldTheTruth(t *testing.T) {
	data := t.TempDir()
	d := serve(t, data)
	answered := 0
	for i := range 50 {
		conn, err := net.Dial("tcp", strings.TrimPrefix(d.edge, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		body := baseline(newID(9))
		fmt.Fprintf(conn, "POST /submit/my-app/baseline/1/%s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", newID(i), len(body), body)
		if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		if response.StatusCode == http.StatusOK {
			answered++
		}
		if err := conn.Close(); err != nil {
			t.Fatal(err)
		}
	}
	d.stop()
	if got := query(t, data, countByID); got[0] != fmt.Sprintf("%d,%d", answered, answered) || answered == 0 {
		t.Errorf("%d were answered 200, %s are stored", answered, got[0])
	}
}

func TestBombsAndRepeatsDelayNobody(t *testing.T) {
	data := t.TempDir()
	d := serve(t, data)
	repeats := gzipped(t, []byte("{"+strings.Repeat(`"a":1,`, 1_000_000)+`"a":1}`))
	blank := gzipped(t, append(baseline(newID(9)), strings.Repeat(" ", 8<<20-4096)...))
	for i := range 60 {
		d.post("/submit/my-app/baseline/1/"+newID(i), nil, repeats)
		d.post("/submit/my-app/baseline/1/"+newID(100+i), nil, blank)
	}
	d.post("/submit/my-app/baseline/1/"+newID(999), nil, baseline(newID(9)))
	d.stop() // within the drain time
	if got := query(t, data, countByID); got[0] != "61,61" {
		t.Errorf("stored %s", got[0])
	}
	if got := query(t, data, "SELECT reason, count(*) FROM payload_bytes_error.structured GROUP BY ALL"); len(got) != 1 || got[0] != "invalid_json,60" {
		t.Errorf("rejects %q", got)
	}
}

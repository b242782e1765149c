package e2e

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestTheDemosNumbersEqualTheSimulators(t *testing.T) {
	data := filepath.Join(t.TempDir(), "demo")
	for range 2 { // a demo's folder may be used again
		r := pinglake(t, "demo", "--clients", "150", "--data", data)
		if r.code != 0 || !strings.Contains(r.out, "equal what the simulator knows") {
			t.Fatalf("exit %d\n%s%s", r.code, r.out, r.err)
		}
	}
	// Once other pings come into the folder it is no demo's any more.
	serve(t, data).stop()
	if r := pinglake(t, "demo", "--data", data); r.code != 2 || !strings.Contains(r.err, "no demo made it") {
		t.Errorf("a served folder: exit %d: %s", r.code, r.err)
	}
	// What the demo compared is there for everybody.
	got := query(t, data, "SELECT count(*), min(dau) > 0, max(mau) <= 150 FROM my_app.active_users_aggregates")
	if got[0] != "35,true,true" {
		t.Errorf("got %s", got[0])
	}
	// The nightly finds nothing more to do, and says so by listing nothing.
	list := pinglake(t, "batch", "list", "--data", data)
	for _, line := range strings.Split(strings.TrimSpace(list.out), "\n")[1:] {
		if f := strings.Fields(line); f[4] != "0" || f[5] != "0" {
			t.Errorf("left to do: %s", line)
		}
	}
}

func TestADemoSparesWhatItDidNotMake(t *testing.T) {
	data := t.TempDir()
	writeSchema(t, data, "1", "")
	r := pinglake(t, "demo", "--data", data)
	if r.code != 2 || !strings.Contains(r.err, "no demo made it") {
		t.Errorf("exit %d: %s", r.code, r.err)
	}
}

func TestLiveLoadIsFound(t *testing.T) {
	data := t.TempDir()
	d := serve(t, data)
	r := pinglake(t, "sim", "--edge", d.edge, "--clients", "20", "--seconds", "1", "--duplicates", "0.1", "--malformed", "0.1", "--json")
	if r.code != 0 {
		t.Fatalf("exit %d: %s", r.code, r.err)
	}
	d.stop()
	var report struct {
		Pings      map[string]int
		Duplicates int
		Rejects    map[string]int
	}
	decodeJSON(t, r.out, &report)
	pings := 0
	for doctype, n := range report.Pings {
		pings += n
		if got := query(t, data, "SELECT count(*) FROM my_app_live."+strings.ReplaceAll(doctype, "-", "_")+"_v1"); atoi(t, got[0]) != n {
			t.Errorf("%s: stored %s, want %d", doctype, got[0], n)
		}
	}
	if pings == 0 || report.Duplicates == 0 || len(report.Rejects) == 0 {
		t.Fatalf("the load was nothing much: %s", r.out)
	}
	report.Rejects["duplicate"] = report.Duplicates
	for reason, n := range report.Rejects {
		if got := query(t, data, "SELECT count(*) FROM payload_bytes_error.structured WHERE reason = '"+reason+"'"); atoi(t, got[0]) != n {
			t.Errorf("%s: found %s, want %d", reason, got[0], n)
		}
	}
}

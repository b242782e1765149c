package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

const countByID = "SELECT count(*), count(DISTINCT document_id) FROM my_app_live.baseline_v1"

func TestStopAndStartChangesNothing(t *testing.T) {
	data := t.TempDir()
	d := serve(t, data)
	for i := range 50 {
		d.post("/submit/my-app/baseline/1/"+newID(i), nil, baseline(newID(1000+i%7)))
	}
	d.stop()
	before := query(t, data, "FROM my_app_live.baseline_v1 ORDER BY document_id")
	if got := strings.Join(query(t, data, countByID), ""); got != "50,50" {
		t.Fatalf("after SIGTERM: %s", got)
	}
	d = serve(t, data)
	for i := range 50 {
		d.post("/submit/my-app/baseline/1/"+newID(i), nil, baseline(newID(1000+i%7)))
	}
	d.stop()
	after := query(t, data, "FROM my_app_live.baseline_v1 ORDER BY document_id")
	if strings.Join(before, "\n") != strings.Join(after, "\n") {
		t.Errorf("repeats after a restart changed the rows")
	}
}

func TestAKilledDaemonLosesNothingItAnswered(t *testing.T) {
	data := t.TempDir()
	for round := range 3 {
		d := serve(t, data)
		for i := range 20 {
			if status := d.post("/submit/my-app/baseline/1/"+newID(100*round+i), nil, baseline(newID(1))); status != 200 {
				t.Fatalf("status %d", status)
			}
		}
		if err := d.cmd.Process.Signal(syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		<-d.ended
	}
	d := serve(t, data)
	d.stop()
	if got := strings.Join(query(t, data, countByID), ""); got != "60,60" {
		t.Errorf("after three kills: %s", got)
	}
}

func TestAnUnfinishedPublishIsFinishedOnStart(t *testing.T) {
	data := t.TempDir()
	d := serve(t, data)
	d.post("/submit/my-app/baseline/1/"+newID(1), nil, baseline(newID(2)))
	d.stop()

	// Put the last committed span back to where it was before its renames.
	files, err := filepath.Glob(filepath.Join(data, "lake", "*", "*", "submission_date=2*", "*.parquet"))
	if err != nil || len(files) == 0 {
		t.Fatalf("published files: %v, %v", files, err)
	}
	span := regexp.MustCompile(`-(\d{20}-\d{20})\.parquet$`)
	for _, file := range files {
		found := span.FindStringSubmatch(file)
		if found == nil {
			t.Fatalf("no span in %s", file)
		}
		relative, err := filepath.Rel(filepath.Join(data, "lake"), file)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.ReplaceAll(strings.Replace(relative, "submission_date=", "", 1), string(filepath.Separator), ".")
		staged := filepath.Join(data, "staging", found[1], name)
		if err := os.MkdirAll(filepath.Dir(staged), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(file, staged); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Join(query(t, data, countByID), ""); got != "0,0" {
		t.Fatalf("before the start: %s", got)
	}
	d = serve(t, data)
	if got := strings.Join(query(t, data, countByID), ""); got != "1,1" {
		t.Errorf("after the start: %s", got)
	}
	d.stop()
}

func TestTheSecondDaemonIsRefused(t *testing.T) {
	data := t.TempDir()
	d := serve(t, data)
	r := pinglake(t, "serve", "--data", data, "--edge-addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0")
	if r.code != 2 || !strings.Contains(r.err, "another pinglake has the data folder") {
		t.Errorf("exit %d: %s", r.code, r.err)
	}
	d.stop()
}

func TestImportAndBatchTalkToTheDaemon(t *testing.T) {
	data := t.TempDir()
	messages := filepath.Join(t.TempDir(), "messages.ndjson")
	var lines strings.Builder
	for i := range 10 {
		fmt.Fprintf(&lines, `{"attributeMap":{"uri":"/submit/my-app/baseline/1/%s","submission_timestamp":"2026-01-02T03:04:0%dZ"},"payload":"%s"}`+"\n",
			newID(i), i, base64Text(baseline(newID(100+i%4))))
	}
	if err := os.WriteFile(messages, []byte(lines.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	d := serve(t, data)
	for _, want := range []string{"10,10", "10,10"} { // the second import is all duplicates
		if r := pinglake(t, "import", "--data", data, messages); r.code != 0 || !strings.Contains(r.out, "imported 10 messages") {
			t.Fatalf("exit %d: %s%s", r.code, r.out, r.err)
		}
		if got := strings.Join(query(t, data, countByID), ""); got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
	}
	if r := pinglake(t, "batch", "run", "--data", data, "--date", "2026-01-02"); r.code != 0 {
		t.Fatalf("exit %d: %s", r.code, r.err)
	}
	const usage = "SELECT submission_date, daily_users FROM my_app.active_users_aggregates"
	if got := strings.Join(query(t, data, usage), ""); got != "2026-01-02,4" {
		t.Errorf("with the daemon: %s", got)
	}
	d.stop()
	if r := pinglake(t, "batch", "run", "--data", data, "--date", "2026-01-02"); r.code != 0 {
		t.Fatalf("exit %d: %s", r.code, r.err)
	}
	if got := strings.Join(query(t, data, usage), ""); got != "2026-01-02,4" {
		t.Errorf("without the daemon: %s", got)
	}
	if r := pinglake(t, "batch", "run", "--data", data, "--date", "2025-01-01"); r.code == 0 || !strings.Contains(r.err, "2025-01-01") {
		t.Errorf("a day without live data: exit %d: %s", r.code, r.err)
	}
}

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// writeMessages writes an import file with one baseline ping of each client on
// each day, days counted back from today.
func writeMessages(t *testing.T, first int, clientsByDay map[int][]int) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "messages.ndjson")
	var lines strings.Builder
	id := first
	for days := 10; days >= 0; days-- {
		for _, client := range clientsByDay[days] {
			at := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -days).Add(time.Hour)
			fmt.Fprintf(&lines, `{"attributeMap":{"uri":"/submit/my-app/baseline/1/%s","submission_timestamp":"%s"},"payload":"%s"}`+"\n",
				newID(id), at.Format(time.RFC3339), base64Text(baseline(newID(client))))
			id++
		}
	}
	if err := os.WriteFile(file, []byte(lines.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestTheDaemonCatchesUpOnMissedDays(t *testing.T) {
	data := t.TempDir()
	// Four days ago two clients, three and one days ago nobody, today one.
	messages := writeMessages(t, 0, map[int][]int{4: {1, 2}, 2: {2}, 0: {3}})
	if r := pinglake(t, "import", "--data", data, messages); r.code != 0 {
		t.Fatalf("exit %d: %s", r.code, r.err)
	}
	const usage = "SELECT string_agg(current_date - submission_date || ':' || daily_users || '/' || weekly_users, '_' ORDER BY submission_date) FROM my_app.active_users_aggregates"
	d := serve(t, data)
	eventually(t, data, usage, "4:2/2_3:0/2_2:1/2_1:0/2")

	// A ping that lands in a closed day later is healed forward by the next start.
	late := writeMessages(t, 100, map[int][]int{3: {5}})
	if r := pinglake(t, "import", "--data", data, late); r.code != 0 {
		t.Fatalf("exit %d: %s", r.code, r.err)
	}
	d.stop()
	d = serve(t, data)
	eventually(t, data, usage, "4:2/2_3:1/3_2:1/3_1:0/3")
	// The view has closed days from stable and today from live, each ping once.
	eventually(t, data, "SELECT count(*), count(DISTINCT document_id) FROM my_app.baseline", "5,5")
	d.stop()
	if got := query(t, data, "SELECT count(*) FROM my_app_stable.baseline_v1"); got[0] != "4" {
		t.Errorf("stable has %s pings", got[0])
	}
}

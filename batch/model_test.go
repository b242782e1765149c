package batch

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestHealingEqualsMakingAllAtOnce lands pings on random days, early and late, with
// nightlies in between, and holds the tables against those of one nightly at the end.
func TestHealingEqualsMakingAllAtOnce(t *testing.T) {
	const days, steps = 6, 7
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			dice := rand.New(rand.NewPCG(seed, 1))
			healed, whole := newHouse(t, nil), newHouse(t, nil)
			first := date(t, "2026-11-10")
			for step := range steps {
				d := formatDate(first + int32(dice.IntN(days)))
				var pings strings.Builder
				for i := range 1 + dice.IntN(4) {
					fmt.Fprintf(&pings, "id=%d at=0%d:00 client=c%d locale=l%d seconds=%d uri=%d\n",
						dice.IntN(12), dice.IntN(9), dice.IntN(4), dice.IntN(3), dice.IntN(2), i)
				}
				healed.land(t, baseline, d, fmt.Sprint(step+1), pingsOf(t, d, pings.String()))
				healed.today = day(t, formatDate(first+1+int32(dice.IntN(days))))
				if err := healed.runner.Nightly(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			healed.today, whole.today = day(t, "2026-11-22"), day(t, "2026-11-22")
			if err := os.CopyFS(filepath.Join(whole.lake.Dir(), "app_live"), os.DirFS(filepath.Join(healed.lake.Dir(), "app_live"))); err != nil {
				t.Fatal(err)
			}
			for _, h := range []*house{healed, whole} {
				if err := h.runner.Nightly(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			for _, table := range []string{"app_stable.baseline_v1", "app_derived.baseline_clients_first_seen_v1",
				"app_derived.baseline_clients_daily_v1", "app_derived.baseline_clients_last_seen_v1"} {
				sql := "SELECT * FROM " + table + " ORDER BY ALL"
				if got, want := healed.query(t, sql), whole.query(t, sql); got != want {
					t.Errorf("%s, healed:\n%s\nat once:\n%s", table, got, want)
				}
			}
		})
	}
}

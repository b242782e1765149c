package batch

import (
	"fmt"
	"testing"

	"pinglake/lake"
)

// BenchmarkNightly makes 35 days of two apps, as a demo does: 280 partitions.
func BenchmarkNightly(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		h := newHouse(b, nil)
		first := date(b, "2026-10-18")
		for d := first; d < first+35; d++ {
			for _, app := range []string{"one", "two"} {
				h.land(b, lake.TableRef{Dataset: app + "_live", Table: "baseline_v1"}, formatDate(d), fmt.Sprint(d), population(b, formatDate(d), 1000, 2))
			}
		}
		b.StartTimer()
		if err := h.runner.Nightly(b.Context()); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(len(h.events)), "partitions")
	}
}

// BenchmarkIdleNightly finds nothing to do in those 280 partitions.
func BenchmarkIdleNightly(b *testing.B) {
	h := newHouse(b, nil)
	first := date(b, "2026-10-18")
	for d := first; d < first+35; d++ {
		for _, app := range []string{"one", "two"} {
			h.land(b, lake.TableRef{Dataset: app + "_live", Table: "baseline_v1"}, formatDate(d), fmt.Sprint(d), population(b, formatDate(d), 10, 1))
		}
	}
	if err := h.runner.Nightly(b.Context()); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := h.runner.Nightly(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLargeDay makes one day of a million pings of 300000 clients.
func BenchmarkLargeDay(b *testing.B) {
	h := newHouse(b, nil)
	h.land(b, lake.TableRef{Dataset: "app_live", Table: "baseline_v1"}, "2026-11-20", "1", population(b, "2026-11-20", 300000, 1000000./300000))
	for b.Loop() {
		if err := h.runner.RunDate(b.Context(), date(b, "2026-11-20"), RunOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

// population is SQL for the pings of some clients on a day.
func population(t testing.TB, date string, clients int, pingsEach float64) string {
	one := pingsOf(t, date, "id=x at=01:00 client=c seconds=60 locale=de country=DE channel=release os=Linux os_version=6.1 app_version=1.0 "+
		"app_channel=release app_build=1 architecture=x86_64 sdk=60 uri=3 ticks=10 end="+date+"T01:00+00:00 first_run=2026-10-01+00:00 experiment=a:b")
	return fmt.Sprintf("SELECT * REPLACE (document_id || i || submission_timestamp AS document_id, submission_timestamp + i * INTERVAL 1 MILLISECOND AS submission_timestamp, "+
		"(i %% 100)::BIGINT AS sample_id, struct_update(client_info, client_id := 'client-' || (i %% %d)) AS client_info) FROM (%s), range(%d) AS n(i)",
		clients, one, int(float64(clients)*pingsEach))
}

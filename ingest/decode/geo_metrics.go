package decode

import "github.com/prometheus/client_golang/prometheus"

// lookupCounts count how lookups in one database begin: each one that has
// something to look up is exactly one of these.
type lookupCounts struct {
	alreadyApplied, malformedInput, ip prometheus.Counter
}

// geoCounts count what lookups found.
type geoCounts struct {
	all *prometheus.CounterVec

	city, isp lookupCounts

	cityName, cityAllowed   prometheus.Counter
	dmaCode, dmaCodeAllowed prometheus.Counter
	subdivisions            [2]prometheus.Counter
	ispName                 prometheus.Counter
}

func newGeoCounts() *geoCounts {
	all := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "pinglake_ingest_geo_lookups_total",
		Help: "Lookups in a geo database by what they found. Each is one of already_applied (told before), " +
			"malformed_input (no address) and ip (an address), and of ip also those that the database tells; " +
			"*_allowed passed the filter of cities.",
	}, []string{"database", "found"})
	begun := func(database string) lookupCounts {
		return lookupCounts{
			alreadyApplied: all.WithLabelValues(database, "already_applied"),
			malformedInput: all.WithLabelValues(database, "malformed_input"),
			ip:             all.WithLabelValues(database, "ip"),
		}
	}
	return &geoCounts{
		all:            all,
		city:           begun("city"),
		isp:            begun("isp"),
		cityName:       all.WithLabelValues("city", "city"),
		cityAllowed:    all.WithLabelValues("city", "city_allowed"),
		dmaCode:        all.WithLabelValues("city", "dma_code"),
		dmaCodeAllowed: all.WithLabelValues("city", "dma_code_allowed"),
		subdivisions: [2]prometheus.Counter{
			all.WithLabelValues("city", "subdivision1"), all.WithLabelValues("city", "subdivision2"),
		},
		ispName: all.WithLabelValues("isp", "isp"),
	}
}

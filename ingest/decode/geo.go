package decode

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// GeoOptions say where the databases are; "" for none.
type GeoOptions struct {
	// City is a MaxMind DB file with cities: GeoLite2 City, GeoIP2 City or
	// Enterprise, or one of the same layout.
	City string
	// ISP is a MaxMind DB file with providers: GeoIP2 ISP.
	ISP string
	// Cities names the cities that may be told: a file whose lines begin with a
	// geonames id, the rest of a line is ignored. "" allows all. It is read once.
	Cities string
	// Logger hears of reloads and of faulty files. It never hears an address.
	// Nil discards.
	Logger *slog.Logger
}

// Geo tells where an address is and whose it is. A nil Geo knows nothing, but
// forgets addresses all the same. It is safe for concurrent use.
type Geo struct {
	city, isp geoSource
	cities    cityFilter
	counts    *geoCounts

	cityRecords, ispRecords sync.Pool // of *cityRecord and *ispRecord
}

// OpenGeo reads the databases into memory. The error holds all faults, each one
// line with the file's path.
func OpenGeo(o GeoOptions) (*Geo, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	counts := newGeoCounts()
	g := &Geo{
		city:        geoSource{path: o.City, kind: cityKind, logger: o.Logger, counts: counts.city},
		isp:         geoSource{path: o.ISP, kind: ispKind, logger: o.Logger, counts: counts.isp},
		counts:      counts,
		cityRecords: sync.Pool{New: func() any { return new(cityRecord) }},
		ispRecords:  sync.Pool{New: func() any { return new(ispRecord) }},
	}
	faults := []error{g.city.open(), g.isp.open()}
	if o.Cities != "" {
		var err error
		g.cities, err = readCityFilter(o.Cities)
		faults = append(faults, err)
		if o.City == "" {
			faults = append(faults, errors.New("city filter "+o.Cities+": there is no city database to filter"))
		}
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return g, nil
}

// watchInterval is how often Watch looks at the files.
const watchInterval = 5 * time.Second

// Watch reads a database again when its file changed and was then left alone for
// an interval of a few seconds, until ctx is done. A file that is faulty or gone
// leaves the one before in use and is logged once. The filter of cities is not
// watched.
func (g *Geo) Watch(ctx context.Context) error {
	if g == nil {
		<-ctx.Done()
		return nil
	}
	ticker := time.NewTicker(watchInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			g.city.poll()
			g.isp.poll()
		}
	}
}

// Close lets go of the databases: later lookups find nothing. Watch must have
// ended. The error is nil.
func (g *Geo) Close() error {
	if g != nil {
		g.city.current.Store(nil)
		g.isp.current.Store(nil)
	}
	return nil
}

// Collector gives the metrics, to be registered once.
func (g *Geo) Collector() prometheus.Collector {
	if g == nil {
		return newGeoCounts().all
	}
	return g.counts.all
}

// ispRecord is what is read of a provider.
type ispRecord struct {
	Name         string `maxminddb:"isp"`
	Organization string `maxminddb:"organization"`
}

// addISP tells the provider of the client's address, unless it was told before.
// It must come before addCity, which forgets the address.
func (g *Geo) addISP(attributes map[string]string) {
	if g == nil {
		return
	}
	database, address, ok := g.isp.begin(attributes)
	if !ok {
		return
	}
	record := g.ispRecords.Get().(*ispRecord)
	defer g.ispRecords.Put(record)
	*record = ispRecord{}
	if !database.lookup(address, record) {
		return
	}
	if record.Name != "" {
		attributes["isp_name"] = record.Name
		g.counts.ispName.Inc()
	}
	setNonEmpty(attributes, "isp_organization", record.Organization)
}

// cityRecord is what is read of a city. The types of geoip2-golang read all names
// in all languages: twice the time, and 13 allocations for one.
type cityRecord struct {
	City struct {
		GeonameID uint32 `maxminddb:"geoname_id"`
		Names     struct {
			English string `maxminddb:"en"`
		} `maxminddb:"names"`
	} `maxminddb:"city"`
	Country struct {
		ISOCode string `maxminddb:"iso_code"`
	} `maxminddb:"country"`
	Location struct {
		MetroCode uint32 `maxminddb:"metro_code"`
	} `maxminddb:"location"`
	Subdivisions []subdivision `maxminddb:"subdivisions"`
}

type subdivision struct {
	ISOCode string `maxminddb:"iso_code"`
}

// addCity tells where the client's address is, unless it was told before, and
// forgets the address.
func (g *Geo) addCity(attributes map[string]string) {
	defer delete(attributes, "x_forwarded_for")
	if g == nil {
		return
	}
	database, address, ok := g.city.begin(attributes)
	if !ok {
		return
	}
	record := g.cityRecords.Get().(*cityRecord)
	defer g.cityRecords.Put(record)
	*record = cityRecord{Subdivisions: record.Subdivisions[:0]} // its memory is used again
	if database.lookup(address, record) {
		g.tellCity(attributes, record)
	}
}

func (g *Geo) tellCity(attributes map[string]string, record *cityRecord) {
	setNonEmpty(attributes, "geo_country", record.Country.ISOCode)
	allowed := g.cities.allows(record.City.GeonameID)
	if name := record.City.Names.English; name != "" {
		g.counts.cityName.Inc()
		if allowed {
			attributes["geo_city"] = name
			g.counts.cityAllowed.Inc()
		}
	}
	if code := record.Location.MetroCode; code != 0 {
		g.counts.dmaCode.Inc()
		if allowed {
			attributes["geo_dma_code"] = strconv.FormatUint(uint64(code), 10)
			g.counts.dmaCodeAllowed.Inc()
		}
	}
	for i, name := range []string{"geo_subdivision1", "geo_subdivision2"} {
		if i >= len(record.Subdivisions) || record.Subdivisions[i].ISOCode == "" {
			continue
		}
		attributes[name] = record.Subdivisions[i].ISOCode
		g.counts.subdivisions[i].Inc()
	}
}

func setNonEmpty(attributes map[string]string, name, value string) {
	if value != "" {
		attributes[name] = value
	}
}

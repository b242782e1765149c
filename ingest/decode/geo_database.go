package decode

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/oschwald/maxminddb-golang/v2"
)

// geoKind is what a database is for.
type geoKind struct {
	name string
	// told is the attribute of an earlier lookup, version that of the build time.
	told, version string
	suits         func(databaseType string) bool
	hint          string
}

var (
	cityKind = geoKind{
		name: "city", told: "geo_country", version: "geo_db_version",
		suits: func(databaseType string) bool {
			return strings.Contains(databaseType, "City") || strings.Contains(databaseType, "Enterprise")
		},
		hint: "it needs a City database, for example GeoLite2-City",
	}
	ispKind = geoKind{
		name: "isp", told: "isp_name", version: "isp_db_version",
		suits: func(databaseType string) bool { return strings.HasSuffix(databaseType, "ISP") },
		hint:  "it needs an ISP database, for example GeoIP2-ISP",
	}
)

// geoDatabase is the content of a file.
//
// It is held in memory, not mapped: a mapped file that is overwritten in place,
// as cp does, ends the process at the next lookup. Nor does anybody need to know
// when the last lookup in a replaced one has ended.
type geoDatabase struct {
	reader  *maxminddb.Reader
	path    string
	version string // when it was built, an ISO instant
	logger  *slog.Logger
	damaged sync.Once
}

func openGeoDatabase(path string, kind geoKind, logger *slog.Logger) (*geoDatabase, error) {
	data, err := readRegular(path)
	if err != nil {
		return nil, fmt.Errorf("%s database: %w", kind.name, err)
	}
	reader, err := maxminddb.OpenBytes(data)
	if err != nil {
		return nil, fmt.Errorf("%s database %s: %w", kind.name, path, err)
	}
	if databaseType := reader.Metadata.DatabaseType; !kind.suits(databaseType) {
		return nil, fmt.Errorf("%s database %s: the file is a %s database: %s", kind.name, path, databaseType, kind.hint)
	}
	version := reader.Metadata.BuildTime().UTC().Format(time.RFC3339)
	return &geoDatabase{reader: reader, path: path, version: version, logger: logger}, nil
}

// readRegular reads a file whole. Anything but a regular file could block or
// never end.
func readRegular(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &os.PathError{Op: "read", Path: path, Err: errors.New("not a regular file")}
	}
	return os.ReadFile(path)
}

// lookup reads what is known of the address into record. It says false when
// nothing is, also when the database is damaged: a ping is not refused for that.
func (d *geoDatabase) lookup(address netip.Addr, record any) bool {
	if address.Is6() && d.reader.Metadata.IPVersion == 4 {
		return false
	}
	result := d.reader.Lookup(address)
	if err := result.Decode(record); err != nil {
		d.damaged.Do(func() {
			d.logger.Error("geo database is damaged, lookups in it fail", "path", d.path, "error", err)
		})
		return false
	}
	return result.Found()
}

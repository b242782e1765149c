package decode

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"
	"github.com/prometheus/client_golang/prometheus"
)

var (
	geoBuilt    = time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC)
	geoVersion  = "2026-03-04T00:00:00Z"
	geoNetworks = map[string]mmdbtype.Map{
		"192.0.2.0/25":      geoPlace("US", 101, "Quayside", 819, "WA"),
		"192.0.2.128/25":    geoPlace("GB", 102, "Fordham", 0, "ENG", "OXF", "XYZ"),
		"198.51.100.0/26":   geoPlace("PH", 0, "", 0),
		"198.51.100.64/26":  geoPlace("DE", 0, "Namenlos", 500, "BE"),
		"198.51.100.128/26": geoPlace("FR", 103, "", 600),
		"198.51.100.192/26": geoPlace("", 104, "Nowhere", 0, "", "S2"),
		"203.0.113.0/24":    {},
		"2001:db8::/33":     geoPlace("CA", 105, "Sixtown", 0, "QC"),
	}
	ispNetworks = map[string]mmdbtype.Map{
		"192.0.2.0/25":    {"isp": mmdbtype.String("Acme Net"), "organization": mmdbtype.String("Acme Schools"), "autonomous_system_number": mmdbtype.Uint32(64496)},
		"192.0.2.128/25":  {"isp": mmdbtype.String("Solo")},
		"198.51.100.0/25": {"organization": mmdbtype.String("Orphans")},
		"2001:db8::/33":   {"isp": mmdbtype.String("Six"), "organization": mmdbtype.String("Six")},
	}
)

// geoPlace is a record as those of City databases, with names in two languages.
// What is zero or "" is left out.
func geoPlace(country string, id uint32, city string, metro uint16, subdivisions ...string) mmdbtype.Map {
	place := mmdbtype.Map{}
	if country != "" {
		place["country"] = mmdbtype.Map{"iso_code": mmdbtype.String(country), "geoname_id": mmdbtype.Uint32(1)}
	}
	names := mmdbtype.Map{"de": mmdbtype.String("Stadt " + city)}
	if city != "" {
		names["en"] = mmdbtype.String(city)
	}
	inCity := mmdbtype.Map{"names": names}
	if id != 0 {
		inCity["geoname_id"] = mmdbtype.Uint32(id)
	}
	place["city"] = inCity
	location := mmdbtype.Map{"latitude": mmdbtype.Float64(1.5)}
	if metro != 0 {
		location["metro_code"] = mmdbtype.Uint16(metro)
	}
	place["location"] = location
	var divisions mmdbtype.Slice
	for _, code := range subdivisions {
		division := mmdbtype.Map{"geoname_id": mmdbtype.Uint32(2)}
		if code != "" {
			division["iso_code"] = mmdbtype.String(code)
		}
		divisions = append(divisions, division)
	}
	if divisions != nil {
		place["subdivisions"] = divisions
	}
	return place
}

// databaseOf is a database's file content.
func databaseOf(t testing.TB, options mmdbwriter.Options, networks map[string]mmdbtype.Map) []byte {
	t.Helper()
	options.IncludeReservedNetworks = true
	tree, err := mmdbwriter.New(options)
	if err != nil {
		t.Fatal(err)
	}
	for _, network := range slices.Sorted(maps.Keys(networks)) {
		_, parsed, err := net.ParseCIDR(network)
		if err != nil {
			t.Fatal(err)
		}
		if err := tree.Insert(parsed, networks[network]); err != nil {
			t.Fatal(err)
		}
	}
	var content bytes.Buffer
	if _, err := tree.WriteTo(&content); err != nil {
		t.Fatal(err)
	}
	return content.Bytes()
}

func cityDatabase(t testing.TB) []byte {
	return databaseOf(t, mmdbwriter.Options{DatabaseType: "GeoLite2-City", BuildEpoch: geoBuilt.Unix()}, geoNetworks)
}

func ispDatabase(t testing.TB) []byte {
	return databaseOf(t, mmdbwriter.Options{DatabaseType: "GeoIP2-ISP", BuildEpoch: geoBuilt.Unix()}, ispNetworks)
}

// geoFile writes a file into a folder of its own.
func geoFile(t testing.TB, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func openGeo(t testing.TB, o GeoOptions) *Geo {
	t.Helper()
	g, err := OpenGeo(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	})
	return g
}

// attributesOf reads "name=value" with semicolons between; textOf writes them, sorted.
func attributesOf(text string) map[string]string {
	attributes := map[string]string{}
	for pair := range strings.SplitSeq(text, "; ") {
		if name, value, ok := strings.Cut(pair, "="); ok {
			attributes[name] = value
		}
	}
	return attributes
}

func textOf(attributes map[string]string) string {
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		pairs = append(pairs, name+"="+attributes[name])
	}
	return strings.Join(pairs, "; ")
}

func TestAddCity(t *testing.T) {
	all := openGeo(t, GeoOptions{City: geoFile(t, "city.mmdb", cityDatabase(t))})
	filtered := openGeo(t, GeoOptions{
		City:   geoFile(t, "city.mmdb", cityDatabase(t)),
		Cities: geoFile(t, "cities.txt", []byte("102\tFordham\tmore\n103")),
	})
	none := openGeo(t, GeoOptions{})
	const version = "; geo_db_version=2026-03-04T00:00:00Z"
	for _, c := range []struct {
		name     string
		geo      *Geo
		in, want string
	}{
		{"all there is", all, "x_forwarded_for=192.0.2.1", "geo_city=Quayside; geo_country=US" + version + "; geo_dma_code=819; geo_subdivision1=WA"},
		{"the last entry counts", all, "x_forwarded_for=198.51.100.1, 192.0.2.129", "geo_city=Fordham; geo_country=GB" + version + "; geo_subdivision1=ENG; geo_subdivision2=OXF"},
		{"a country alone", all, "x_forwarded_for=198.51.100.1", "geo_country=PH" + version},
		{"a city without an id, so no dma code", all, "x_forwarded_for=198.51.100.65", "geo_country=DE" + version + "; geo_subdivision1=BE"},
		{"a city without an English name", all, "x_forwarded_for=198.51.100.129", "geo_country=FR" + version + "; geo_dma_code=600"},
		{"nothing of the record before", all, "x_forwarded_for=198.51.100.193", "geo_city=Nowhere" + version + "; geo_subdivision2=S2"},
		{"an empty record", all, "x_forwarded_for=203.0.113.9", "geo_db_version=2026-03-04T00:00:00Z"},
		{"IPv6", all, "x_forwarded_for=2001:db8::1", "geo_city=Sixtown; geo_country=CA" + version + "; geo_subdivision1=QC"},
		{"IPv6 in brackets", all, "x_forwarded_for=[2001:db8::1]", "geo_city=Sixtown; geo_country=CA" + version + "; geo_subdivision1=QC"},
		{"IPv4 in IPv6", all, "x_forwarded_for=::ffff:198.51.100.1", "geo_country=PH" + version},
		{"a short form", all, "x_forwarded_for=198.3367937", "geo_country=PH" + version},
		{"not in the database", all, "x_forwarded_for=2001:db8:8000::1", "geo_db_version=2026-03-04T00:00:00Z"},
		{"private", all, "x_forwarded_for=192.168.1.2", "geo_db_version=2026-03-04T00:00:00Z"},
		{"no address", all, "x_forwarded_for=example.org", "geo_db_version=2026-03-04T00:00:00Z"},
		{"an empty list", all, "x_forwarded_for=", "geo_db_version=2026-03-04T00:00:00Z"},
		{"no list", all, "host=h", "host=h"},
		{"told before", all, "geo_country=XX; x_forwarded_for=192.0.2.1", "geo_country=XX"},
		{"told before, as empty", all, "geo_country=; x_forwarded_for=192.0.2.1", "geo_country="},
		{"a filter lets pass", filtered, "x_forwarded_for=192.0.2.129", "geo_city=Fordham; geo_country=GB" + version + "; geo_subdivision1=ENG; geo_subdivision2=OXF"},
		{"a filter holds back, the dma code too", filtered, "x_forwarded_for=192.0.2.1", "geo_country=US" + version + "; geo_subdivision1=WA"},
		{"a filter without an id", filtered, "x_forwarded_for=198.51.100.65", "geo_country=DE" + version + "; geo_subdivision1=BE"},
		{"no database", none, "host=h; x_forwarded_for=192.0.2.1", "host=h"},
		{"no Geo", nil, "host=h; x_forwarded_for=192.0.2.1", "host=h"},
	} {
		attributes := attributesOf(c.in)
		c.geo.addCity(attributes)
		if got := textOf(attributes); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestAddISP(t *testing.T) {
	g := openGeo(t, GeoOptions{ISP: geoFile(t, "isp.mmdb", ispDatabase(t))})
	for _, c := range []struct {
		name     string
		geo      *Geo
		in, want string
	}{
		{"both", g, "x_forwarded_for=192.0.2.1", "isp_db_version=2026-03-04T00:00:00Z; isp_name=Acme Net; isp_organization=Acme Schools; x_forwarded_for=192.0.2.1"},
		{"a name alone, nothing of the record before", g, "x_forwarded_for=192.0.2.129", "isp_db_version=2026-03-04T00:00:00Z; isp_name=Solo; x_forwarded_for=192.0.2.129"},
		{"an organization alone", g, "x_forwarded_for=198.51.100.1", "isp_db_version=2026-03-04T00:00:00Z; isp_organization=Orphans; x_forwarded_for=198.51.100.1"},
		{"IPv6", g, "x_forwarded_for=2001:db8::1", "isp_db_version=2026-03-04T00:00:00Z; isp_name=Six; isp_organization=Six; x_forwarded_for=2001:db8::1"},
		{"not in the database", g, "x_forwarded_for=203.0.113.1", "isp_db_version=2026-03-04T00:00:00Z; x_forwarded_for=203.0.113.1"},
		{"no address", g, "x_forwarded_for=_", "isp_db_version=2026-03-04T00:00:00Z; x_forwarded_for=_"},
		{"no list", g, "host=h", "host=h"},
		{"told before", g, "isp_name=; x_forwarded_for=192.0.2.1", "isp_name=; x_forwarded_for=192.0.2.1"},
		{"no Geo", nil, "x_forwarded_for=192.0.2.1", "x_forwarded_for=192.0.2.1"},
	} {
		attributes := attributesOf(c.in)
		c.geo.addISP(attributes)
		if got := textOf(attributes); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestOpenGeoFaults(t *testing.T) {
	city, isp := geoFile(t, "city.mmdb", cityDatabase(t)), geoFile(t, "isp.mmdb", ispDatabase(t))
	folder := t.TempDir()
	text := geoFile(t, "text.mmdb", []byte("no database"))
	empty := geoFile(t, "empty.mmdb", nil)
	half := geoFile(t, "half.mmdb", cityDatabase(t)[:500])
	country := geoFile(t, "country.mmdb", databaseOf(t, mmdbwriter.Options{DatabaseType: "GeoLite2-Country"}, nil))
	asn := geoFile(t, "asn.mmdb", databaseOf(t, mmdbwriter.Options{DatabaseType: "GeoLite2-ASN"}, nil))
	filter := func(content string) string { return geoFile(t, "cities.txt", []byte(content)) }
	blank, letter := filter("1\n\n3\n"), filter("x1\n2")
	large, spaces := filter("4294967295\n4294967296\n"), filter(" 1\n-2\n")
	noList := filter(strings.Repeat("no id\n", 13))
	for _, c := range []struct {
		name string
		o    GeoOptions
		want []string
	}{
		{"no file", GeoOptions{City: "/no/city"}, []string{"city database: stat /no/city: no such file or directory"}},
		{"a folder", GeoOptions{ISP: folder}, []string{"isp database: read " + folder + ": not a regular file"}},
		{"text", GeoOptions{City: text}, []string{"city database " + text + ": error opening database: invalid MaxMind DB file"}},
		{"an empty file", GeoOptions{ISP: empty}, []string{"isp database " + empty + ": error opening database: invalid MaxMind DB file"}},
		{"half a file", GeoOptions{City: half}, []string{"city database " + half + ": error opening database: invalid MaxMind DB file"}},
		{"countries for cities", GeoOptions{City: country}, []string{"city database " + country + ": the file is a GeoLite2-Country database: it needs a City database, for example GeoLite2-City"}},
		{"ASN for ISP", GeoOptions{ISP: asn}, []string{"isp database " + asn + ": the file is a GeoLite2-ASN database: it needs an ISP database, for example GeoIP2-ISP"}},
		{"the wrong way round", GeoOptions{City: isp, ISP: city}, []string{
			"city database " + isp + ": the file is a GeoIP2-ISP database: it needs a City database, for example GeoLite2-City",
			"isp database " + city + ": the file is a GeoLite2-City database: it needs an ISP database, for example GeoIP2-ISP",
		}},
		{"no filter file", GeoOptions{City: city, Cities: "/no/list"}, []string{"city filter: stat /no/list: no such file or directory"}},
		{"a filter of nothing", GeoOptions{Cities: filter("1")}, []string{"city filter PATH: there is no city database to filter"}},
		{"a blank line", GeoOptions{City: city, Cities: blank}, []string{"city filter " + blank + ":2: the line does not begin with a geonames id"}},
		{"a letter", GeoOptions{City: city, Cities: letter}, []string{"city filter " + letter + ":1: the line does not begin with a geonames id"}},
		{"too large a number", GeoOptions{City: city, Cities: large}, []string{"city filter " + large + ":2: the line does not begin with a geonames id"}},
		{"digits elsewhere", GeoOptions{City: city, Cities: spaces}, []string{
			"city filter " + spaces + ":1: the line does not begin with a geonames id",
			"city filter " + spaces + ":2: the line does not begin with a geonames id",
		}},
		{"all at once", GeoOptions{City: "/no/city", ISP: "/no/isp", Cities: "/no/list"}, []string{
			"city database: stat /no/city: no such file or directory",
			"isp database: stat /no/isp: no such file or directory",
			"city filter: stat /no/list: no such file or directory",
		}},
	} {
		g, err := OpenGeo(c.o)
		if err == nil || g != nil {
			t.Errorf("%s: got %v, %v", c.name, g, err)
			continue
		}
		want := strings.ReplaceAll(strings.Join(c.want, "\n"), "PATH", c.o.Cities)
		if diff := cmp.Diff(want, err.Error()); diff != "" {
			t.Errorf("%s:\n%s", c.name, diff)
		}
	}
	_, err := OpenGeo(GeoOptions{City: city, Cities: noList})
	lines := strings.Split(fmt.Sprint(err), "\n")
	if last := "city filter " + noList + ": 3 more lines do not begin with a geonames id"; len(lines) != maxFilterFaults+1 || lines[maxFilterFaults] != last {
		t.Errorf("no list at all: got\n%v", err)
	}
}

func TestOpenGeoTakesLikeDatabases(t *testing.T) {
	for _, c := range []struct{ city, isp string }{
		{"GeoIP2-City", "GeoIP2-ISP"},
		{"GeoIP2-City-Europe", "GeoIP2-Precision-ISP"},
		{"GeoIP2-Enterprise", "GeoIP2-ISP"},
		{"DBIP-City-Lite", "GeoIP2-ISP"},
		{"DBIP-Location-ISP (compat=Enterprise)", "GeoIP2-ISP"},
	} {
		openGeo(t, GeoOptions{
			City: geoFile(t, "city.mmdb", databaseOf(t, mmdbwriter.Options{DatabaseType: c.city}, geoNetworks)),
			ISP:  geoFile(t, "isp.mmdb", databaseOf(t, mmdbwriter.Options{DatabaseType: c.isp}, ispNetworks)),
		})
	}
}

func TestGeoFilterForms(t *testing.T) {
	for _, c := range []struct {
		content string
		want    []uint32
	}{
		{"", nil},
		{"1\n2\n", []uint32{1, 2}},
		{"1\n2", []uint32{1, 2}},
		{"007 James\r\n12abc\r\n", []uint32{7, 12}},
		{"1\n1\n4294967295", []uint32{1, 4294967295}},
	} {
		got, err := readCityFilter(geoFile(t, "cities.txt", []byte(c.content)))
		if diff := cmp.Diff(c.want, slices.Sorted(maps.Keys(got))); diff != "" || err != nil {
			t.Errorf("%q: %v\n%s", c.content, err, diff)
		}
		if got == nil {
			t.Errorf("%q: allows all", c.content)
		}
	}
}

func TestGeoVersionIsUTC(t *testing.T) {
	local := time.Local
	t.Cleanup(func() { time.Local = local })
	time.Local = time.FixedZone("east", 3600)
	g := openGeo(t, GeoOptions{City: geoFile(t, "city.mmdb", cityDatabase(t))})
	attributes := map[string]string{"x_forwarded_for": "_"}
	g.addCity(attributes)
	if got := attributes["geo_db_version"]; got != geoVersion {
		t.Errorf("got %s, want %s", got, geoVersion)
	}
}

func TestGeoIPv4Database(t *testing.T) {
	var log bytes.Buffer
	content := databaseOf(t, mmdbwriter.Options{DatabaseType: "GeoLite2-City", IPVersion: 4, BuildEpoch: geoBuilt.Unix()},
		map[string]mmdbtype.Map{"192.0.2.0/24": geoPlace("US", 0, "", 0)})
	g := openGeo(t, GeoOptions{City: geoFile(t, "city.mmdb", content), Logger: slog.New(slog.NewTextHandler(&log, nil))})
	for in, want := range map[string]string{
		"192.0.2.1":        "geo_country=US; geo_db_version=" + geoVersion,
		"::ffff:192.0.2.1": "geo_country=US; geo_db_version=" + geoVersion,
		"2001:db8::1":      "geo_db_version=" + geoVersion,
	} {
		attributes := map[string]string{"x_forwarded_for": in}
		g.addCity(attributes)
		if got := textOf(attributes); got != want {
			t.Errorf("%s: got %q, want %q", in, got, want)
		}
	}
	if log.Len() > 0 {
		t.Errorf("logged %s", log.String())
	}
}

func TestGeoDamagedDatabaseIsLoggedOnceWithoutAddresses(t *testing.T) {
	var log bytes.Buffer
	path := geoFile(t, "city.mmdb", databaseOf(t, mmdbwriter.Options{DatabaseType: "GeoLite2-City", BuildEpoch: geoBuilt.Unix()},
		map[string]mmdbtype.Map{"192.0.2.0/24": {
			"country": mmdbtype.Map{"iso_code": mmdbtype.String("US")}, "city": mmdbtype.String("no map"),
		}}))
	g := openGeo(t, GeoOptions{City: path, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	for range 3 {
		attributes := map[string]string{"x_forwarded_for": "192.0.2.77"}
		g.addCity(attributes)
		if got, want := textOf(attributes), "geo_db_version="+geoVersion; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	line := log.String()
	if strings.Count(line, "\n") != 1 || !strings.Contains(line, path) || strings.Contains(line, "192.0.2") {
		t.Errorf("logged %q", line)
	}
}

// Whatever byte of a database is wrong, a lookup ends and the address is gone.
func TestGeoDamageAnywhere(t *testing.T) {
	content := cityDatabase(t)
	addresses := []string{"192.0.2.1", "192.0.2.129", "198.51.100.65", "198.51.100.193", "2001:db8::1"}
	opened := 0
	for i := range content {
		damaged := bytes.Clone(content)
		damaged[i] ^= 0xff
		g, err := OpenGeo(GeoOptions{City: geoFile(t, "city.mmdb", damaged)})
		if err != nil {
			continue
		}
		opened++
		for _, address := range addresses {
			attributes := map[string]string{"x_forwarded_for": address}
			g.addCity(attributes)
			if _, kept := attributes["x_forwarded_for"]; kept {
				t.Fatalf("byte %d: the address of %s is kept", i, address)
			}
		}
	}
	if opened < len(content)/2 {
		t.Errorf("only %d of %d damaged databases opened: the test looked up too little", opened, len(content))
	}
}

func TestGeoClosed(t *testing.T) {
	g := openGeo(t, GeoOptions{City: geoFile(t, "city.mmdb", cityDatabase(t)), ISP: geoFile(t, "isp.mmdb", ispDatabase(t))})
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	attributes := attributesOf("host=h; x_forwarded_for=192.0.2.1")
	g.addISP(attributes)
	g.addCity(attributes)
	if got := textOf(attributes); got != "host=h" {
		t.Errorf("got %q", got)
	}
	if err := errors.Join(g.Close(), (*Geo)(nil).Close()); err != nil {
		t.Error(err)
	}
}

// geoCounted are the counts that are not zero, by database and found.
func geoCounted(t *testing.T, g *Geo) map[string]float64 {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(g.Collector())
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	counted := map[string]float64{}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			name := family.GetName()
			for _, label := range metric.GetLabel() {
				name += " " + label.GetValue()
			}
			if value := metric.GetCounter().GetValue(); value != 0 {
				counted[name] = value
			}
		}
	}
	return counted
}

func TestGeoCounts(t *testing.T) {
	g := openGeo(t, GeoOptions{
		City:   geoFile(t, "city.mmdb", cityDatabase(t)),
		ISP:    geoFile(t, "isp.mmdb", ispDatabase(t)),
		Cities: geoFile(t, "cities.txt", []byte("101\n102\n103\n")),
	})
	for _, in := range []string{
		"x_forwarded_for=192.0.2.1",                                    // city, dma code, subdivision; isp
		"x_forwarded_for=192.0.2.129",                                  // city, 2 subdivisions; isp
		"x_forwarded_for=198.51.100.1",                                 // country only; no isp
		"x_forwarded_for=198.51.100.65",                                // city and dma code, not allowed
		"x_forwarded_for=198.51.100.129",                               // no city, dma code allowed
		"x_forwarded_for=198.51.100.193",                               // city not allowed, second subdivision alone
		"x_forwarded_for=10.0.0.1",                                     // an address
		"x_forwarded_for=_",                                            // none
		"x_forwarded_for=",                                             // none
		"host=h",                                                       // nothing to look up
		"geo_country=US; x_forwarded_for=192.0.2.1",                    // isp alone
		"geo_country=US; isp_name=Acme Net; x_forwarded_for=192.0.2.1", // none
	} {
		attributes := attributesOf(in)
		g.addISP(attributes)
		g.addCity(attributes)
	}
	const name = "pinglake_ingest_geo_lookups_total "
	want := map[string]float64{
		name + "city already_applied":  2,
		name + "city malformed_input":  2,
		name + "city ip":               7,
		name + "city city":             4,
		name + "city city_allowed":     2,
		name + "city dma_code":         3,
		name + "city dma_code_allowed": 2,
		name + "city subdivision1":     3,
		name + "city subdivision2":     2,
		name + "isp already_applied":   1,
		name + "isp malformed_input":   2,
		name + "isp ip":                8,
		name + "isp isp":               3,
	}
	if diff := cmp.Diff(want, geoCounted(t, g)); diff != "" {
		t.Error(diff)
	}
	if got := geoCounted(t, nil); len(got) > 0 {
		t.Errorf("no Geo counted %v", got)
	}
}

// BenchmarkGeo is what each ping costs: trimming, both lookups and forgetting.
func BenchmarkGeo(b *testing.B) {
	const networks = 30_000
	cities, isps := map[string]mmdbtype.Map{}, map[string]mmdbtype.Map{}
	lists := make([]string, networks)
	for i := range networks {
		first := netip.AddrFrom4([4]byte{16 + byte(i>>16), byte(i >> 8), byte(i), 0})
		lists[i] = first.Next().String() + ", 203.0.113.1, 203.0.113.2"
		place := geoPlace("US", uint32(1+i%5000), fmt.Sprint("City ", i%5000), 819, "WA")
		place["location"].(mmdbtype.Map)["latitude"] = mmdbtype.Float64(i)
		cities[first.String()+"/24"] = place
		isps[first.String()+"/24"] = mmdbtype.Map{
			"isp": mmdbtype.String(fmt.Sprint("ISP ", i%900)), "organization": mmdbtype.String(fmt.Sprint("Organization ", i%3000)),
		}
	}
	g := openGeo(b, GeoOptions{
		City: geoFile(b, "city.mmdb", databaseOf(b, mmdbwriter.Options{DatabaseType: "GeoIP2-City"}, cities)),
		ISP:  geoFile(b, "isp.mmdb", databaseOf(b, mmdbwriter.Options{DatabaseType: "GeoIP2-ISP"}, isps)),
	})
	attributes := map[string]string{}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		clear(attributes)
		attributes["x_forwarded_for"] = lists[i*7919%networks]
		i++
		trimProxies(attributes, 2, 0)
		g.addISP(attributes)
		g.addCity(attributes)
		if attributes["geo_dma_code"] != "819" || attributes["isp_organization"] == "" {
			b.Fatal(attributes)
		}
	}
}

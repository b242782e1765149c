package sim

import "pinglake/ingest"

// platform is a kind of client as the wire shows it.
type platform struct {
	os           string
	versions     []string
	architecture []string
	models       []string // device_manufacturer/device_model pairs, nil on desktops
	androidSDK   string
	agent        string // X-Telemetry-Agent, "" for a client that sends by beacon
	sdk          string
	userAgent    string
	exact        bool // times to the millisecond, not to the minute
}

// beacon clients send text/plain without gzip and without headers of their own.
func (p *platform) beacon() bool { return p.agent == "" }

var platforms = []share[*platform]{
	{&platform{os: "Android", versions: []string{"13", "14", "15", "16"}, architecture: []string{"arm64-v8a", "armeabi-v7a"},
		models: []string{"Google/Pixel 8", "samsung/SM-S911B", "Xiaomi/2201117TG", "motorola/moto g54"}, androidSDK: "34",
		agent: "Glean/67.3.2 (Kotlin on Android)", sdk: "67.3.2", userAgent: "Dalvik/2.1.0 (Linux; U; Android 14; Pixel 8 Build/UD1A)"}, 38},
	{&platform{os: "iOS", versions: []string{"17.5", "18.1", "26.0"}, architecture: []string{"arm64"},
		models: []string{"Apple/iPhone15,2", "Apple/iPhone14,5", "Apple/iPad13,4"},
		agent:  "Glean/67.3.2 (Swift on iOS)", sdk: "67.3.2",
		userAgent: "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/127.0 Mobile/15E148 Safari/605.1.15"}, 17},
	{&platform{os: "Windows", versions: []string{"10.0", "11.0"}, architecture: []string{"x86_64", "x86", "aarch64"},
		agent: "Glean/67.3.2 (Rust on Windows)", sdk: "67.3.2", exact: true,
		userAgent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:153.0) Gecko/20100101 Firefox/153.0"}, 20},
	{&platform{os: "Darwin", versions: []string{"23.6.0", "24.5.0", "25.0.0"}, architecture: []string{"aarch64", "x86_64"},
		agent: "Glean/67.3.2 (Rust on Darwin)", sdk: "67.3.2", exact: true,
		userAgent: "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:153.0) Gecko/20100101 Firefox/153.0"}, 6},
	{&platform{os: "Linux", versions: []string{"6.1", "6.12", "6.18"}, architecture: []string{"x86_64", "aarch64"},
		agent: "Glean/67.3.2 (Rust on Linux)", sdk: "67.3.2", exact: true,
		userAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0"}, 5},
	{&platform{os: "Linux", versions: []string{"6.1.0-28-amd64", "6.18.44"}, architecture: []string{"x64"},
		agent: "Glean/2.0.5 (JS on Linux)", sdk: "2.0.5"}, 2},
	{&platform{os: "Windows", versions: []string{"Unknown"}, architecture: []string{"Unknown"}, sdk: "5.0.10",
		userAgent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"}, 8},
	{&platform{os: "Darwin", versions: []string{"Unknown"}, architecture: []string{"Unknown"}, sdk: "5.0.10",
		userAgent: "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15"}, 4},
}

var channels = []share[string]{{"release", 82}, {"beta", 11}, {"nightly", 5}, {"esr", 1}, {"dev", 1}}

var locales = []share[string]{
	{"en-US", 40}, {"de", 12}, {"fr", 10}, {"es-ES", 8}, {"ru", 7}, {"zh-CN", 6}, {"ja", 5}, {"pl", 4}, {"pt-BR", 4}, {"it", 3}, {"und", 1},
}

// zones are offsets from UTC in minutes, where clients live.
var zones = []share[int]{
	{-480, 8}, {-360, 8}, {-300, 14}, {-180, 6}, {0, 12}, {60, 24}, {120, 8}, {180, 6}, {330, 6}, {480, 5}, {540, 3},
}

// rhythm is how the day of the week moves a client's activity.
type rhythm struct{ weekday, weekend float64 }

var rhythms = []share[rhythm]{
	{rhythm{weekday: 1.10, weekend: 0.35}, 45}, // at work
	{rhythm{weekday: 0.70, weekend: 1.30}, 25}, // at leisure
	{rhythm{weekday: 1.00, weekend: 0.95}, 30},
}

// client is all that stays the same about one simulated client.
type client struct {
	index int32
	id    ingest.DocumentID
	// arrived is the day of its first run: negative for the initial cohort. last
	// is the last day on which it does anything.
	arrived, last int32
	// optsOut makes it end with a deletion request on its last day.
	optsOut    bool
	propensity float64 // chance of being active on an ordinary day
	rhythm     rhythm
	zone       int // minutes east of UTC
	platform   *platform
	version    string
	machine    string
	model      string
	channel    string
	locale     string
	lag        int32 // days it takes a new release
	history    int64 // pings it made before the period
	upperID    bool  // writes its client_id in upper case
	inMillis   bool  // measures its sessions in milliseconds
	ip         byte
}

// initialShare is the part of the population that is there on the first day.
const initialShare = 0.55

// client draws a client. It leaves d set to that client's dice.
func (p *Population) client(d *dice, index int32) client {
	d.set(forClient, index, 0, 0)
	c := client{index: index, id: d.id()}
	lifetime := 0.0
	if d.chance(initialShare) {
		c.arrived = -1 - int32(d.IntN(500))
		lifetime = float64(-c.arrived) + 250*d.ExpFloat64()
		c.history = int64(d.IntN(1 - 2*int(c.arrived)))
	} else {
		c.arrived = int32(d.IntN(p.Days))
		if weekend(p.Date(int(c.arrived))) && d.chance(0.3) {
			c.arrived = int32(d.IntN(p.Days))
		}
		lifetime = newcomerLifetime(d)
	}
	c.last = c.arrived + int32(min(lifetime, 1e6))
	if c.last >= 0 && int(c.last) < p.Days {
		c.optsOut = d.chance(0.12)
	}
	c.propensity = 0.15 + 0.85*d.Float64()*d.Float64() + 0.1*d.Float64()
	c.rhythm = pickShare(d, rhythms)
	c.zone = pickShare(d, zones)
	c.platform = pickShare(d, platforms)
	c.version = pick(d, c.platform.versions)
	c.machine = pick(d, c.platform.architecture)
	if c.platform.models != nil {
		c.model = pick(d, c.platform.models)
	}
	c.channel = pickShare(d, channels)
	c.locale = pickShare(d, locales)
	c.lag = int32(min(6*d.ExpFloat64(), 90))
	c.upperID = d.chance(0.005)
	c.inMillis = d.chance(0.05)
	c.ip = byte(1 + d.IntN(250))
	return c
}

// newcomerLifetime is in days after the first: many leave at once, some within
// the week, the rest stay for months.
func newcomerLifetime(d *dice) float64 {
	switch at := d.Float64(); {
	case at < 0.20:
		return 0
	case at < 0.50:
		return 1 + 6*d.ExpFloat64()
	default:
		return 7 + 120*d.ExpFloat64()
	}
}

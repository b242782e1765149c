// Package conf reads what an operator may set: defaults, a TOML file, PINGLAKE_*
// environment variables and flags, each stronger than the one before.
//
// The Settings struct is the one list of all settings: its tags give the key's
// part, the default, the bounds and the text for documentation. Anything that is
// not in it, in the file or among the PINGLAKE_* variables, is an error, and all
// faults are told at once.
package conf

import (
	"path/filepath"
	"time"
)

// Settings are what an operator may set. The tags are: mapstructure, the part of
// the key; default; doc, one line for help and documentation; min and max, bounds
// in the setting's own form; oneof, the values that are allowed; form, addr for
// host:port.
//
// Paths are used as they are: relative ones are relative to the working directory,
// those from the file too.
type Settings struct {
	Data         string        `mapstructure:"data" default:"./pinglake-data" min:"1" doc:"folder of everything pinglake keeps"`
	Schemas      string        `mapstructure:"schemas" default:"" doc:"folder of JSON Schemas; empty means schemas in the data folder"`
	Edge         Edge          `mapstructure:"edge"`
	Admin        Admin         `mapstructure:"admin"`
	Stream       Stream        `mapstructure:"stream"`
	Geo          Geo           `mapstructure:"geo"`
	Scrub        Scrub         `mapstructure:"scrub"`
	Sink         Sink          `mapstructure:"sink"`
	Landfill     Landfill      `mapstructure:"landfill"`
	Dedup        Dedup         `mapstructure:"dedup"`
	Batch        Batch         `mapstructure:"batch"`
	Query        Query         `mapstructure:"query"`
	Retention    Retention     `mapstructure:"retention"`
	Log          Log           `mapstructure:"log"`
	DrainTimeout time.Duration `mapstructure:"drain_timeout" default:"30s" min:"0s" max:"1h" doc:"how long a stop may take before what is under way is cancelled"`

	sources map[string]string // by key
}

// Edge is the HTTP server that takes pings.
type Edge struct {
	Addr           string        `mapstructure:"addr" default:":8080" form:"addr" doc:"address of the edge; port 0 picks a free one"`
	TLSAddr        string        `mapstructure:"tls_addr" default:":8443" form:"addr" doc:"address of the edge for HTTPS, once there is a certificate"`
	TLSCert        string        `mapstructure:"tls_cert" default:"" doc:"PEM file of the certificate and its chain; read again when it changes"`
	TLSKey         string        `mapstructure:"tls_key" default:"" doc:"PEM file of the certificate's key"`
	TLSSelfSigned  bool          `mapstructure:"tls_self_signed" default:"false" doc:"HTTPS with a certificate of our own making in the data folder, for development"`
	Routes         Routes        `mapstructure:"routes" default:"[[\"/stub/<suffix:path>\",\"stub_installer\",[\"GET\"]],[\"/submit/telemetry/<suffix:path>\",\"telemetry\"],[\"/submit/sslreports\",\"tls_error_reports\"],[\"/submit/<suffix:path>\",\"ingestion\"],[\"/submit\",\"ingestion\"]]" doc:"which requests are kept, the first that fits: a JSON list of [pattern, topic, methods]"`
	MaxBody        Size          `mapstructure:"max_body" default:"8MiB" min:"1KiB" max:"30MiB" doc:"largest request body, as it is sent"`
	MaxInflight    Size          `mapstructure:"max_inflight" default:"128MiB" min:"2KiB" doc:"memory of all bodies being read or made durable; beyond it pings are refused with 503"`
	MaxConnections int           `mapstructure:"max_connections" default:"4096" min:"1" max:"1000000" doc:"open connections of the edge; beyond them requests are refused with 503"`
	HeaderTimeout  time.Duration `mapstructure:"header_timeout" default:"10s" min:"100ms" max:"1h" doc:"how long a request line and its headers may take to arrive"`
	ReadTimeout    time.Duration `mapstructure:"read_timeout" default:"30s" min:"1s" max:"1h" doc:"how long a request may take to arrive, its body included"`
	IdleTimeout    time.Duration `mapstructure:"idle_timeout" default:"2m" min:"1s" max:"1h" doc:"how long a connection may rest between requests"`
	MinFreeDisk    Size          `mapstructure:"min_free_disk" default:"0" min:"0" doc:"the heartbeat fails when the stream's disk has less free; 0 turns that off"`
}

// HasTLS says whether the edge speaks HTTPS too.
func (e *Edge) HasTLS() bool { return e.TLSSelfSigned || e.TLSCert != "" }

// Admin is the HTTP server for metrics and health.
type Admin struct {
	Addr string `mapstructure:"addr" default:"127.0.0.1:8081" form:"addr" doc:"address for metrics and health; port 0 picks a free one"`
}

// Stream is what is acknowledged but not yet in the lake.
type Stream struct {
	MaxBytes Size `mapstructure:"max_bytes" default:"8GiB" min:"16MiB" doc:"disk space of the stream; a full stream refuses pings with 507"`
}

// Geo is where clients are, by their addresses. No address is kept.
type Geo struct {
	City   string `mapstructure:"city" default:"" doc:"MaxMind City database; empty looks up no cities"`
	ISP    string `mapstructure:"isp" default:"" doc:"MaxMind ISP database; empty looks up no providers"`
	Cities string `mapstructure:"cities" default:"" doc:"file of the geonames ids of the cities that may be named, one a line; empty allows all"`
	Skip   int    `mapstructure:"skip" default:"2" min:"0" max:"20" doc:"entries at the end of X-Forwarded-For that proxies of our own added behind the client's; 0 for a bare host"`
}

// Scrub is what is done to payloads that are unwanted or spoilt.
type Scrub struct {
	Rules string `mapstructure:"rules" default:"" doc:"file of scrubber rules; empty means the built-in ones, none means no rule"`
}

// Sink is the loop that moves pings from the stream into the lake.
type Sink struct {
	Enabled     bool          `mapstructure:"enabled" default:"true" doc:"false: the daemon only takes pings, they stay in the stream"`
	BatchRows   int           `mapstructure:"batch_rows" default:"100000" min:"1" max:"10000000" doc:"a batch closes at so many rows"`
	BatchBytes  Size          `mapstructure:"batch_bytes" default:"64MiB" min:"1KiB" max:"4GiB" doc:"a batch closes at so many bytes of submissions"`
	BatchPeriod time.Duration `mapstructure:"batch_period" default:"5s" min:"10ms" max:"1h" doc:"a batch closes so long after its first ping"`
}

// Landfill is the copy of every submission as it came.
type Landfill struct {
	Enabled  bool `mapstructure:"enabled" default:"true" doc:"keep every submission as it came in payload_bytes_raw"`
	ClientIP bool `mapstructure:"client_ip" default:"false" doc:"keep IP addresses there too"`
}

// Dedup is the index of document_ids.
type Dedup struct {
	WindowDays int `mapstructure:"window_days" default:"28" min:"1" max:"3650" doc:"days for which a document_id is remembered"`
}

// Batch is the nightly.
type Batch struct {
	At      TimeOfDay `mapstructure:"at" default:"01:00" doc:"when the nightly starts, UTC"`
	Enabled bool      `mapstructure:"enabled" default:"true" doc:"run the nightly in the daemon"`
}

// Query is DuckDB.
type Query struct {
	Memory  Size `mapstructure:"memory" default:"2GiB" min:"64MiB" doc:"memory of a query session"`
	Threads int  `mapstructure:"threads" default:"0" min:"0" max:"1024" doc:"threads of a query session; 0 means all cores"`
}

// Retention says which days are too old to be made again.
type Retention struct {
	LiveDays int `mapstructure:"live_days" default:"30" min:"2" max:"3650" doc:"a day older than this without live rows counts as expired, not as empty"`
}

// Log is what the process says on standard error.
type Log struct {
	Level  string `mapstructure:"level" default:"info" oneof:"debug info warn error" doc:"least level that is logged"`
	Format string `mapstructure:"format" default:"auto" oneof:"auto text json" doc:"auto is text on a terminal and JSON elsewhere"`
}

// SchemasDir is the folder of the schemas.
func (s *Settings) SchemasDir() string {
	if s.Schemas != "" {
		return s.Schemas
	}
	return filepath.Join(s.Data, "schemas")
}

// Entry is one setting as it is in force.
type Entry struct {
	Key, Value string
	// Source is default, file PATH, env NAME or flag --NAME.
	Source string
}

// Effective lists all settings in the order of the Settings struct.
func (s *Settings) Effective() []Entry {
	var entries []Entry
	for _, k := range Keys() {
		entries = append(entries, Entry{Key: k.Key, Value: k.textIn(s), Source: s.sources[k.Key]})
	}
	return entries
}

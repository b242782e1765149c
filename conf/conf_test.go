package conf

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
)

func writeFile(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// serveFlags are flags as a command has them, parsed from args.
func serveFlags(t *testing.T, args ...string) (*pflag.FlagSet, map[string]string) {
	t.Helper()
	flags := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	flags.String("data", "flag default", "")
	flags.String("edge-addr", "flag default", "")
	flags.String("max-body", "", "")
	flags.Int("rows", 7, "")
	flags.Bool("nightly", false, "")
	flags.Duration("drain", 0, "")
	flags.String("unrelated", "", "")
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	return flags, map[string]string{
		"data": "data", "edge-addr": "edge.addr", "max-body": "edge.max_body", "rows": "sink.batch_rows",
		"nightly": "batch.enabled", "drain": "drain_timeout", "not-of-this-command": "log.level",
	}
}

// value is the entry of one key, as "value (source)".
func value(t *testing.T, s *Settings, key string) string {
	t.Helper()
	for _, e := range s.Effective() {
		if e.Key == key {
			return fmt.Sprintf("%s (%s)", e.Value, e.Source)
		}
	}
	t.Fatalf("no setting %s", key)
	return ""
}

func TestTheStrongerSourceWins(t *testing.T) {
	for _, c := range []struct {
		key, file, env, flag string
		want                 string
	}{
		{"edge.addr", "", "", "", ":8080 (default)"},
		{"edge.addr", "[edge]\naddr = ':1'", "", "", ":1 (file F)"},
		{"edge.addr", "", "PINGLAKE_EDGE_ADDR=:2", "", ":2 (env PINGLAKE_EDGE_ADDR)"},
		{"edge.addr", "", "", "--edge-addr=:3", ":3 (flag --edge-addr)"},
		{"edge.addr", "[edge]\naddr = ':1'", "PINGLAKE_EDGE_ADDR=:2", "", ":2 (env PINGLAKE_EDGE_ADDR)"},
		{"edge.addr", "[edge]\naddr = ':1'", "", "--edge-addr=:3", ":3 (flag --edge-addr)"},
		{"edge.addr", "[edge]\naddr = ':1'", "PINGLAKE_EDGE_ADDR=:2", "--edge-addr=:3", ":3 (flag --edge-addr)"},
		{"edge.addr", "[edge]\naddr = ':1'", "PINGLAKE_EDGE_ADDR=", "", ":1 (file F)"},
		{"edge.max_body", "edge.max_body = '1MiB'", "PINGLAKE_EDGE_MAX_BODY=2 mib", "", "2MiB (env PINGLAKE_EDGE_MAX_BODY)"},
		{"edge.max_body", "edge.max_body = 2000000", "", "", "2MB (file F)"},
		{"edge.max_body", "", "PINGLAKE_EDGE_MAX_BODY=2MiB", "--max-body=4096", "4KiB (flag --max-body)"},
		{"sink.batch_rows", "sink.batch_rows = 10", "", "", "10 (file F)"},
		{"sink.batch_rows", "sink.batch_rows = 10", "PINGLAKE_SINK_BATCH_ROWS=20", "", "20 (env PINGLAKE_SINK_BATCH_ROWS)"},
		{"sink.batch_rows", "sink.batch_rows = 10", "PINGLAKE_SINK_BATCH_ROWS=20", "--rows=30", "30 (flag --rows)"},
		{"batch.enabled", "batch.enabled = false", "", "", "false (file F)"},
		{"batch.enabled", "batch.enabled = false", "PINGLAKE_BATCH_ENABLED=true", "", "true (env PINGLAKE_BATCH_ENABLED)"},
		{"batch.enabled", "batch.enabled = false", "", "--nightly", "true (flag --nightly)"},
		{"batch.at", "batch.at = '23:30'", "", "", "23:30 (file F)"},
		{"drain_timeout", "drain_timeout = '1m'", "PINGLAKE_DRAIN_TIMEOUT=90s", "", "1m30s (env PINGLAKE_DRAIN_TIMEOUT)"},
		{"drain_timeout", "drain_timeout = '1m'", "", "--drain=2m", "2m0s (flag --drain)"},
		{"log.level", "log.level = 'warn'", "PINGLAKE_LOG_LEVEL=debug", "", "debug (env PINGLAKE_LOG_LEVEL)"},
	} {
		t.Run(fmt.Sprint(c.key, " ", c.file, " ", c.env, " ", c.flag), func(t *testing.T) {
			path := writeFile(t, filepath.Join(t.TempDir(), "F"), c.file)
			o := LoadOptions{ConfigFile: path, Environ: []string{"HOME=/", c.env}}
			o.Flags, o.FlagKeys = serveFlags(t, strings.Fields(c.flag)...)
			s, err := Load(o)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Replace(value(t, s, c.key), path, "F", 1); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestTheDefaults(t *testing.T) {
	s, err := Load(LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, e := range s.Effective() {
		fmt.Fprintf(&got, "%s = %s (%s)\n", e.Key, e.Value, e.Source)
	}
	want := `data = ./pinglake-data (default)
schemas =  (default)
edge.addr = :8080 (default)
edge.tls_addr = :8443 (default)
edge.tls_cert =  (default)
edge.tls_key =  (default)
edge.tls_self_signed = false (default)
edge.routes = [["/stub/<suffix:path>","stub_installer",["GET"]],["/submit/telemetry/<suffix:path>","telemetry"],["/submit/sslreports","tls_error_reports"],["/submit/<suffix:path>","ingestion"],["/submit","ingestion"]] (default)
edge.max_body = 8MiB (default)
edge.max_inflight = 128MiB (default)
edge.max_connections = 4096 (default)
edge.header_timeout = 10s (default)
edge.read_timeout = 30s (default)
edge.idle_timeout = 2m0s (default)
edge.min_free_disk = 0B (default)
admin.addr = 127.0.0.1:8081 (default)
stream.max_bytes = 8GiB (default)
geo.city =  (default)
geo.isp =  (default)
geo.cities =  (default)
geo.skip = 2 (default)
scrub.rules =  (default)
sink.enabled = true (default)
sink.batch_rows = 100000 (default)
sink.batch_bytes = 64MiB (default)
sink.batch_period = 5s (default)
landfill.enabled = true (default)
landfill.client_ip = false (default)
dedup.window_days = 28 (default)
batch.at = 01:00 (default)
batch.enabled = true (default)
query.memory = 2GiB (default)
query.threads = 0 (default)
retention.live_days = 30 (default)
log.level = info (default)
log.format = auto (default)
drain_timeout = 30s (default)
`
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Error(diff)
	}
	if s.Edge.MaxBody != 8<<20 || s.DrainTimeout != 30*time.Second || s.Batch.At != TimeOfDay(time.Hour) || !s.Landfill.Enabled {
		t.Errorf("%+v", s)
	}
	if got := s.SchemasDir(); got != filepath.Join("pinglake-data", "schemas") {
		t.Errorf("schemas are in %s", got)
	}
}

func TestEveryKeyIsDocumented(t *testing.T) {
	for _, k := range Keys() {
		if k.Doc == "" || strings.Contains(k.Doc, "\n") || k.Env != "PINGLAKE_"+strings.ToUpper(strings.ReplaceAll(k.Key, ".", "_")) {
			t.Errorf("%+v", k)
		}
		if fault := k.check(k.Default); fault != "" {
			t.Errorf("%s: the default is wrong: %s", k.Key, fault)
		}
	}
}

func TestTheFileInTheDataFolder(t *testing.T) {
	data, other := t.TempDir(), t.TempDir()
	path := writeFile(t, filepath.Join(data, FileName), "[log]\nlevel = 'warn'\n")
	flags, keys := serveFlags(t, "--data", data)
	for _, c := range []struct {
		name    string
		options LoadOptions
		want    string
	}{
		{"found by the flag", LoadOptions{Flags: flags, FlagKeys: keys}, "warn (file " + path + ")"},
		{"found by the environment", LoadOptions{Environ: []string{"PINGLAKE_DATA=" + data}}, "warn (file " + path + ")"},
		{"the flag is stronger", LoadOptions{Flags: flags, FlagKeys: keys, Environ: []string{"PINGLAKE_DATA=" + other}}, "warn (file " + path + ")"},
		{"not there", LoadOptions{Environ: []string{"PINGLAKE_DATA=" + other}}, "info (default)"},
		{"another is named", LoadOptions{Environ: []string{"PINGLAKE_DATA=" + data}, ConfigFile: writeFile(t, filepath.Join(other, "F"), "")}, "info (default)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := Load(c.options)
			if err != nil {
				t.Fatal(err)
			}
			if got := value(t, s, "log.level"); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestANamedFileMayMoveTheData(t *testing.T) {
	path := writeFile(t, filepath.Join(t.TempDir(), "F"), "data = 'lake-data'\nschemas = 'my/schemas'")
	s, err := Load(LoadOptions{ConfigFile: path})
	if err != nil {
		t.Fatal(err)
	}
	if s.Data != "lake-data" || s.SchemasDir() != "my/schemas" {
		t.Errorf("data %s, schemas %s", s.Data, s.SchemasDir())
	}
}

func TestFaults(t *testing.T) {
	for _, c := range []struct {
		name, file string
		environ    []string
		args       []string
		want       []string
	}{
		{"typo in the file", "[edge]\nadr = ':1'", nil, nil, []string{"file F: unknown setting edge.adr, did you mean edge.addr?"}},
		{"typo of a group", "[sinc]\nbatch_rows = 1", nil, nil, []string{"file F: unknown setting sinc, did you mean sink?"}},
		{"wrong case", "[Edge]\naddr = ':1'", nil, nil, []string{"file F: unknown setting Edge, did you mean edge?"}},
		{"nothing like it", "colour = 'red'", nil, nil, []string{"file F: unknown setting colour"}},
		{"too deep", "[edge.addr]\nport = 1", nil, nil, []string{"edge.addr: want text (file F)"}},
		{"group as a value", "edge = ':8080'", nil, nil, []string{"file F: edge is a group of settings: write [edge] above them"}},
		{"not TOML", "edge: 1", nil, nil, []string{"file F: line 1, column 5: expected character ="}},
		{"typo in the environment", "", []string{"PINGLAKE_EDGE_ADR=:1"}, nil, []string{"environment: unknown variable PINGLAKE_EDGE_ADR, did you mean PINGLAKE_EDGE_ADDR?"}},
		{"unknown and empty", "", []string{"PINGLAKE_XYZZY_PLUGH="}, nil, []string{"environment: unknown variable PINGLAKE_XYZZY_PLUGH"}},
		{"size", "edge.max_body = 'big'", nil, nil, []string{`edge.max_body: "big": want a size like 64MiB (file F)`}},
		{"size too large", "", nil, []string{"--max-body=1GiB"}, []string{`edge.max_body: "1GiB": want 1KiB to 30MiB (flag --max-body)`}},
		{"negative", "", []string{"PINGLAKE_SINK_BATCH_ROWS=-5"}, nil, []string{`sink.batch_rows: "-5": want 1 to 10000000 (env PINGLAKE_SINK_BATCH_ROWS)`}},
		{"not decimal", "", []string{"PINGLAKE_SINK_BATCH_ROWS=0x10"}, nil, []string{`sink.batch_rows: "0x10": want a whole number (env PINGLAKE_SINK_BATCH_ROWS)`}},
		{"part of a row", "sink.batch_rows = 1.5", nil, nil, []string{`sink.batch_rows: "1.5": want a whole number (file F)`}},
		{"bool", "batch.enabled = 'yes'", nil, nil, []string{`batch.enabled: "yes": want true or false (file F)`}},
		{"duration without a unit", "drain_timeout = 30", nil, nil, []string{`drain_timeout: "30": want a duration like 30s (file F)`}},
		{"time of day", "batch.at = '25:00'", nil, nil, []string{`batch.at: "25:00": want a time of day like 01:00 (file F)`}},
		{"TOML time", "batch.at = 01:00:00", nil, nil, []string{"batch.at: want a time of day like 01:00 (file F)"}},
		{"list", "log.level = ['info']", nil, nil, []string{"log.level: want text (file F)"}},
		{"one of", "log.level = 'loud'", nil, nil, []string{`log.level: "loud": want one of debug, info, warn, error (file F)`}},
		{"address", "admin.addr = 'localhost'", nil, nil, []string{`admin.addr: "localhost": want host:port (file F)`}},
		{"no data folder", "data = ''", nil, nil, []string{"data: must not be empty (file F)"}},
		{"same address", "", nil, []string{"--edge-addr=127.0.0.1:8081"}, []string{"edge.addr and admin.addr are both 127.0.0.1:8081"}},
		{"same TLS address", "", []string{"PINGLAKE_EDGE_TLS_ADDR=:8080", "PINGLAKE_EDGE_TLS_SELF_SIGNED=true"}, nil, []string{"edge.addr and edge.tls_addr are both :8080"}},
		{"TLS address without a certificate", "edge.tls_addr = ':1'", nil, nil, []string{"edge.tls_addr is set: want edge.tls_cert and edge.tls_key, or edge.tls_self_signed, too"}},
		{"certificate without its key", "edge.tls_cert = 'c'", nil, nil, []string{"edge.tls_cert is set and edge.tls_key is not"}},
		{"key without its certificate", "edge.tls_key = 'k'", nil, nil, []string{"edge.tls_key is set and edge.tls_cert is not"}},
		{"self-signed and another", "edge.tls_self_signed = true\nedge.tls_cert = 'c'", nil, nil,
			[]string{"edge.tls_self_signed and edge.tls_cert or edge.tls_key: want one or the other", "edge.tls_cert is set and edge.tls_key is not"}},
		{"in flight too small", "edge.max_inflight = '15MiB'", nil, nil, []string{"edge.max_inflight 15MiB must be at least twice edge.max_body 8MiB"}},
		{"headers slower than all", "edge.header_timeout = '31s'", nil, nil, []string{"edge.header_timeout 31s must not be longer than edge.read_timeout 30s"}},
		{"routes", `edge.routes = '[["/a","telemetri"],["b","telemetry"]]'`, nil, nil, []string{
			`edge.routes: route 1: topic "telemetri": want one of ingestion, structured, stub_installer, telemetry, tls_error_reports; ` +
				`route 2: pattern "b": want a path such as /submit/<suffix:path> (file F)`}},
		{"routes that are no text", `edge.routes = [["/a","telemetry"]]`, nil, nil, []string{"edge.routes: want text (file F)"}},
		{"stream too small", "stream.max_bytes = '16MiB'\nedge.max_body = '10MiB'", nil, nil, []string{"stream.max_bytes 16MiB must be at least twice edge.max_body 10MiB"}},
		{"all at once", "loglevel = 'x'\n[edge]\naddr = 'nowhere'\nread_timeout = '1y'",
			[]string{"PINGLAKE_STREAM_MAXBYTES=1", "PINGLAKE_QUERY_THREADS=-1"}, []string{"--rows=0"},
			[]string{
				"file F: unknown setting loglevel, did you mean log.level?",
				"environment: unknown variable PINGLAKE_STREAM_MAXBYTES, did you mean PINGLAKE_STREAM_MAX_BYTES?",
				`edge.addr: "nowhere": want host:port (file F)`,
				`edge.read_timeout: "1y": want a duration like 30s (file F)`,
				`sink.batch_rows: "0": want 1 to 10000000 (flag --rows)`,
				`query.threads: "-1": want 0 to 1024 (env PINGLAKE_QUERY_THREADS)`,
			}},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := writeFile(t, filepath.Join(t.TempDir(), "F"), c.file)
			o := LoadOptions{ConfigFile: path, Environ: c.environ}
			o.Flags, o.FlagKeys = serveFlags(t, c.args...)
			_, err := Load(o)
			var faults *Error
			if !errors.As(err, &faults) {
				t.Fatalf("error %v is no *Error", err)
			}
			for i := range faults.Faults {
				faults.Faults[i] = strings.ReplaceAll(faults.Faults[i], path, "F")
			}
			if diff := cmp.Diff(c.want, faults.Faults); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSettingsThatDoGoTogether(t *testing.T) {
	for _, c := range []struct{ name, file string }{
		{"the HTTPS address, without HTTPS", "[edge]\naddr = ':8443'"},
		{"a certificate and its key", "[edge]\ntls_cert = 'c'\ntls_key = 'k'\ntls_addr = ':1'"},
		{"self-signed", "[edge]\ntls_self_signed = true\ntls_addr = ':1'"},
		{"free ports", "[edge]\naddr = 'x:0'\ntls_addr = 'x:0'\ntls_self_signed = true\n[admin]\naddr = 'x:0'"},
		{"in flight twice a body", "[edge]\nmax_body = '1MiB'\nmax_inflight = '2MiB'"},
		{"headers as slow as all", "[edge]\nheader_timeout = '5s'\nread_timeout = '5s'"},
	} {
		if _, err := Load(LoadOptions{ConfigFile: writeFile(t, filepath.Join(t.TempDir(), "F"), c.file)}); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestTheTextOfAnError(t *testing.T) {
	for _, c := range []struct {
		faults []string
		want   string
	}{
		{[]string{"a"}, "settings: a"},
		{[]string{"a", "b"}, "settings: 2 faults\n  a\n  b"},
	} {
		if got := (&Error{c.faults}).Error(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestANamedFileMustBeThere(t *testing.T) {
	_, err := Load(LoadOptions{ConfigFile: filepath.Join(t.TempDir(), "absent.toml")})
	var faults *Error
	if !errors.As(err, &faults) || !strings.HasSuffix(faults.Faults[0], "absent.toml: no such file or directory") {
		t.Errorf("error %v", err)
	}
}

func TestTheFileInTheDataFolderCanNotMoveIt(t *testing.T) {
	data := t.TempDir()
	writeFile(t, filepath.Join(data, FileName), "data = 'elsewhere'")
	_, err := Load(LoadOptions{Environ: []string{"PINGLAKE_DATA=" + data}})
	if err == nil || !strings.HasSuffix(err.Error(), "data: the file was found in the data folder; move it with --data or PINGLAKE_DATA") {
		t.Errorf("error %v", err)
	}
}

func TestOtherVariablesOfOursAreNoFault(t *testing.T) {
	if _, err := Load(LoadOptions{Environ: []string{"PINGLAKE_OTHER=1", "PINGLAKER=1"}, OtherEnv: []string{"PINGLAKE_OTHER"}}); err != nil {
		t.Error(err)
	}
}

func TestAFlagForNoSettingIsOurFault(t *testing.T) {
	_, err := Load(LoadOptions{FlagKeys: map[string]string{"x": "edge.adress"}})
	var faults *Error
	if err == nil || errors.As(err, &faults) {
		t.Errorf("error %v", err)
	}
}

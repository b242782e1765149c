package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"text/tabwriter"

	"github.com/lmittmann/tint"
	"github.com/spf13/cobra"

	"pinglake/conf"
)

// settingFlag is a flag that sets a setting; one without a value is a switch.
type settingFlag struct{ name, key, value, usage string }

var (
	flagData      = settingFlag{"data", "data", "DIR", "the data folder (default ./pinglake-data)"}
	flagSchemas   = settingFlag{"schemas", "schemas", "DIR", "the folder of JSON Schemas (default <data>/schemas)"}
	flagEdgeAddr  = settingFlag{"edge-addr", "edge.addr", "HOST:PORT", "where pings are taken; port 0 picks one (default :8080)"}
	flagGeoCity   = settingFlag{"geo-city", "geo.city", "FILE", "MaxMind City database"}
	flagGeoISP    = settingFlag{"geo-isp", "geo.isp", "FILE", "MaxMind ISP database"}
	flagGeoCities = settingFlag{"geo-cities", "geo.cities", "FILE", "geonames ids of the cities that may be named"}
	flagGeoSkip   = settingFlag{"geo-skip", "geo.skip", "N", "entries at the end of X-Forwarded-For to skip (default 2)"}
	flagScrub     = settingFlag{"scrub", "scrub.rules", "FILE", "scrubber rules (default the built-in ones; none for no rule)"}
	flagAdminAddr = settingFlag{"admin-addr", "admin.addr", "HOST:PORT", "where metrics are (default 127.0.0.1:8081)"}

	flagTLSAddr       = settingFlag{"tls-addr", "edge.tls_addr", "HOST:PORT", "where pings are taken over HTTPS; port 0 picks one (default :8443)"}
	flagTLSCert       = settingFlag{"tls-cert", "edge.tls_cert", "FILE", "certificate for HTTPS, with its chain, in PEM; read again when it changes"}
	flagTLSKey        = settingFlag{"tls-key", "edge.tls_key", "FILE", "its key"}
	flagTLSSelfSigned = settingFlag{"tls-self-signed", "edge.tls_self_signed", "", "HTTPS with a certificate made here and kept in <data>/tls, for development"}
)

// flagKeys say which setting each flag sets.
func flagKeys() map[string]string {
	keys := map[string]string{}
	for _, f := range []settingFlag{
		flagData, flagSchemas, flagEdgeAddr, flagAdminAddr, flagTLSAddr, flagTLSCert, flagTLSKey, flagTLSSelfSigned,
		flagGeoCity, flagGeoISP, flagGeoCities, flagGeoSkip, flagScrub,
	} {
		keys[f.name] = f.key
	}
	return keys
}

// addFlags gives cmd some settings' flags, and --config.
func (a *app) addFlags(cmd *cobra.Command, flags ...settingFlag) {
	for _, f := range flags {
		if f.value == "" {
			cmd.Flags().Bool(f.name, false, f.usage)
			continue
		}
		cmd.Flags().String(f.name, "", fmt.Sprintf("`%s`: %s", f.value, f.usage))
	}
	cmd.Flags().String("config", "", "`FILE`: settings (default <data>/pinglake.toml if there)")
}

// load reads the settings a command runs under, and makes its logger. Only the
// daemon tells of what goes well, unless log.level says otherwise.
func (a *app) load(cmd *cobra.Command) (*conf.Settings, *slog.Logger, error) {
	file, err := cmd.Flags().GetString("config")
	if err != nil {
		return nil, nil, err
	}
	settings, err := conf.Load(conf.LoadOptions{
		Flags: cmd.Flags(), FlagKeys: flagKeys(), Environ: os.Environ(), ConfigFile: file,
	})
	if err != nil {
		return nil, nil, err
	}
	if cmd.Name() != "serve" && !isSet(settings, "log.level") {
		settings.Log.Level = "warn"
	}
	return settings, newLogger(settings.Log, a.err), nil
}

// isSet says whether anybody set a setting.
func isSet(settings *conf.Settings, key string) bool {
	return slices.ContainsFunc(settings.Effective(), func(e conf.Entry) bool { return e.Key == key && e.Source != "default" })
}

// newLogger writes for people on a terminal, and JSON elsewhere.
func newLogger(log conf.Log, to io.Writer) *slog.Logger {
	var level slog.Level
	// The settings were checked: the level is one of slog's.
	_ = level.UnmarshalText([]byte(log.Level))
	terminal := isTerminal(to)
	if log.Format == "json" || log.Format == "auto" && !terminal {
		return slog.New(slog.NewJSONHandler(to, &slog.HandlerOptions{Level: level}))
	}
	return slog.New(tint.NewTextHandler(to, &tint.Options{Level: level, NoColor: !terminal, TimeFormat: "15:04:05.000"}))
}

func (a *app) configCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "config", Short: "Print every setting and where it came from", Args: cobra.NoArgs,
		Long: `config prints the settings in force: defaults, under the settings file, under
PINGLAKE_* variables, under flags.`,
		Example: "  pinglake config\n  PINGLAKE_SINK_BATCH_PERIOD=1s pinglake config --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			settings, _, err := a.load(cmd)
			if err != nil {
				return err
			}
			if asJSON {
				for _, e := range settings.Effective() {
					if err := jsonLine(a.out, map[string]string{"setting": e.Key, "value": e.Value, "from": e.Source}); err != nil {
						return err
					}
				}
				return nil
			}
			out := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
			fmt.Fprintln(out, "SETTING\tVALUE\tFROM")
			for _, e := range settings.Effective() {
				fmt.Fprintf(out, "%s\t%s\t%s\n", e.Key, e.Value, e.Source)
			}
			return out.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line")
	a.addFlags(cmd, flagData, flagSchemas, flagEdgeAddr, flagAdminAddr, flagTLSAddr, flagTLSCert, flagTLSKey, flagTLSSelfSigned)
	return cmd
}

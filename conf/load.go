package conf

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-viper/mapstructure/v2"
	"github.com/pelletier/go-toml/v2"
	"github.com/spf13/pflag"
	"github.com/spf13/viper"
)

// FileName is the settings file that is read from the data folder if there is
// one and no other was named.
const FileName = "pinglake.toml"

// LoadOptions say where settings come from.
type LoadOptions struct {
	// Flags are the command's flags; only those that were given count. May be nil.
	Flags *pflag.FlagSet
	// FlagKeys says which key a flag sets: "edge-addr" -> "edge.addr". A name that
	// Flags does not have is left out.
	FlagKeys map[string]string
	// Environ is the environment in the form of os.Environ. A variable that is set
	// to nothing counts as not set.
	Environ []string
	// OtherEnv are PINGLAKE_* variables that are not settings and no faults.
	OtherEnv []string
	// ConfigFile is the settings file. It must be there. If it is "", FileName in
	// the data folder is read if it is there.
	ConfigFile string
}

// Error is all that is wrong with the settings: the operator's fault.
type Error struct {
	// Faults are one line each, in the order file, environment, values, settings
	// that do not go together.
	Faults []string
}

// Error is the faults, one a line.
func (e *Error) Error() string {
	if len(e.Faults) == 1 {
		return "settings: " + e.Faults[0]
	}
	return fmt.Sprintf("settings: %d faults\n  %s", len(e.Faults), strings.Join(e.Faults, "\n  "))
}

// Load reads all settings. The error is an *Error if the operator can mend it.
func Load(o LoadOptions) (*Settings, error) {
	l := &loader{LoadOptions: o, keys: Keys(), sources: map[string]string{}, viper: viper.New()}
	for _, k := range l.keys {
		l.viper.SetDefault(k.Key, k.Default)
		l.sources[k.Key] = "default"
	}
	environment := l.readEnvironment()
	if err := l.mergeFile(environment); err != nil {
		return nil, err
	}
	if err := l.merge(environment); err != nil {
		return nil, err
	}
	if err := l.bindFlags(); err != nil {
		return nil, err
	}
	l.checkValues()
	if len(l.faults) > 0 {
		return nil, &Error{l.faults}
	}
	s := &Settings{sources: l.sources}
	hook := viper.DecodeHook(mapstructure.ComposeDecodeHookFunc(
		mapstructure.TextUnmarshallerHookFunc(), mapstructure.StringToTimeDurationHookFunc()))
	if err := l.viper.UnmarshalExact(s, hook); err != nil {
		return nil, fmt.Errorf("settings: %w", err)
	}
	if faults := s.Validate(); len(faults) > 0 {
		return nil, &Error{faults}
	}
	return s, nil
}

// loader layers the sources in one viper. Viper itself would read only the
// process's environment and would not tell of names that it does not know, so the
// environment and the file are read here and merged into it, the weaker first.
type loader struct {
	LoadOptions
	keys    []Key
	viper   *viper.Viper
	sources map[string]string
	faults  []string
}

// layer is what one source says, by key.
type layer struct {
	values map[string]any
	source map[string]string
}

func (l *loader) fault(format string, args ...any) {
	l.faults = append(l.faults, fmt.Sprintf(format, args...))
}

func (l *loader) key(name string) (Key, bool) {
	at := slices.IndexFunc(l.keys, func(k Key) bool { return k.Key == name })
	if at < 0 {
		return Key{}, false
	}
	return l.keys[at], true
}

func (l *loader) merge(from layer) error {
	nested := map[string]any{}
	for key, value := range from.values {
		l.sources[key] = from.source[key]
		into := nested
		parts := strings.Split(key, ".")
		for _, part := range parts[:len(parts)-1] {
			if _, ok := into[part]; !ok {
				into[part] = map[string]any{}
			}
			into = into[part].(map[string]any)
		}
		into[parts[len(parts)-1]] = value
	}
	if err := l.viper.MergeConfigMap(nested); err != nil {
		return fmt.Errorf("settings: %w", err)
	}
	return nil
}

// readEnvironment collects the settings among the variables. Names that are none
// become faults when the file's are known.
func (l *loader) readEnvironment() layer {
	found := layer{values: map[string]any{}, source: map[string]string{}}
	for _, variable := range l.Environ {
		name, value, _ := strings.Cut(variable, "=")
		at := slices.IndexFunc(l.keys, func(k Key) bool { return k.Env == name })
		if at < 0 || value == "" {
			continue
		}
		key := l.keys[at].Key
		found.values[key], found.source[key] = value, "env "+name
	}
	return found
}

// checkEnvironment tells of variables that look like settings and are none.
func (l *loader) checkEnvironment() {
	var known, unknown []string
	for _, k := range l.keys {
		known = append(known, k.Env)
	}
	for _, variable := range l.Environ {
		name, _, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, envPrefix) && !slices.Contains(known, name) && !slices.Contains(l.OtherEnv, name) {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	for _, name := range slices.Compact(unknown) {
		l.fault("environment: unknown variable %s%s", name, didYouMean(name, known))
	}
}

// mergeFile reads the settings file. Where it is may depend on the environment
// and the flags, but not on itself.
func (l *loader) mergeFile(environment layer) error {
	path, optional := l.ConfigFile, false
	if path == "" {
		path, optional = filepath.Join(l.dataBeforeFile(environment), FileName), true
	}
	text, err := os.ReadFile(path)
	switch {
	case optional && errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		l.fault("file %s: %v", path, cause(err))
		return nil
	}
	var tree map[string]any
	if err := toml.Unmarshal(text, &tree); err != nil {
		l.fault("file %s: %s", path, tomlFault(err))
		return nil
	}
	found := layer{values: map[string]any{}, source: map[string]string{}}
	l.walk(path, "", tree, &found)
	if _, ok := found.values["data"]; ok && optional {
		l.fault("file %s: data: the file was found in the data folder; move it with --data or %sDATA", path, envPrefix)
	}
	return l.merge(found)
}

func (l *loader) dataBeforeFile(environment layer) string {
	for flag, key := range l.FlagKeys {
		if f := l.given(flag); key == "data" && f != nil {
			return f.Value.String()
		}
	}
	if data, ok := environment.values["data"].(string); ok {
		return data
	}
	data, _ := l.key("data")
	return data.Default
}

// walk takes the leaves of a file's tree that are settings and tells of others,
// in the order of their names.
func (l *loader) walk(path, prefix string, tree map[string]any, found *layer) {
	var known, groups []string
	for _, k := range l.keys {
		known = append(known, k.Key)
		if group, _, ok := strings.Cut(k.Key, "."); ok {
			groups = append(groups, group)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(tree)) {
		key := prefix + name
		isGroup := slices.Contains(groups, key)
		table, isTable := tree[name].(map[string]any)
		switch {
		case slices.Contains(known, key):
			found.values[key], found.source[key] = tree[name], "file "+path
		case isGroup && isTable:
			l.walk(path, key+".", table, found)
		case isGroup:
			l.fault("file %s: %s is a group of settings: write [%s] above them", path, key, key)
		default:
			l.fault("file %s: unknown setting %s%s", path, key, didYouMean(key, append(known, groups...)))
		}
	}
}

// given is a flag of the command line, nil if it was not given.
func (l *loader) given(name string) *pflag.Flag {
	if l.Flags == nil {
		return nil
	}
	if f := l.Flags.Lookup(name); f != nil && f.Changed {
		return f
	}
	return nil
}

func (l *loader) bindFlags() error {
	l.checkEnvironment()
	for _, name := range slices.Sorted(maps.Keys(l.FlagKeys)) {
		key := l.FlagKeys[name]
		if _, ok := l.key(key); !ok {
			return fmt.Errorf("settings: flag --%s is for the unknown setting %s", name, key)
		}
		f := l.given(name)
		if f == nil {
			continue
		}
		if err := l.viper.BindPFlag(key, f); err != nil {
			return fmt.Errorf("settings: flag --%s: %w", name, err)
		}
		l.sources[key] = "flag --" + name
	}
	return nil
}

// checkValues checks the value in force of each key.
func (l *loader) checkValues() {
	for _, k := range l.keys {
		if fault := k.check(l.viper.Get(k.Key)); fault != "" {
			l.fault("%s: %s (%s)", k.Key, fault, l.sources[k.Key])
		}
	}
}

// Validate tells of settings that do not go together, a line each.
func (s *Settings) Validate() []string {
	var faults []string
	faults = append(faults, s.sameAddresses()...)
	faults = append(faults, s.tlsFaults()...)
	if s.Stream.MaxBytes < 2*s.Edge.MaxBody {
		faults = append(faults, fmt.Sprintf("stream.max_bytes %s must be at least twice edge.max_body %s", s.Stream.MaxBytes, s.Edge.MaxBody))
	}
	if s.Edge.MaxInflight < 2*s.Edge.MaxBody {
		faults = append(faults, fmt.Sprintf("edge.max_inflight %s must be at least twice edge.max_body %s", s.Edge.MaxInflight, s.Edge.MaxBody))
	}
	if s.Edge.HeaderTimeout > s.Edge.ReadTimeout {
		faults = append(faults, fmt.Sprintf("edge.header_timeout %s must not be longer than edge.read_timeout %s", s.Edge.HeaderTimeout, s.Edge.ReadTimeout))
	}
	return faults
}

// sameAddresses tells of listeners that would take the same port.
func (s *Settings) sameAddresses() (faults []string) {
	type listener struct{ key, addr string }
	listeners := []listener{{"edge.addr", s.Edge.Addr}, {"admin.addr", s.Admin.Addr}}
	if s.Edge.HasTLS() {
		listeners = append(listeners, listener{"edge.tls_addr", s.Edge.TLSAddr})
	}
	for i, a := range listeners {
		for _, b := range listeners[i+1:] {
			if a.addr == b.addr && !strings.HasSuffix(a.addr, ":0") {
				faults = append(faults, fmt.Sprintf("%s and %s are both %s", a.key, b.key, a.addr))
			}
		}
	}
	return faults
}

// tlsFaults tells of settings for HTTPS that do not go together.
func (s *Settings) tlsFaults() (faults []string) {
	e := &s.Edge
	if e.TLSSelfSigned && (e.TLSCert != "" || e.TLSKey != "") {
		faults = append(faults, "edge.tls_self_signed and edge.tls_cert or edge.tls_key: want one or the other")
	}
	if e.TLSCert != "" && e.TLSKey == "" {
		faults = append(faults, "edge.tls_cert is set and edge.tls_key is not")
	}
	if e.TLSKey != "" && e.TLSCert == "" {
		faults = append(faults, "edge.tls_key is set and edge.tls_cert is not")
	}
	if !e.HasTLS() && e.TLSKey == "" && s.isSet("edge.tls_addr") {
		faults = append(faults, "edge.tls_addr is set: want edge.tls_cert and edge.tls_key, or edge.tls_self_signed, too")
	}
	return faults
}

// isSet says whether anybody set a setting.
func (s *Settings) isSet(key string) bool { return s.sources[key] != "default" && s.sources[key] != "" }

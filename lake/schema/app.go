package schema

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// appFile in a namespace's folder makes it a Glean app.
const appFile = "app.toml"

// gleanVersion is the document_version of every Glean ping.
const gleanVersion = "1"

// defaultMaxPings is how many different pings an app may send.
const defaultMaxPings = 200

// standardPings are known of every Glean app before the first one arrives.
var standardPings = []string{"baseline", "deletion-request", "events", "metrics"}

var (
	appName  = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,99}$`)
	pingName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,29}$`)
)

// app is a namespace whose pings are read with the Glean schema.
type app struct {
	namespace string
	maxPings  int
	pings     map[string]*Doctype // by normalised doctype; guarded by Registry.mu
	offered   map[string]*Doctype // looked up, but no valid payload came yet; guarded by Registry.mu
}

// maxOffered bounds the pings that were only looked up.
const maxOffered = 1000

// readApp reads an app.toml. It may give both an app and a fault: a setting it
// does not know does not cost the app its data.
func readApp(folder fs.FS, name, namespace string) (*app, error) {
	data, err := fs.ReadFile(folder, name)
	if err != nil {
		return nil, err
	}
	var settings struct {
		Glean    bool `toml:"glean"`
		MaxPings int  `toml:"max_pings"`
	}
	decoder := toml.NewDecoder(bytes.NewReader(data))
	err = decoder.DisallowUnknownFields().Decode(&settings)
	var unknown *toml.StrictMissingError
	if err != nil && !errors.As(err, &unknown) {
		return nil, err
	}
	if unknown != nil {
		err = fmt.Errorf("unknown setting: %s", oneLine(unknown.String()))
	}
	if !settings.Glean {
		return nil, err
	}
	if settings.MaxPings <= 0 {
		settings.MaxPings = defaultMaxPings
	}
	return &app{namespace: namespace, maxPings: settings.MaxPings, pings: map[string]*Doctype{}, offered: map[string]*Doctype{}}, err
}

// know adds a ping to the app. The caller holds Registry.mu.
func (a *app) know(doctype string, glean *Doctype) *Doctype {
	d := newDoctype(a.namespace, doctype, gleanVersion, glean.file, glean.columns)
	a.pings[fileName(doctype)] = d
	return d
}

// checkAppName says why a name cannot be a Glean app.
func checkAppName(name string) error {
	if !appName.MatchString(name) {
		return fmt.Errorf("%q is no app name: lower-case letters, digits, - and _, a letter first, at most 100", name)
	}
	snake := SnakeCase(name)
	switch snake {
	case "telemetry", "glean", "monitoring", "metadata", "schemas", DatasetRaw, DatasetError,
		"memory", "lake", "temp", "system", "main", "mozfun", "bits28", "udf", "stats", "information_schema", "pg_catalog":
		return fmt.Errorf("%q is taken by the pipeline", name)
	}
	for _, suffix := range []string{"_live", "_stable", "_derived"} {
		if strings.HasSuffix(snake, suffix) {
			return fmt.Errorf("%q would be mistaken for a dataset: it ends in %s", name, suffix)
		}
	}
	return nil
}

// AddApp registers a Glean app: from now on its pings are read with the Glean
// schema and each has its table, without a file of its own. The registration is
// <folder>/<name>/app.toml, written durably. An app that is registered already is
// no error.
func (r *Registry) AddApp(name string) error {
	if err := checkAppName(name); err != nil {
		return fmt.Errorf("adding app: %w", err)
	}
	r.mu.RLock()
	_, known := r.index.apps[fileName(name)]
	r.mu.RUnlock()
	if known {
		return nil
	}
	if r.dir == "" {
		return fmt.Errorf("adding app %s: no schemas folder", name)
	}
	root, _ := rootOf(r.dir)
	if err := writeApp(filepath.Join(root, name)); err != nil {
		return fmt.Errorf("adding app %s: %w", name, err)
	}
	if _, err := r.Reload(); err != nil {
		return fmt.Errorf("adding app %s: %w", name, err)
	}
	return nil
}

func writeApp(folder string) error {
	const text = "# A Glean app: its pings are read with the Glean schema.\n" +
		"# max_pings bounds how many different pings it may send, 200 unless set.\n" +
		"glean = true\n"
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	temp, err := os.CreateTemp(folder, "."+appFile+".*")
	if err != nil {
		return err
	}
	_, err = temp.WriteString(text)
	err = errors.Join(err, temp.Chmod(0o644), temp.Sync(), temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), filepath.Join(folder, appFile))
	}
	if err != nil {
		return errors.Join(err, os.Remove(temp.Name()))
	}
	return errors.Join(syncFolder(folder), syncFolder(filepath.Dir(folder)))
}

func syncFolder(name string) error {
	folder, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// Learn makes a Glean app's ping known before it arrives, for tables that are on
// disk already. Names may be those of the table (deletion_request). A namespace
// that is no app is left alone; max_pings does not apply.
func (r *Registry) Learn(namespace, doctype string) {
	k := keyOf(namespace, doctype, gleanVersion)
	name := strings.ReplaceAll(doctype, "_", "-")
	r.mu.Lock()
	defer r.mu.Unlock()
	a, ok := r.index.apps[k.namespace]
	if !ok || r.index.hasFile(k) || a.pings[k.doctype] != nil || !pingName.MatchString(name) {
		return
	}
	a.know(name, r.index.glean)
}

// Accept is told that a payload of d was valid. From then on a Glean app's new
// ping is known; a ping too many wraps ErrUnknownDoctype. What is only looked up
// takes no place, so that nobody fills an app with names.
func (r *Registry) Accept(d *Doctype) error {
	if !d.offered.Load() {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	a, k := r.index.apps[fileName(d.Namespace)], fileName(d.DocType)
	switch {
	case a == nil:
		return fmt.Errorf("%s: %w", d, ErrUnknownDoctype)
	case a.pings[k] == nil && len(a.pings) >= a.maxPings:
		return fmt.Errorf("%s: %w", d, a.tooMany())
	case a.pings[k] == nil:
		a.pings[k] = d
	}
	delete(a.offered, k)
	d.offered.Store(false)
	return nil
}

func (a *app) tooMany() error {
	return fmt.Errorf("%w: app %s already sends %d different pings, see max_pings in its %s",
		ErrUnknownDoctype, a.namespace, len(a.pings), appFile)
}

// offer gives the doctype of a ping that is not known yet. The caller holds
// Registry.mu.
func (a *app) offer(doctype string, glean *Doctype) *Doctype {
	k := fileName(doctype)
	if d := a.offered[k]; d != nil {
		return d
	}
	if len(a.offered) >= maxOffered {
		clear(a.offered)
	}
	d := newDoctype(a.namespace, doctype, gleanVersion, glean.file, glean.columns)
	d.offered.Store(true)
	a.offered[k] = d
	return d
}

// ping answers for a namespace that is a Glean app: a ping not heard of before is
// offered. retry says that the index was replaced meanwhile.
func (r *Registry) ping(x *index, k key, doctype string) (d *Doctype, retry bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.index != x {
		return nil, true, nil
	}
	a := x.apps[k.namespace]
	known := a.pings[k.doctype]
	switch {
	case known == nil && !pingName.MatchString(doctype):
		return nil, false, fmt.Errorf("%w: %q is no name of a Glean ping", ErrUnknownDoctype, doctype)
	case k.version != gleanVersion:
		return nil, false, ErrUnknownVersion
	case known != nil:
		return known, false, nil
	case len(a.pings) >= a.maxPings:
		return nil, false, a.tooMany()
	}
	return a.offer(doctype, x.glean), false, nil
}

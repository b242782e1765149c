package schema

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// What Lookup answers for names it does not have.
var (
	ErrUnknownDoctype = errors.New("unknown doctype")
	ErrUnknownVersion = errors.New("unknown version")
)

// Options say where schemas are.
type Options struct {
	// Dir is the operator's folder of schemas. It may be absent, or "" for none.
	Dir string
	// Logger hears of faulty files. Nil discards.
	Logger *slog.Logger
}

// Registry knows all doctypes. It is safe for concurrent use.
type Registry struct {
	dir      string
	logger   *slog.Logger
	template *entry        // the embedded Glean schema
	retry    time.Duration // how often Watch looks whether something is to be read again

	reloading sync.Mutex // one Reload at a time; taken before mu

	mu       sync.RWMutex
	index    *index     // replaced whole by Reload
	watchers int        // Watch calls under way
	unseen   []*Doctype // changed since Watch last told
}

// Fault is a file that cannot be used as it is. It never stands in the way of
// others.
type Fault struct {
	File string
	Err  error
}

// String is the file and what is wrong with it.
func (f Fault) String() string { return f.File + ": " + f.Err.Error() }

// index is one state of the registry. Its maps do not change, but for quick and
// the pings of apps.
type index struct {
	entries  map[key]*entry
	doctypes map[key]source // one of each, by keys without a version
	apps     map[string]*app
	glean    *Doctype // the schema of all Glean pings, under its own name
	faults   []Fault  // found while listing

	quick map[key]*Doctype // by names as files and clients usually write them; guarded by Registry.mu
}

func (x *index) hasFile(k key) bool {
	_, ok := x.doctypes[key{k.namespace, k.doctype, ""}]
	return ok
}

// Names are the names of a doctype as its file or app has them, whatever its
// version. ok is false for one that is not known: there are no more names than
// doctypes, whatever clients write.
func (r *Registry) Names(namespace, doctype string) (known Names, ok bool) {
	k := keyOf(namespace, doctype, "")
	r.mu.RLock()
	defer r.mu.RUnlock()
	if s, ok := r.index.doctypes[k]; ok {
		return Names{s.namespace, s.doctype}, true
	}
	if a := r.index.apps[k.namespace]; a != nil {
		if ping := a.pings[k.doctype]; ping != nil {
			return Names{ping.Namespace, ping.DocType}, true
		}
	}
	return Names{}, false
}

// Names are a doctype's, without a version.
type Names struct{ Namespace, DocType string }

// entry is one schema file, read when first asked for.
type entry struct {
	source
	mu     sync.Mutex
	loaded bool // the file was read, whatever was in it
	made   *Doctype
	fault  error // why there is none, or why it is not the newest
}

// Open lists the embedded schemas and those of the folder. Only the Glean schema is
// read at once.
func Open(o Options) (*Registry, error) {
	r := &Registry{dir: o.Dir, logger: o.Logger, template: embeddedGlean(), retry: retryUnread}
	if r.logger == nil {
		r.logger = slog.New(slog.DiscardHandler)
	}
	if _, err := r.Reload(); err != nil {
		return nil, err
	}
	return r, nil
}

// Lookup finds a doctype by the names of a submission. Names that differ only in
// how they separate words are equal (live-sink, liveSink, live_sink); the version
// is taken as it is. The schema is read and compiled when it is first asked for.
//
// The error wraps ErrUnknownDoctype or, if the doctype has other versions,
// ErrUnknownVersion, with the name asked for.
func (r *Registry) Lookup(namespace, doctype, version string) (*Doctype, error) {
	asked := key{namespace, doctype, version}
	for {
		r.mu.RLock()
		x, d := r.index, r.index.quick[asked]
		r.mu.RUnlock()
		if d != nil {
			return d, nil
		}
		d, retry, err := r.find(x, asked)
		if retry {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%s/%s/%s: %w", clip(namespace), clip(doctype), clip(version), err)
		}
		if d.Namespace == namespace && d.DocType == doctype && !d.offered.Load() {
			r.mu.Lock()
			x.quick[asked] = d
			r.mu.Unlock()
		}
		return d, nil
	}
}

func (r *Registry) find(x *index, asked key) (d *Doctype, retry bool, err error) {
	k := keyOf(asked.namespace, asked.doctype, asked.version)
	if e, ok := x.entries[k]; ok {
		d, err := e.load(r)
		if err != nil {
			return nil, false, fmt.Errorf("%w: schema %s: %s", ErrUnknownDoctype, e.path, clip(err.Error()))
		}
		return d, false, nil
	}
	if x.hasFile(k) {
		return nil, false, ErrUnknownVersion
	}
	if _, ok := x.apps[k.namespace]; ok {
		return r.ping(x, k, asked.doctype)
	}
	return nil, false, ErrUnknownDoctype
}

// load reads and compiles the file once. One that cannot be read is read again when
// next asked for: the cause may be gone (too many open files, a disk that is back).
// What the entry answered before goes on until the file can take its place.
func (e *entry) load(r *Registry) (*Doctype, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.loaded {
		before := e.fault
		e.fault = e.readLocked()
		switch {
		case e.fault != nil && (before == nil || before.Error() != e.fault.Error()):
			r.warn(e.path, e.fault)
		case e.fault == nil && before != nil:
			r.note(e.made)
		}
	}
	if e.made == nil {
		return nil, e.fault
	}
	return e.made, nil
}

// readLocked makes the doctype of the file, with the columns of the one before.
func (e *entry) readLocked() error {
	data, err := fs.ReadFile(e.folder, e.name)
	if err != nil {
		return err
	}
	e.loaded = true
	f, err := parseFile(e.source, data)
	if err != nil {
		return err
	}
	if e.key() == gleanKey {
		if f.bare, err = e.readBare(); err != nil {
			return err
		}
	}
	columns := f.columns
	if e.made != nil {
		if columns, err = mergeColumns(e.made.columns, f.columns); err != nil {
			return err
		}
	}
	e.made = newDoctype(e.namespace, e.doctype, e.version, f, columns)
	return nil
}

// unread says that the file could not be read when it was asked for.
func (e *entry) unread() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return !e.loaded && e.fault != nil
}

func (r *Registry) warn(file string, err error) {
	if !errors.Is(err, errNoMetadata) {
		r.logger.Warn("schema not usable", "file", file, "error", err)
	}
}

// current is what the entry answers now, nil if it was never asked.
func (e *entry) current() *Doctype {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.made
}

// Doctypes are all doctypes known now, sorted by name. It reads every schema that
// was not asked for yet; faulty ones are left out.
func (r *Registry) Doctypes() []*Doctype {
	r.mu.RLock()
	x := r.index
	var all []*Doctype
	for _, a := range x.apps {
		for name, ping := range a.pings {
			if !x.hasFile(keyOf(a.namespace, name, "")) {
				all = append(all, ping)
			}
		}
	}
	r.mu.RUnlock()
	for _, e := range x.entries {
		if d, err := e.load(r); err == nil {
			all = append(all, d)
		}
	}
	sortDoctypes(all)
	return all
}

func sortDoctypes(all []*Doctype) {
	slices.SortFunc(all, func(a, b *Doctype) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.DocType, b.DocType),
			cmp.Compare(a.Version, b.Version))
	})
}

// Faults are the files that cannot be used as they are, as far as they were read,
// sorted by file.
func (r *Registry) Faults() []Fault {
	r.mu.RLock()
	x := r.index
	r.mu.RUnlock()
	faults := slices.Clone(x.faults)
	for _, e := range x.entries {
		e.mu.Lock()
		if e.fault != nil && !errors.Is(e.fault, errNoMetadata) {
			faults = append(faults, Fault{e.path, e.fault})
		}
		e.mu.Unlock()
	}
	slices.SortFunc(faults, func(a, b Fault) int { return cmp.Compare(a.File, b.File) })
	return faults
}

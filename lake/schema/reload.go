package schema

import (
	"fmt"
	"slices"
)

// gleanKey is the schema that the pings of Glean apps are read with.
var gleanKey = keyOf("glean", "glean", gleanVersion)

// embeddedGlean is the Glean schema for operators who have none of their own. It is
// a template: nothing can be sent to glean/glean itself.
func embeddedGlean() *entry {
	t := embeddedTree()
	const name = "glean/glean/glean.1" + schemaSuffix
	return &entry{source: source{namespace: "glean", doctype: "glean", version: gleanVersion,
		folder: t.folder, name: name, path: t.show(name)}}
}

// Reload reads the folder again. changed are the doctypes added or altered, sorted
// by name. A file that was altered and is now faulty, or whose columns changed
// type, is a fault and the doctype stays as it was; columns that are gone from the
// schema stay in the table. The error is a folder that cannot be listed; then
// nothing changes.
func (r *Registry) Reload() (changed []*Doctype, err error) {
	r.reloading.Lock()
	defer r.reloading.Unlock()
	old := r.index // only Reload writes it
	x, err := r.list()
	if err != nil {
		return nil, err
	}
	if old == nil { // opening: files are read when asked for
		old = &index{}
	} else {
		changed = r.compare(x, old)
	}
	r.logFaults(x, old)
	if err := r.chooseGlean(x); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	changed = append(changed, x.takePingsLocked(old)...)
	sortDoctypes(changed)
	r.index = x
	if r.watchers > 0 {
		r.unseen = append(r.unseen, changed...)
	}
	return changed, nil
}

// list makes an index of both trees.
func (r *Registry) list() (*index, error) {
	x := &index{entries: map[key]*entry{}, doctypes: map[key]source{}, apps: map[string]*app{}, quick: map[key]*Doctype{}}
	trees := []tree{embeddedTree()}
	if r.dir != "" {
		trees = append(trees, ownTree(r.dir))
	}
	for _, t := range trees {
		l, err := t.list()
		if err != nil {
			return nil, err
		}
		x.faults = append(x.faults, l.faults...)
		for _, a := range l.apps {
			x.apps[fileName(a.namespace)] = a
		}
		for _, s := range l.sources {
			x.add(s)
		}
	}
	return x, nil
}

// add enters a source. The operator's own go before embedded ones.
func (x *index) add(s source) {
	k := s.key()
	if k == gleanKey && !s.own {
		return
	}
	if other, taken := x.entries[k]; taken && other.own {
		x.faults = append(x.faults, Fault{s.path, fmt.Errorf("same doctype as %s", other.path)})
		return
	}
	x.entries[k] = &entry{source: s}
	x.doctypes[key{k.namespace, k.doctype, ""}] = s
}

// compare takes over the entries whose files are untouched and reads the others,
// and those that could not be read.
func (r *Registry) compare(x, old *index) (changed []*Doctype) {
	for k, e := range x.entries {
		active := r.active(old, k)
		if before, ok := old.entries[k]; ok && before.same(e.source) {
			x.entries[k] = before
			if !before.unread() {
				continue
			}
			e = before
		} else {
			e.made = active
		}
		if d, err := e.load(r); err == nil && d != active {
			changed = append(changed, d)
		}
	}
	return changed
}

// active is the doctype that answered to a key, nil if none did.
func (r *Registry) active(x *index, k key) *Doctype {
	if k == gleanKey {
		return x.glean
	}
	if e, ok := x.entries[k]; ok {
		return e.current()
	}
	if a, ok := x.apps[k.namespace]; ok && k.version == gleanVersion {
		r.mu.RLock()
		defer r.mu.RUnlock()
		return a.pings[k.doctype]
	}
	return nil
}

// logFaults tells of what could not be listed, once.
func (r *Registry) logFaults(x, old *index) {
	for _, f := range x.faults {
		known := func(other Fault) bool { return other.String() == f.String() }
		if !slices.ContainsFunc(old.faults, known) {
			r.warn(f.File, f.Err)
		}
	}
}

// chooseGlean settles the schema of the Glean apps: the operator's own if it can be
// used, else the embedded one.
func (r *Registry) chooseGlean(x *index) error {
	if e, ok := x.entries[gleanKey]; ok {
		if d, err := e.load(r); err == nil {
			x.glean = d
			return nil
		}
	}
	d, err := r.template.load(r)
	if err != nil {
		return fmt.Errorf("reading schema %s: %w", r.template.path, err)
	}
	x.glean = d
	return nil
}

// takePingsLocked makes the standard pings of every app known and takes over what
// was learnt.
func (x *index) takePingsLocked(old *index) (changed []*Doctype) {
	for namespace, a := range x.apps {
		names := standardPings
		if before := old.apps[namespace]; before != nil {
			names = nil
			for k, ping := range before.pings {
				if x.glean == old.glean {
					a.pings[k] = ping
				} else {
					names = append(names, ping.DocType)
				}
			}
		}
		for _, name := range names {
			d := a.know(name, x.glean)
			if !x.hasFile(keyOf(namespace, name, "")) {
				changed = append(changed, d)
			}
		}
	}
	return changed
}

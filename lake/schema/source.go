package schema

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

//go:embed defaults
var embedded embed.FS

const schemaSuffix = ".schema.json"

// source is where one schema is.
type source struct {
	namespace, doctype, version string // as written in the path

	folder fs.FS
	name   string // in folder
	path   string // for people
	info   fs.FileInfo
	own    bool // in the operator's folder, not embedded
	strict bool // a schema without mozPipelineMetadata is no ping
}

// key is the name a schema is found by, normalised.
type key struct{ namespace, doctype, version string }

func keyOf(namespace, doctype, version string) key {
	return key{fileName(namespace), fileName(doctype), version}
}

func (s source) key() key { return keyOf(s.namespace, s.doctype, s.version) }

// same says that the file has not been touched since.
func (s source) same(other source) bool {
	if s.own != other.own || s.strict != other.strict || s.path != other.path {
		return false
	}
	return !s.own || os.SameFile(s.info, other.info) &&
		s.info.Size() == other.info.Size() && s.info.ModTime().Equal(other.info.ModTime())
}

// listing is what one tree of schemas holds: names only, files are read on demand.
type listing struct {
	sources []source
	apps    []*app
	faults  []Fault
}

// tree is a place where schemas are listed.
type tree struct {
	folder fs.FS
	root   string // for people
	own    bool
	strict bool
}

func embeddedTree() tree {
	folder, err := fs.Sub(embedded, "defaults")
	if err != nil {
		panic(err) // the name is a constant
	}
	return tree{folder: folder, root: "embedded:"}
}

// rootOf is where an operator's folder keeps its schemas: a checkout of
// mozilla-pipeline-schemas has them one level down.
func rootOf(dir string) (root string, checkout bool) {
	below := filepath.Join(dir, "schemas")
	if info, err := os.Stat(below); err == nil && info.IsDir() {
		return below, true
	}
	return dir, false
}

func ownTree(dir string) tree {
	root, checkout := rootOf(dir)
	return tree{folder: os.DirFS(root), root: root, own: true, strict: checkout}
}

// list walks <namespace>/<doctype>/<doctype>.<version>.schema.json. A missing root
// is empty; a namespace or doctype folder that cannot be read is a fault.
func (t tree) list() (*listing, error) {
	l := &listing{}
	namespaces, err := fs.ReadDir(t.folder, ".")
	if errors.Is(err, fs.ErrNotExist) {
		return l, nil
	}
	if err != nil {
		return nil, fmt.Errorf("listing schemas in %s: %w", t.root, err)
	}
	for _, namespace := range namespaces {
		if t.isDir(namespace.Name()) {
			t.listNamespace(l, namespace.Name())
		}
	}
	return l, nil
}

func (t tree) listNamespace(l *listing, namespace string) {
	entries, err := fs.ReadDir(t.folder, namespace)
	if err != nil {
		l.faults = append(l.faults, Fault{t.show(namespace), err})
		return
	}
	for _, entry := range entries {
		name := path.Join(namespace, entry.Name())
		switch {
		case entry.Name() == appFile:
			a, err := readApp(t.folder, name, namespace)
			if err != nil {
				l.faults = append(l.faults, Fault{t.show(name), err})
			}
			if a != nil {
				l.apps = append(l.apps, a)
			}
		case t.isDir(name):
			t.listDoctype(l, namespace, entry.Name())
		}
	}
}

func (t tree) listDoctype(l *listing, namespace, doctype string) {
	folder := path.Join(namespace, doctype)
	entries, err := fs.ReadDir(t.folder, folder)
	if err != nil {
		l.faults = append(l.faults, Fault{t.show(folder), err})
		return
	}
	for _, entry := range entries {
		base, ok := strings.CutSuffix(entry.Name(), schemaSuffix)
		if !ok || strings.HasPrefix(base, ".") {
			continue
		}
		name := path.Join(folder, entry.Name())
		dot := strings.LastIndexByte(base, '.')
		if dot < 0 || fileName(base[:dot]) != fileName(doctype) {
			// A checkout has such files on purpose; nothing can be sent to them.
			if t.own && !t.strict {
				l.faults = append(l.faults, Fault{t.show(name),
					fmt.Errorf("file name is not %s.<version>%s", doctype, schemaSuffix)})
			}
			continue
		}
		info, err := fs.Stat(t.folder, name)
		if err != nil {
			l.faults = append(l.faults, Fault{t.show(name), err})
			continue
		}
		l.sources = append(l.sources, source{
			namespace: namespace, doctype: doctype, version: base[dot+1:],
			folder: t.folder, name: name, path: t.show(name), info: info, own: t.own, strict: t.strict,
		})
	}
}

func (t tree) isDir(name string) bool {
	info, err := fs.Stat(t.folder, name)
	return err == nil && info.IsDir() && !strings.HasPrefix(path.Base(name), ".")
}

func (t tree) show(name string) string {
	if t.own {
		return filepath.Join(t.root, filepath.FromSlash(name))
	}
	return t.root + name
}

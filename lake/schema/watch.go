package schema

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

// settle is how long the folder must be quiet before it is read again, so that a
// file written in pieces is read once.
const settle = 200 * time.Millisecond

// retryUnread is how often Watch reads again what could not be read.
const retryUnread = 10 * time.Second

// Watch reloads whenever the folder changes, until ctx is done, and tells of the
// doctypes added or altered since Open or since it last told, also by AddApp or
// Reload. The folder must exist; without one Watch only waits. Tell is called from
// this goroutine and never with an empty list. What could not be read is read again
// every ten seconds.
func (r *Registry) Watch(ctx context.Context, tell func(changed []*Doctype)) error {
	if r.dir == "" {
		<-ctx.Done()
		return nil
	}
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watching schemas: %w", err)
	}
	defer watcher.Close()
	root, _ := rootOf(r.dir)
	if err := watcher.Add(root); err != nil {
		return fmt.Errorf("watching schemas in %s: %w", root, err)
	}
	r.beginWatch()
	defer r.endWatch()
	if err := watchBelow(watcher, root, root); err != nil {
		return err
	}
	due := time.NewTimer(0) // what changed before the watch began
	defer due.Stop()
	retry := time.NewTicker(r.retry)
	defer retry.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case event := <-watcher.Events:
			if event.Has(fsnotify.Create) {
				if err := watchBelow(watcher, root, event.Name); err != nil {
					r.logger.Warn("schemas folder not watched", "error", err)
				}
			}
			if event.Op != fsnotify.Chmod {
				due.Reset(settle)
			}
		case err := <-watcher.Errors: // events were lost
			r.logger.Warn("watching schemas", "error", err)
			due.Reset(settle)
		case <-retry.C:
			if r.behind() {
				due.Reset(0)
			}
		case <-due.C:
			if _, err := r.Reload(); err != nil {
				r.logger.Warn("schemas not reloaded", "error", err)
			}
			if changed := r.takeUnseen(); len(changed) > 0 {
				tell(changed)
			}
		}
	}
}

// watchBelow watches a folder of the tree and those in it: <root>, <namespace> and
// <doctype>. Anything else, also what is gone again, is passed over.
func watchBelow(watcher *fsnotify.Watcher, root, name string) error {
	err := filepath.WalkDir(name, func(at string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if !d.IsDir() {
			return nil
		}
		below, err := filepath.Rel(root, at)
		if err != nil {
			return err
		}
		hidden := below != "." && strings.HasPrefix(filepath.Base(at), ".")
		if hidden || strings.Count(below, string(filepath.Separator)) > 1 {
			return fs.SkipDir
		}
		if err := watcher.Add(at); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("watching schemas in %s: %w", name, err)
	}
	return nil
}

// note keeps a doctype that Watch is to tell of, also one that begins later: nobody
// else will say that its file could be read at last.
func (r *Registry) note(d *Doctype) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.unseen = append(r.unseen, d)
}

// behind says that something could not be read, or was read at last and not told of.
func (r *Registry) behind() bool {
	r.mu.RLock()
	x, untold := r.index, len(r.unseen) > 0
	r.mu.RUnlock()
	if untold {
		return true
	}
	for _, f := range x.faults {
		if pathError := (*fs.PathError)(nil); errors.As(f.Err, &pathError) {
			return true
		}
	}
	for _, e := range x.entries {
		if e.unread() {
			return true
		}
	}
	return false
}

func (r *Registry) beginWatch() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.watchers++
}

func (r *Registry) endWatch() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.watchers--; r.watchers == 0 {
		r.unseen = nil
	}
}

// takeUnseen hands out what changed, the newest of each doctype.
func (r *Registry) takeUnseen() []*Doctype {
	r.mu.Lock()
	defer r.mu.Unlock()
	newest := make(map[string]*Doctype, len(r.unseen))
	for _, d := range r.unseen {
		newest[d.String()] = d
	}
	r.unseen = nil
	changed := make([]*Doctype, 0, len(newest))
	for _, d := range newest {
		changed = append(changed, d)
	}
	sortDoctypes(changed)
	return changed
}

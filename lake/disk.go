package lake

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// disk does every operation that changes the tree.
type disk struct {
	// before is asked first, with the operation and its path; an error replaces
	// the operation. Tests fail and freeze the disk with it; nil otherwise.
	before func(op, path string) error

	// flush is (*os.File).Sync; tests that outlive no power cut save its time.
	flush func(*os.File) error

	mu      sync.Mutex
	durable map[string]bool // folders whose own entry this process has synced
}

func (d *disk) allow(op, path string) error {
	if d.before == nil {
		return nil
	}
	return d.before(op, path)
}

func (d *disk) rename(from, to string) error {
	if err := d.allow("rename", to); err != nil {
		return err
	}
	return os.Rename(from, to)
}

func (d *disk) remove(path string) error {
	if err := d.allow("remove", path); err != nil {
		return err
	}
	return os.Remove(path)
}

func (d *disk) removeAll(path string) error {
	if err := d.allow("remove", path); err != nil {
		return err
	}
	return os.RemoveAll(path)
}

// mkdir makes a folder below a durable root, with its parents, and syncs the
// parent of each.
func (d *disk) mkdir(root, path string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.mkdirLocked(root, path)
}

func (d *disk) mkdirLocked(root, path string) error {
	if path == root {
		return nil
	}
	if d.durable[path] {
		if _, err := os.Stat(path); err == nil { // a partition may have been dropped since
			return nil
		}
	}
	if err := d.mkdirLocked(root, filepath.Dir(path)); err != nil {
		return err
	}
	if err := d.allow("mkdir", path); err != nil {
		return err
	}
	if err := os.Mkdir(path, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := d.syncDir(filepath.Dir(path)); err != nil {
		return err
	}
	if d.durable == nil {
		d.durable = map[string]bool{}
	}
	d.durable[path] = true
	return nil
}

// write makes a new file, durable but for its name: fill writes it, then it is synced.
func (d *disk) write(path string, fill func(io.Writer) error) error {
	if err := d.allow("create", path); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	if err := fill(&diskFile{d, f}); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := d.allow("sync", path); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := d.flush(f); err != nil {
		return errors.Join(err, f.Close())
	}
	return f.Close()
}

type diskFile struct {
	disk *disk
	f    *os.File
}

func (f *diskFile) Write(p []byte) (int, error) {
	if err := f.disk.allow("write", f.f.Name()); err != nil {
		return 0, err
	}
	return f.f.Write(p)
}

// syncFile makes a file durable that another program wrote.
func (d *disk) syncFile(path string) error { return d.sync(path, os.O_RDWR) }

// syncDir makes the names in a folder durable.
func (d *disk) syncDir(path string) error { return d.sync(path, os.O_RDONLY) }

func (d *disk) sync(path string, flag int) error {
	if err := d.allow("sync", path); err != nil {
		return err
	}
	f, err := os.OpenFile(path, flag, 0)
	if err != nil {
		return err
	}
	return errors.Join(d.flush(f), f.Close())
}

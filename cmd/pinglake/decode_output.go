package main

import (
	"bufio"
	"container/list"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// rejectsFile takes the rejects: stderr, or a file that is seen only when it is
// whole.
type rejectsFile struct {
	io.Writer
	temp *os.File // nil for stderr and for what is no plain file
	path string
}

func (a *app) openRejects(path string) (*rejectsFile, error) {
	if path == "" {
		return &rejectsFile{Writer: a.err}, nil
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		file, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return nil, usageError{err}
		}
		return &rejectsFile{Writer: file}, nil
	}
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return nil, usageError{err}
	}
	return &rejectsFile{Writer: temp, temp: temp, path: path}, nil
}

// close puts the file in its place, or removes it if there was an error.
func (r *rejectsFile) close(err error) error {
	if r.temp == nil {
		return err
	}
	err = errors.Join(err, r.temp.Chmod(0o644), r.temp.Close())
	if err == nil {
		err = os.Rename(r.temp.Name(), r.path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(r.temp.Name()))
	}
	return nil
}

// maxOutputFiles is how many files are written at the same time. Others are closed
// and opened again when they are due.
const maxOutputFiles = 64

// outputFiles writes lines into files by their paths. Each is written under
// another name and seen only when all are whole.
type outputFiles struct {
	files  map[string]*outputFile
	opened list.List // of *outputFile, the one used last in front
}

type outputFile struct {
	path, temp string
	file       *os.File // nil while it is closed
	out        *bufio.Writer
	place      *list.Element
}

func newOutputFiles() *outputFiles { return &outputFiles{files: map[string]*outputFile{}} }

// writeLine adds a line to the file at path, making its folder if need be.
func (o *outputFiles) writeLine(path string, text []byte) error {
	f, ok := o.files[path]
	if !ok {
		f = &outputFile{path: path}
		o.files[path] = f
	}
	if err := o.open(f); err != nil {
		return err
	}
	return writeLine(f.out, text)
}

func (o *outputFiles) open(f *outputFile) (err error) {
	if f.file != nil {
		o.opened.MoveToFront(f.place)
		return nil
	}
	if o.opened.Len() == maxOutputFiles {
		if err := o.shut(o.opened.Back().Value.(*outputFile)); err != nil {
			return err
		}
	}
	switch f.temp {
	case "":
		dir, name := filepath.Split(f.path)
		if err := os.MkdirAll(filepath.Clean(dir), 0o755); err != nil {
			return err
		}
		f.file, err = os.CreateTemp(filepath.Clean(dir), "."+name+".*")
	default:
		f.file, err = os.OpenFile(f.temp, os.O_WRONLY|os.O_APPEND, 0)
	}
	if err != nil {
		f.file = nil
		return err
	}
	f.temp, f.out, f.place = f.file.Name(), bufio.NewWriter(f.file), o.opened.PushFront(f)
	return nil
}

func (o *outputFiles) shut(f *outputFile) error {
	o.opened.Remove(f.place)
	err := errors.Join(f.out.Flush(), f.file.Close())
	f.file = nil
	return err
}

// close puts all files in their places, or removes them if there was an error.
func (o *outputFiles) close(err error) error {
	for o.opened.Len() > 0 {
		err = errors.Join(err, o.shut(o.opened.Front().Value.(*outputFile)))
	}
	for _, f := range o.files {
		if err == nil {
			err = errors.Join(os.Chmod(f.temp, 0o644), os.Rename(f.temp, f.path))
			continue
		}
		if gone := os.Remove(f.temp); gone != nil && !errors.Is(gone, os.ErrNotExist) {
			err = errors.Join(err, gone)
		}
	}
	return err
}

// maxFileNamePart is the longest part of a file's name that an attribute gives, in
// bytes.
const maxFileNamePart = 100

// fileNamePart makes an attribute's value fit to be part of a file's name: it leads
// to no other folder, whatever a client wrote into it.
func fileNamePart(value string) string {
	value = strings.Map(func(r rune) rune {
		if r < ' ' || strings.ContainsRune(`/\:`, r) {
			return '-'
		}
		return r
	}, value[:min(len(value), maxFileNamePart)])
	if strings.Trim(value, ".") == "" {
		return strings.ReplaceAll(value, ".", "-")
	}
	return value
}

package batch

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"time"

	"pinglake/lake"
)

// Keys of the metadata inside a job's output file.
const (
	keyJob     = "pinglake.job"
	keyVersion = "pinglake.version"
	keyInputs  = "pinglake.inputs"
)

// inputs are the versions of the partitions a job read, by "dataset.table/date".
// The version of a partition that is not there is "".
type inputs map[string]string

// version of an output: it changes when and only when an input's does.
func (in inputs) version() (string, error) {
	text, err := json.Marshal(in) // keys come sorted
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8]), nil
}

// differ tells whether something that is there now is not what was recorded. What
// has gone since (retention) is no reason to make a partition again.
func (in inputs) differ(recorded inputs) bool {
	for partition, version := range in {
		if version != "" && recorded[partition] != version {
			return true
		}
	}
	return false
}

// stamp tells whether a file is still the one that was read.
type stamp struct {
	modified time.Time
	size     int64
}

func stampOf(path string) (stamp, error) {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{}, err
	}
	return stamp{modified: info.ModTime(), size: info.Size()}, nil
}

// footer is what a job's output file says of itself.
type footer struct {
	stamp   stamp
	version string
	inputs  inputs
}

// tree is the runner's knowledge of the partitions: listed once a run, and each
// footer read once as long as its file stays the same.
type tree struct {
	lake    *lake.Lake
	dates   map[lake.TableRef][]int32
	footers map[string]footer
}

func newTree(l *lake.Lake) *tree {
	return &tree{lake: l, dates: map[lake.TableRef][]int32{}, footers: map[string]footer{}}
}

// forget makes the next question look at the disk again.
func (t *tree) forget() { clear(t.dates) }

// partitions are the dates of a table, ascending.
func (t *tree) partitions(ref lake.TableRef) ([]int32, error) {
	if dates, ok := t.dates[ref]; ok {
		return dates, nil
	}
	dates, err := t.lake.Partitions(ref)
	if err != nil {
		return nil, err
	}
	t.dates[ref] = dates
	return dates, nil
}

func (t *tree) has(ref lake.TableRef, date int32) (bool, error) {
	dates, err := t.partitions(ref)
	if err != nil {
		return false, err
	}
	_, found := slices.BinarySearch(dates, date)
	return found, nil
}

// through are the dates of a table not later than last.
func (t *tree) through(ref lake.TableRef, last int32) ([]int32, error) {
	dates, err := t.partitions(ref)
	if err != nil {
		return nil, err
	}
	return dates[:sort.Search(len(dates), func(i int) bool { return dates[i] > last })], nil
}

// within are the dates of a table in a window of date.
func (t *tree) within(in read, date int32) ([]int32, error) {
	switch in.window {
	case windowBefore:
		return t.through(in.table, date-1)
	case windowUntil:
		return t.through(in.table, date)
	case windowPrevious:
		date--
	}
	found, err := t.has(in.table, date)
	if err != nil || !found {
		return nil, err
	}
	return []int32{date}, nil
}

// written records a partition this process has just replaced.
func (t *tree) written(ref lake.TableRef, date int32) error {
	dates, err := t.partitions(ref)
	if err != nil {
		return err
	}
	if at, found := slices.BinarySearch(dates, date); !found {
		t.dates[ref] = slices.Insert(dates, at, date)
	}
	return nil
}

// inputsOf are the current versions of what a job reads for date. Of a window that
// reaches back for ever the nearest partition stands for all: each of them has the
// one before it among its own inputs.
func (t *tree) inputsOf(j *job, date int32) (inputs, error) {
	in := inputs{}
	for _, r := range j.reads {
		at := date
		switch r.window {
		case windowPrevious:
			at--
		case windowBefore, windowUntil:
			dates, err := t.within(r, date)
			if err != nil {
				return nil, err
			}
			if len(dates) == 0 {
				continue
			}
			at = dates[len(dates)-1]
		}
		version, err := t.version(r.table, at)
		if err != nil {
			return nil, err
		}
		in[r.table.String()+"/"+formatDate(at)] = version
	}
	return in, nil
}

// version of a partition, "" when it is not there.
func (t *tree) version(ref lake.TableRef, date int32) (string, error) {
	found, err := t.has(ref, date)
	if err != nil || !found {
		return "", err
	}
	if strings.HasSuffix(ref.Dataset, liveSuffix) {
		last, ok, err := t.lake.LastPosition(ref, date)
		if err != nil {
			return "", err
		}
		if ok {
			// A span may have several files here, which appear one after the other.
			files, err := t.lake.Files(ref, date)
			if err != nil {
				return "", err
			}
			return fmt.Sprintf("%d in %d files", last, len(files)), nil
		}
		return t.filesVersion(ref, date)
	}
	f, ok, err := t.output(ref, date)
	if err != nil {
		return "", err
	}
	if ok {
		return f.version, nil
	}
	return t.filesVersion(ref, date)
}

// filesVersion stands for a partition that neither a sink nor a job wrote.
func (t *tree) filesVersion(ref lake.TableRef, date int32) (string, error) {
	files, err := t.lake.Files(ref, date)
	if err != nil {
		return "", err
	}
	hash := sha256.New()
	for _, file := range files {
		s, err := stampOf(file)
		if err != nil {
			return "", err
		}
		fmt.Fprintln(hash, filepath.Base(file), s.size, s.modified.UnixNano())
	}
	return "files-" + hex.EncodeToString(hash.Sum(nil)[:8]), nil
}

// output is what the partition's file says of itself. It is not ok when there is
// no file, or none of a job's.
func (t *tree) output(ref lake.TableRef, date int32) (footer, bool, error) {
	files, err := t.lake.Files(ref, date)
	if err != nil || len(files) != 1 {
		return footer{}, false, err
	}
	at, err := stampOf(files[0])
	if err != nil {
		return footer{}, false, err
	}
	f, known := t.footers[files[0]]
	if known && f.stamp == at {
		return f, f.version != "", nil
	}
	pairs, err := t.lake.FileMetadata(files[0])
	if err != nil {
		return footer{}, false, err
	}
	f = footer{stamp: at, version: pairs[keyVersion]}
	if f.version != "" {
		if err := json.Unmarshal([]byte(pairs[keyInputs]), &f.inputs); err != nil {
			return footer{}, false, fmt.Errorf("read %s of %s: %w", keyInputs, files[0], err)
		}
	}
	t.footers[files[0]] = f
	return f, f.version != "", nil
}

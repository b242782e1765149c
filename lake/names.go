package lake

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"pinglake/lake/schema"
)

// Every name of the layout. A reader sees what matches *.parquet below a table's
// folder, and nothing else.
const (
	formatName      = "format.json"      // <lake>/format.json
	partitionPrefix = "submission_date=" // <lake>/<dataset>/<table>/submission_date=YYYY-MM-DD
	schemaName      = "schema.parquet"   // in the partition of 1970-01-01: no rows, all columns
	extension       = ".parquet"
	tempExtension   = ".tmp"

	openPrefix    = "open-"    // <staging>/open-*: the files of a batch not yet staged
	discardPrefix = "discard-" // <staging>/discard-*: being deleted
	jobsName      = "jobs"     // <staging>/jobs/*: what jobs write before Replace
)

const (
	schemaDate = 0       // 1970-01-01 holds the zero-row file and no data
	lastDate   = 2932896 // 9999-12-31
	maxShard   = 99
	dateDigits = len("2006-01-02")
)

// spanFile is what the name of a data file says.
type spanFile struct {
	shard       int
	first, last uint64
	n           int // further files of the same span and partition; the first is 0
}

// name is <shard>-<first>-<last>.parquet, or <shard>-<first>-<last>-<n>.parquet.
func (f spanFile) name() string {
	name := fmt.Sprintf("%02d-%s", f.shard, spanName(f.first, f.last))
	if f.n > 0 {
		name += "-" + strconv.Itoa(f.n)
	}
	return name + extension
}

func parseSpanFile(name string) (f spanFile, ok bool) {
	stem, ok := strings.CutSuffix(name, extension)
	if !ok || len(stem) < 3 || stem[2] != '-' {
		return f, false
	}
	shard, ok := parseDigits(stem[:2], 2)
	if !ok {
		return f, false
	}
	span, counter, counted := stem[3:], "", false
	if len(span) > spanDigits {
		span, counter, counted = span[:spanDigits], span[spanDigits+1:], span[spanDigits] == '-'
		n, err := strconv.Atoi(counter)
		if !counted || err != nil || n <= 0 || strconv.Itoa(n) != counter {
			return f, false
		}
		f.n = n
	}
	f.shard = int(shard)
	f.first, f.last, ok = parseSpanName(span)
	return f, ok
}

// spanName is <first>-<last>, twenty digits each, so that names sort by position.
func spanName(first, last uint64) string { return fmt.Sprintf("%020d-%020d", first, last) }

const spanDigits = 20 + 1 + 20

func parseSpanName(name string) (first, last uint64, ok bool) {
	if len(name) != spanDigits || name[20] != '-' {
		return 0, 0, false
	}
	first, ok1 := parseDigits(name[:20], 20)
	last, ok2 := parseDigits(name[21:], 20)
	return first, last, ok1 && ok2 && first <= last
}

func parseDigits(s string, n int) (uint64, bool) {
	if len(s) != n || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	v, err := strconv.ParseUint(s, 10, 64)
	return v, err == nil
}

// replacedName is the one file of a partition that a job wrote.
func replacedName(shard int) string { return fmt.Sprintf("%02d%s", shard, extension) }

func partitionName(date int32) string { return partitionPrefix + schema.FormatDate(date) }

func parsePartitionName(name string) (date int32, ok bool) {
	text, ok := strings.CutPrefix(name, partitionPrefix)
	if !ok || len(text) != dateDigits {
		return 0, false
	}
	t, err := time.Parse(time.DateOnly, text)
	return schema.DateOf(t), err == nil
}

// stagedName is <dataset>.<table>.<date>.<file>: a staged span is one flat
// folder, so that one fsync makes all its names durable.
func stagedName(ref TableRef, date int32, f spanFile) string {
	return ref.Dataset + "." + ref.Table + "." + schema.FormatDate(date) + "." + f.name()
}

func parseStagedName(name string) (ref TableRef, date int32, file string, ok bool) {
	parts := strings.SplitN(name, ".", 4)
	if len(parts) != 4 {
		return ref, 0, "", false
	}
	ref = TableRef{Dataset: parts[0], Table: parts[1]}
	date, isDate := parsePartitionName(partitionPrefix + parts[2])
	_, isSpan := parseSpanFile(parts[3])
	return ref, date, parts[3], ref.check() == nil && isDate && isSpan
}

// TableRef names a table of the lake.
type TableRef struct{ Dataset, Table string }

// String is dataset.table.
func (r TableRef) String() string { return r.Dataset + "." + r.Table }

// check keeps names that would leave the tree, or be ambiguous in it, out.
func (r TableRef) check() error {
	for _, name := range []string{r.Dataset, r.Table} {
		if name == "" || strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz0123456789_-") != "" {
			return fmt.Errorf("%q is no name of a dataset or table: letters, digits, _ and - only", name)
		}
	}
	return nil
}

func refOf(t *schema.Table) TableRef { return TableRef{Dataset: t.Dataset, Table: t.Name} }

func (l *Lake) tableDir(ref TableRef) string { return filepath.Join(l.dir, ref.Dataset, ref.Table) }

func (l *Lake) partitionDir(ref TableRef, date int32) string {
	return filepath.Join(l.tableDir(ref), partitionName(date))
}

// partitionText is how errors and logs name a partition.
func partitionText(ref TableRef, date int32) string {
	return ref.String() + "/" + schema.FormatDate(date)
}

func checkPartition(ref TableRef, date int32) error {
	if date <= schemaDate || date > lastDate {
		return fmt.Errorf("submission_date %s is outside 1970-01-02 to 9999-12-31", schema.FormatDate(date))
	}
	return ref.check()
}

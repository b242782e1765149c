package batch

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"pinglake/lake"
)

// copyJob is copy_deduplicate of one live table: the day's rows, one for each
// document_id.
func copyJob(namespace string, live lake.TableRef) *job {
	return &job{
		name:  copyName,
		out:   lake.TableRef{Dataset: namespace + stableSuffix, Table: live.Table},
		reads: []read{{table: live, window: windowDay}},
	}
}

// tagsColumn holds the request's source tags. Of the tables with request headers
// only; no other column ends so.
const tagsColumn = "metadata.header.x_source_tags"

// copyStatement selects the rows of live[date] that stay, in the order they lie in.
//
// Of the copies of an id the earliest wins, by file and row where timestamps are
// equal; ids that differ in case only are one. Rows from automation take no part, nor do rows without an id. The
// repeated ids are found first and only their rows are numbered; most days have
// none, and then nothing is joined or sorted.
func (r *Runner) copyStatement(ctx context.Context, j *job, date int32) (statement, error) {
	live := j.reads[0].table
	schema := r.options.Lake.SchemaFile(live)
	files, err := r.options.Lake.Files(live, date)
	if err != nil {
		return statement{}, err
	}
	columns, err := r.columnsOf(ctx, schema)
	if err != nil {
		return statement{}, err
	}
	keep := "document_id IS NOT NULL"
	if columns[tagsColumn] {
		keep += "\n  AND NOT coalesce(list_contains(list_transform(string_split(" + tagsColumn + ", ','), lambda tag: trim(tag)), 'automation'), false)"
	}
	candidates := "SELECT * FROM read_parquet(" + textList(append([]string{schema}, files...)) +
		", filename = 'pinglake_file', file_row_number = true, union_by_name = true, hive_partitioning = false)\nWHERE " + keep
	var repeats int64
	count := "SELECT count(*) - count(DISTINCT lower(document_id)) FROM (\n" + candidates + "\n)"
	if err := r.scan(ctx, count, nil, &repeats); err != nil {
		return statement{}, err
	}
	if repeats == 0 {
		return statement{text: "SELECT * EXCLUDE (pinglake_file, file_row_number) FROM (\n" + candidates + "\n)"}, nil
	}
	const dedup = `WITH candidates AS (
%s
),
repeated AS (
  SELECT lower(document_id) AS id FROM candidates GROUP BY lower(document_id) HAVING count(*) > 1
),
numbered AS (
  SELECT pinglake_file, file_row_number, row_number() OVER (
    PARTITION BY lower(document_id) ORDER BY submission_timestamp, pinglake_file, file_row_number) AS place
  FROM candidates
  WHERE lower(document_id) IN (SELECT id FROM repeated)
)
SELECT candidates.* EXCLUDE (pinglake_file, file_row_number)
FROM candidates
ANTI JOIN (SELECT * FROM numbered WHERE place > 1) AS later
  ON later.pinglake_file = candidates.pinglake_file AND later.file_row_number = candidates.file_row_number
ORDER BY candidates.pinglake_file, candidates.file_row_number`
	return statement{text: fmt.Sprintf(dedup, candidates)}, nil
}

// columnPaths are the columns of a file and their members, "metadata.header.date".
type columnPaths map[string]bool

func (c columnPaths) hasAll(paths []string) bool {
	for _, p := range paths {
		if !c[p] {
			return false
		}
	}
	return true
}

// columnsOf reads the column paths of a zero-row file, once as long as the file
// stays the same.
func (r *Runner) columnsOf(ctx context.Context, file string) (paths columnPaths, err error) {
	at, err := stampOf(file)
	if err != nil {
		return nil, err
	}
	key := fmt.Sprintln(file, at.size, at.modified.UnixNano())
	if known, ok := r.columns[key]; ok {
		return known, nil
	}
	rows, err := r.session.Query(ctx, "SELECT name, coalesce(num_children, 0) FROM parquet_schema(?)", file)
	if err != nil {
		return nil, fmt.Errorf("read the columns of %s: %w", file, err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	// Elements come depth first, each with the number of its children.
	type level struct {
		name string
		left int64
	}
	var stack []level
	paths = columnPaths{}
	for first := true; rows.Next(); first = false {
		var l level
		if err := rows.Scan(&l.name, &l.left); err != nil {
			return nil, err
		}
		if first {
			l.name = "" // the root
		}
		for len(stack) > 0 && stack[len(stack)-1].left == 0 {
			stack = stack[:len(stack)-1]
		}
		if len(stack) > 0 {
			stack[len(stack)-1].left--
		}
		stack = append(stack, l)
		var path []string
		for _, part := range stack[1:] {
			path = append(path, part.name)
		}
		paths[strings.Join(path, ".")] = true
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read the columns of %s: %w", file, err)
	}
	r.columns[key] = paths
	return paths, nil
}

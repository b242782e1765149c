package batch

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"pinglake/lake"
)

// statement is a query ready to be copied to a file.
type statement struct {
	text string
	args []any
}

// write replaces one partition and gives its number of rows. Until the rename in
// lake.Replace the old partition stands.
func (r *Runner) write(ctx context.Context, j *job, date int32) (rows int64, err error) {
	temp := r.options.Lake.TempFile(j.out.String() + "." + formatDate(date))
	if temp == "" {
		return 0, errors.New("the lake is open for reading only")
	}
	// The versions come before the files: rows that land in between are read now
	// and once more, never missed.
	in, err := r.tree.inputsOf(j, date)
	if err != nil {
		return 0, err
	}
	st, err := r.statement(ctx, j, date)
	if err != nil {
		return 0, err
	}
	if err := r.ensureSchema(ctx, j, st); err != nil {
		return 0, err
	}
	pairs, err := outputMetadata(j, in)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, removeTemp(temp)) }()
	if err := r.session.CopyTo(ctx, st.text, temp, pairs, st.args...); err != nil {
		return 0, err
	}
	if err := r.scan(ctx, "SELECT num_rows FROM parquet_file_metadata(?)", []any{temp}, &rows); err != nil {
		return 0, fmt.Errorf("count rows: %w", err)
	}
	if err := r.options.Lake.Replace(j.out, date, temp); err != nil {
		return 0, err
	}
	return rows, r.tree.written(j.out, date)
}

func outputMetadata(j *job, in inputs) (map[string]string, error) {
	version, err := in.version()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	return map[string]string{keyJob: j.name, keyVersion: version, keyInputs: string(text)}, nil
}

// removeTemp deletes a file unless it was renamed away.
func removeTemp(file string) error {
	if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

func (r *Runner) statement(ctx context.Context, j *job, date int32) (statement, error) {
	if j.copies() {
		return r.copyStatement(ctx, j, date)
	}
	return r.queryStatement(ctx, j, date)
}

// queryStatement narrows the views a job reads to the partitions in its windows,
// so that a query binds to a handful of files however old the lake is.
func (r *Runner) queryStatement(ctx context.Context, j *job, date int32) (statement, error) {
	var own read
	for _, in := range j.reads {
		if in.table == j.out {
			own = in
			continue
		}
		if err := r.narrow(ctx, in, date, ""); err != nil {
			return statement{}, err
		}
	}
	// Last: init.sql may read the others.
	if own.table == j.out {
		if err := r.narrow(ctx, own, date, j.init); err != nil {
			return statement{}, err
		}
	}
	const wrap = `SELECT * EXCLUDE (submission_date) FROM (
%s
)
WHERE CASE WHEN submission_date = CAST($submission_date AS DATE) THEN true
  ELSE error('the query gave a row of another submission_date') END`
	text := fmt.Sprintf(wrap, j.query)
	if len(j.clustering) > 0 {
		text += "\nORDER BY " + strings.Join(j.clustering, ", ")
	}
	return statement{text: text, args: []any{sql.Named("submission_date", formatDate(date))}}, nil
}

// narrow makes the session's view of a table show the partitions in a window. The
// columns of init are added to those of the table, which may not exist yet.
func (r *Runner) narrow(ctx context.Context, in read, date int32, init string) error {
	dates, err := r.tree.within(in, date)
	if err != nil {
		return err
	}
	var files []string
	schema := r.options.Lake.SchemaFile(in.table)
	switch _, err := os.Stat(schema); {
	case err == nil:
		files = append(files, schema)
	case !errors.Is(err, os.ErrNotExist):
		return err
	}
	for _, d := range dates {
		partition, err := r.options.Lake.Files(in.table, d)
		if err != nil {
			return err
		}
		files = append(files, partition...)
	}
	var sources []string
	if init != "" {
		sources = append(sources, "SELECT * FROM (\n"+init+"\n) LIMIT 0")
	}
	if len(files) > 0 {
		sources = append(sources, "SELECT * FROM read_parquet("+textList(files)+
			", hive_partitioning = true, hive_types = {'submission_date': DATE}, union_by_name = true)")
	}
	if len(sources) == 0 {
		return fmt.Errorf("read %s: the table has no files", in.table.String())
	}
	if err := r.session.Exec(ctx, "CREATE SCHEMA IF NOT EXISTS "+quoteName(in.table.Dataset)); err != nil {
		return err
	}
	view := "CREATE OR REPLACE VIEW " + quoteName(in.table.Dataset) + "." + quoteName(in.table.Table) +
		" AS\n(" + strings.Join(sources, ")\nUNION ALL BY NAME\n(") + ")"
	if err := r.session.Exec(ctx, view); err != nil {
		return fmt.Errorf("read %s: %w", in.table.String(), err)
	}
	return nil
}

// ensureSchema publishes the table's zero-row file before its first partition, and
// again when the columns changed.
func (r *Runner) ensureSchema(ctx context.Context, j *job, st statement) error {
	seen, err := r.schemaStamps(j)
	if err != nil {
		return err
	}
	if r.schemas[j.out] == seen {
		return nil
	}
	wanted, err := r.describe(ctx, st)
	if err != nil {
		return err
	}
	file := r.options.Lake.SchemaFile(j.out)
	current, err := r.describeFile(ctx, file)
	if err != nil {
		return err
	}
	if wanted != current {
		if err := r.replaceSchema(ctx, j, st); err != nil {
			return fmt.Errorf("write the columns: %w", err)
		}
		r.newTables = true
		if seen, err = r.schemaStamps(j); err != nil {
			return err
		}
	}
	r.schemas[j.out] = seen
	return nil
}

func (r *Runner) replaceSchema(ctx context.Context, j *job, st statement) (err error) {
	temp := r.options.Lake.TempFile(j.out.String() + ".schema")
	defer func() { err = errors.Join(err, removeTemp(temp)) }()
	if err := r.session.CopyTo(ctx, "SELECT * FROM (\n"+st.text+"\n) LIMIT 0", temp, nil, st.args...); err != nil {
		return err
	}
	return r.options.Lake.ReplaceSchema(j.out, temp)
}

// schemaStamps changes when a zero-row file does, of the job's table or of one it
// reads. Only then can the query's columns have changed.
func (r *Runner) schemaStamps(j *job) (string, error) {
	refs := []lake.TableRef{j.out}
	for _, in := range j.reads {
		refs = append(refs, in.table)
	}
	var b strings.Builder
	for _, ref := range refs {
		at, err := stampOf(r.options.Lake.SchemaFile(ref))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
		fmt.Fprintln(&b, ref.String(), at.size, at.modified.UnixNano())
	}
	return b.String(), nil
}

func (r *Runner) describe(ctx context.Context, st statement) (columns string, err error) {
	rows, err := r.session.Query(ctx, "DESCRIBE "+st.text, st.args...)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var b strings.Builder
	for rows.Next() {
		var name, kind string
		var null, key, preset, extra any
		if err := rows.Scan(&name, &kind, &null, &key, &preset, &extra); err != nil {
			return "", err
		}
		fmt.Fprintln(&b, name, kind)
	}
	return b.String(), rows.Err()
}

// describeFile is the columns of a zero-row file, "" when there is none.
func (r *Runner) describeFile(ctx context.Context, file string) (string, error) {
	if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	return r.describe(ctx, statement{text: "SELECT * FROM read_parquet(" + textList([]string{file}) + ", hive_partitioning = false)"})
}

// scan reads the one row of a query.
func (r *Runner) scan(ctx context.Context, query string, args []any, into ...any) (err error) {
	rows, err := r.session.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	if !rows.Next() {
		return errors.Join(rows.Err(), errors.New("no row"))
	}
	return errors.Join(rows.Scan(into...), rows.Err())
}

func quoteName(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func quoteText(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

func textList(texts []string) string {
	quoted := make([]string, len(texts))
	for i, text := range texts {
		quoted[i] = quoteText(text)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

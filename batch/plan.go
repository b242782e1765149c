package batch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"pinglake/lake"
)

const (
	liveSuffix   = "_live"
	stableSuffix = "_stable"
	copyName     = "copy_deduplicate"
)

// plan lists the jobs of the lake as it is now, each after those it reads from.
func (r *Runner) plan(ctx context.Context) ([]*job, error) {
	tables, err := r.options.Lake.Tables()
	if err != nil {
		return nil, fmt.Errorf("list jobs: %w", err)
	}
	var jobs []*job
	for _, live := range tables {
		if namespace, ok := strings.CutSuffix(live.Dataset, liveSuffix); ok {
			jobs = append(jobs, copyJob(namespace, live))
		}
	}
	for _, d := range r.definitions {
		namespaces, err := r.namespaces(ctx, d, tables)
		if err != nil {
			return nil, fmt.Errorf("list jobs of %s.%s: %w", d.dataset, d.table, err)
		}
		for _, namespace := range namespaces {
			j, err := d.instantiate(namespace, func(sql string) ([]lake.TableRef, error) { return r.references(ctx, sql) })
			if err != nil {
				return nil, err
			}
			jobs = append(jobs, j)
		}
	}
	if err := checkReads(jobs, tables); err != nil {
		return nil, err
	}
	return order(jobs)
}

// namespaces are those a definition has a job for; "" alone when it is not a template.
func (r *Runner) namespaces(ctx context.Context, d *definition, tables []lake.TableRef) ([]string, error) {
	if d.forEach == "" {
		return []string{""}, nil
	}
	var found []string
	for _, live := range tables {
		namespace, ok := strings.CutSuffix(live.Dataset, liveSuffix)
		if !ok || live.Table != d.forEach {
			continue
		}
		if !identifier.MatchString(namespace) {
			r.log.Warn("no derived tables for a namespace whose name needs quoting", "table", tableName(live))
			continue
		}
		columns, err := r.columnsOf(ctx, r.options.Lake.SchemaFile(live))
		if err != nil {
			return nil, err
		}
		if columns.hasAll(d.needs) {
			found = append(found, namespace)
		}
	}
	return found, nil
}

// references are the <dataset>.<table> names in a query, as DuckDB's parser sees them.
func (r *Runner) references(ctx context.Context, sql string) ([]lake.TableRef, error) {
	var text string
	err := r.scan(ctx, "SELECT CAST(json_serialize_sql(CAST(? AS VARCHAR)) AS VARCHAR)", []any{sql}, &text)
	if err != nil {
		return nil, fmt.Errorf("parse query.sql: %w", err)
	}
	var parsed struct {
		Error      bool   `json:"error"`
		Message    string `json:"error_message"`
		Statements []any  `json:"statements"`
	}
	if err := json.Unmarshal([]byte(text), &parsed); err != nil {
		return nil, fmt.Errorf("parse query.sql: %w", err)
	}
	if parsed.Error {
		return nil, fmt.Errorf("parse query.sql: %s", parsed.Message)
	}
	if len(parsed.Statements) != 1 {
		return nil, fmt.Errorf("parse query.sql: %d statements, want one SELECT", len(parsed.Statements))
	}
	seen := map[lake.TableRef]bool{}
	var refs []lake.TableRef
	walk(parsed.Statements, func(node map[string]any) {
		dataset, _ := node["schema_name"].(string)
		table, _ := node["table_name"].(string)
		ref := lake.TableRef{Dataset: dataset, Table: table}
		if node["type"] == "BASE_TABLE" && dataset != "" && !seen[ref] {
			seen[ref] = true
			refs = append(refs, ref)
		}
	})
	slices.SortFunc(refs, compareTables)
	return refs, nil
}

func walk(node any, visit func(map[string]any)) {
	switch node := node.(type) {
	case []any:
		for _, child := range node {
			walk(child, visit)
		}
	case map[string]any:
		visit(node)
		for _, child := range node {
			walk(child, visit)
		}
	}
}

func compareTables(a, b lake.TableRef) int {
	return strings.Compare(tableName(a), tableName(b))
}

// checkReads refuses two jobs for one table and a table that nobody makes.
func checkReads(jobs []*job, tables []lake.TableRef) error {
	known := map[lake.TableRef]bool{}
	for _, ref := range tables {
		known[ref] = true
	}
	made := map[lake.TableRef]bool{}
	for _, j := range jobs {
		if made[j.out] {
			return fmt.Errorf("list jobs: two jobs write %s", tableName(j.out))
		}
		made[j.out] = true
	}
	for _, j := range jobs {
		for _, in := range j.reads {
			if !known[in.table] && !made[in.table] {
				return fmt.Errorf("list jobs: %s reads %s, which is no table of the lake and no job's", tableName(j.out), tableName(in.table))
			}
		}
	}
	return nil
}

// order sorts jobs so that each comes after those whose partition of the same day
// it reads, by name where that leaves a choice.
func order(jobs []*job) ([]*job, error) {
	byTable := make(map[lake.TableRef]*job, len(jobs))
	for _, j := range jobs {
		byTable[j.out] = j
	}
	jobs = slices.SortedFunc(slices.Values(jobs), func(a, b *job) int { return compareTables(a.out, b.out) })
	var sorted []*job
	var path []string
	const entered, left = 1, 2
	state := map[*job]int{}
	var visit func(*job) error
	visit = func(j *job) error {
		path = append(path, tableName(j.out))
		defer func() { path = path[:len(path)-1] }()
		switch state[j] {
		case left:
			return nil
		case entered:
			start := slices.Index(path, tableName(j.out))
			return errors.New("jobs read each other in a cycle: " + strings.Join(path[start:], " -> "))
		}
		state[j] = entered
		for _, in := range j.reads {
			from, ok := byTable[in.table]
			if !ok || in.window.past() {
				continue
			}
			if err := visit(from); err != nil {
				return err
			}
		}
		state[j] = left
		sorted = append(sorted, j)
		return nil
	}
	for _, j := range jobs {
		if err := visit(j); err != nil {
			return nil, err
		}
	}
	return sorted, nil
}

// choose keeps the jobs that answer to name: all for "", every copy for
// copy_deduplicate, a table's name for one job an app, dataset.table for one.
func choose(jobs []*job, name string) ([]*job, error) {
	if name == "" {
		return jobs, nil
	}
	var chosen []*job
	var names []string
	for _, j := range jobs {
		if name == j.name || name == j.out.Table || name == tableName(j.out) {
			chosen = append(chosen, j)
		}
		names = append(names, tableName(j.out))
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("%w: %s (there are %s)", ErrUnknownJob, name, strings.Join(append([]string{copyName}, names...), ", "))
	}
	return chosen, nil
}

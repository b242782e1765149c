package batch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
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
// Definitions that are at fault are left out, so that they stop no other job.
func (r *Runner) plan(ctx context.Context) (jobs []*job, faults []error, err error) {
	tables, err := r.options.Lake.Tables()
	if err != nil {
		return nil, nil, fmt.Errorf("list jobs: %w", err)
	}
	for _, live := range tables {
		if namespace, ok := strings.CutSuffix(live.Dataset, liveSuffix); ok {
			jobs = append(jobs, copyJob(namespace, live))
		}
	}
	for _, d := range r.definitions {
		namespaces, err := r.namespaces(ctx, d, tables)
		if err != nil {
			return nil, nil, fmt.Errorf("list jobs of %s.%s: %w", d.dataset, d.table, err)
		}
		for _, namespace := range namespaces {
			j, err := d.instantiate(namespace, func(sql string) ([]lake.TableRef, error) { return r.references(ctx, sql) })
			if err != nil {
				faults = append(faults, err)
				continue
			}
			jobs = append(jobs, j)
		}
	}
	sorted, wrong := order(jobs, tables)
	return sorted, append(faults, wrong...), nil
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
			r.log.Warn("no derived tables for a namespace whose name needs quoting", "table", live.String())
			continue
		}
		columns, err := r.columnsOf(ctx, r.options.Lake.SchemaFile(live))
		if errors.Is(err, fs.ErrNotExist) {
			continue // the table is being made
		}
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
	return strings.Compare(a.String(), b.String())
}

// order sorts jobs so that each comes after those whose partition of the same day
// it reads, by name where that leaves a choice. Jobs that cannot run are left out:
// those in a cycle, those that read a table nobody makes, a second job for a table,
// and those that read from such a job.
func order(jobs []*job, tables []lake.TableRef) (sorted []*job, faults []error) {
	o := orderer{made: map[lake.TableRef]*job{}, known: map[lake.TableRef]bool{}, state: map[*job]progress{}}
	for _, ref := range tables {
		o.known[ref] = true
	}
	for _, j := range jobs {
		if o.made[j.out] != nil {
			o.faults = append(o.faults, fmt.Errorf("two jobs write %s", j.out))
			continue
		}
		o.made[j.out] = j
	}
	for _, ref := range slices.SortedFunc(maps.Keys(o.made), compareTables) {
		o.visit(o.made[ref])
	}
	return o.sorted, o.faults
}

type progress int

const (
	entered progress = iota + 1 // and not left: on the path
	sound
	unsound
)

type orderer struct {
	made   map[lake.TableRef]*job
	known  map[lake.TableRef]bool
	state  map[*job]progress
	path   []string
	sorted []*job
	faults []error
}

func (o *orderer) visit(j *job) bool {
	o.path = append(o.path, j.out.String())
	defer func() { o.path = o.path[:len(o.path)-1] }()
	switch o.state[j] {
	case sound, unsound:
		return o.state[j] == sound
	case entered:
		start := slices.Index(o.path, j.out.String())
		o.faults = append(o.faults, errors.New("jobs read each other in a cycle: "+strings.Join(o.path[start:], " -> ")))
		return false
	}
	o.state[j] = entered
	for _, in := range j.reads {
		if !o.readable(j, in) {
			o.state[j] = unsound
			return false
		}
	}
	o.state[j] = sound
	o.sorted = append(o.sorted, j)
	return true
}

func (o *orderer) readable(j *job, in read) bool {
	from := o.made[in.table]
	switch {
	case from == nil && !o.known[in.table]:
		o.faults = append(o.faults, fmt.Errorf("%s reads %s, which is no table of the lake and no job's", j.out, in.table))
		return false
	case from == nil || in.window.past():
		return true
	}
	return o.visit(from)
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
		if name == j.name || name == j.out.Table || name == j.out.String() {
			chosen = append(chosen, j)
		}
		names = append(names, j.out.String())
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("%w: %s (there are %s)", ErrUnknownJob, name, strings.Join(append([]string{copyName}, names...), ", "))
	}
	return chosen, nil
}

package batch

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"
	"text/template"

	"go.yaml.in/yaml/v3"

	"pinglake/lake"
)

//go:embed sql
var embedded embed.FS

func builtin() fs.FS {
	sub, err := fs.Sub(embedded, "sql")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	return sub
}

// window says which partitions of a table a job for date D reads.
type window string

const (
	windowDay      window = "day"      // D, which must exist. The default
	windowPrevious window = "previous" // D-1, if it exists
	windowBefore   window = "before"   // every partition earlier than D
	windowUntil    window = "until"    // every partition not later than D
)

// past tells windows that leave out D: they make no order within a day.
func (w window) past() bool { return w == windowPrevious || w == windowBefore }

// metadata is metadata.yaml.
type metadata struct {
	FriendlyName string            `yaml:"friendly_name"`
	Description  string            `yaml:"description"`
	Owners       []string          `yaml:"owners"`
	Labels       map[string]string `yaml:"labels"`
	// ForEach makes one job for each namespace that has this live table.
	ForEach string `yaml:"for_each"`
	// Needs are the column paths that live table must have.
	Needs []string `yaml:"needs"`
	// DependsOnPast is true for a job that reads its own earlier partitions.
	DependsOnPast bool `yaml:"depends_on_past"`
	// Reads gives the window of each table that is not read at D alone.
	Reads map[string]window `yaml:"reads"`
	// Clustering orders the rows of a partition.
	Clustering []string `yaml:"clustering"`
}

// namespaceFolder stands for the namespace in the dataset of a for_each job.
const namespaceFolder = "glean_app"

// identifier is what may be put into a template: nothing that needs quoting.
var identifier = regexp.MustCompile(`^[a-z_][a-z0-9_]*$`)

// definition is one folder of jobs: the templates of its files.
type definition struct {
	dataset, table string
	forEach        string
	needs          []string
	metadata       *template.Template
	query          *template.Template
	init           *template.Template // nil without init.sql
}

// job is one table and how a partition of it is made.
type job struct {
	name       string
	out        lake.TableRef
	reads      []read
	query      string // "" for copy_deduplicate
	init       string // its own columns before there is a partition; "" if it never reads itself
	clustering []string
}

// read is one table a job reads.
type read struct {
	table  lake.TableRef
	window window
}

func (j *job) copies() bool { return j.query == "" }

func (j *job) partition(date int32) string { return j.out.String() + "/" + formatDate(date) }

func loadDefinitions(root fs.FS) ([]*definition, error) {
	files, err := fs.Glob(root, "*/*/metadata.yaml")
	if err != nil {
		return nil, err
	}
	var all []*definition
	for _, file := range files {
		d, err := loadDefinition(root, path.Dir(file))
		if err != nil {
			return nil, fmt.Errorf("read job %s: %w", path.Dir(file), err)
		}
		all = append(all, d)
	}
	return all, nil
}

func loadDefinition(root fs.FS, dir string) (*definition, error) {
	d := &definition{dataset: path.Dir(dir), table: path.Base(dir)}
	var err error
	if d.metadata, err = loadTemplate(root, path.Join(dir, "metadata.yaml")); err != nil {
		return nil, err
	}
	if d.query, err = loadTemplate(root, path.Join(dir, "query.sql")); err != nil {
		return nil, err
	}
	d.init, err = loadTemplate(root, path.Join(dir, "init.sql"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if !identifier.MatchString(d.dataset) || !identifier.MatchString(d.table) {
		return nil, fmt.Errorf("the folders' names must match %s", identifier)
	}
	m, err := d.describe(namespaceFolder)
	if err != nil {
		return nil, err
	}
	d.forEach, d.needs = m.ForEach, m.Needs
	if d.forEach != "" && !strings.HasPrefix(d.dataset, namespaceFolder+"_") {
		return nil, fmt.Errorf("for_each needs a dataset folder that begins with %s_", namespaceFolder)
	}
	return d, nil
}

func loadTemplate(root fs.FS, file string) (*template.Template, error) {
	text, err := fs.ReadFile(root, file)
	if err != nil {
		return nil, err
	}
	return template.New(path.Base(file)).Option("missingkey=error").Parse(string(text))
}

func render(t *template.Template, namespace string) (string, error) {
	var b strings.Builder
	if err := t.Execute(&b, map[string]string{"namespace": namespace}); err != nil {
		return "", err
	}
	return b.String(), nil
}

func (d *definition) describe(namespace string) (*metadata, error) {
	text, err := render(d.metadata, namespace)
	if err != nil {
		return nil, err
	}
	decoder := yaml.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.KnownFields(true)
	var m metadata
	if err := decoder.Decode(&m); err != nil {
		return nil, fmt.Errorf("metadata.yaml: %w", err)
	}
	for table, w := range m.Reads {
		switch w {
		case windowDay, windowPrevious, windowBefore, windowUntil:
		default:
			return nil, fmt.Errorf("metadata.yaml: reads: %s: %q is no window (day, previous, before, until)", table, w)
		}
	}
	for _, column := range m.Clustering {
		if !identifier.MatchString(column) {
			return nil, fmt.Errorf("metadata.yaml: clustering: %q is no column name", column)
		}
	}
	return &m, nil
}

// instantiate makes the job of a namespace; tables are those its SQL mentions.
func (d *definition) instantiate(namespace string, tables func(sql string) ([]lake.TableRef, error)) (*job, error) {
	dataset := d.dataset
	if d.forEach != "" {
		dataset = namespace + strings.TrimPrefix(d.dataset, namespaceFolder)
	}
	j := &job{name: d.table, out: lake.TableRef{Dataset: dataset, Table: d.table}}
	m, err := d.describe(namespace)
	if err != nil {
		return nil, fmt.Errorf("read job %s: %w", j.out.String(), err)
	}
	j.clustering = m.Clustering
	if j.query, err = render(d.query, namespace); err != nil {
		return nil, fmt.Errorf("read job %s: %w", j.out.String(), err)
	}
	j.query = strings.TrimRight(j.query, "; \n\t")
	if d.init != nil {
		if j.init, err = render(d.init, namespace); err != nil {
			return nil, fmt.Errorf("read job %s: %w", j.out.String(), err)
		}
		j.init = strings.TrimRight(j.init, "; \n\t")
	}
	if err := j.resolve(m, tables); err != nil {
		return nil, fmt.Errorf("read job %s: %w", j.out.String(), err)
	}
	return j, nil
}

// resolve finds what the job reads and holds metadata.yaml against it.
func (j *job) resolve(m *metadata, tables func(sql string) ([]lake.TableRef, error)) error {
	refs, err := tables(j.query)
	if err != nil {
		return err
	}
	unused := make(map[string]window, len(m.Reads))
	for table, w := range m.Reads {
		unused[table] = w
	}
	ownPast, today := false, false
	for _, ref := range refs {
		r := read{table: ref, window: windowDay}
		if w, ok := m.Reads[ref.String()]; ok {
			r.window = w
			delete(unused, ref.String())
		}
		ownPast = ownPast || ref == j.out && r.window.past()
		today = today || r.window == windowDay && ref != j.out
		j.reads = append(j.reads, r)
	}
	for table := range unused {
		return fmt.Errorf("metadata.yaml: reads: query.sql does not read %s", table)
	}
	switch {
	case !today:
		return errors.New("the query reads no table at submission_date, so nothing says on which days to run")
	case ownPast != m.DependsOnPast:
		return fmt.Errorf("metadata.yaml: depends_on_past is %t, by its reads it must be %t", m.DependsOnPast, ownPast)
	case ownPast && j.init == "":
		return errors.New("a job that reads itself needs an init.sql with its columns")
	}
	return nil
}

package query

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"pinglake/lake"
)

// Options bound a session. The zero value takes DuckDB's own bounds.
type Options struct {
	// Memory is what DuckDB may hold, as DuckDB writes it: "2GB". Beyond it,
	// it spills into TempDir.
	Memory string
	// Threads is how many threads a query may use, 0 for one a core.
	Threads int
	// TempDir is made when something spills, and removed after. "" is a folder
	// of the process in the system's temporary folder.
	TempDir string
}

// Session is an in-memory DuckDB with a view for each table of a lake. It is safe
// for concurrent use; its connections share the database.
type Session struct {
	lake *lake.Lake
	db   *sql.DB

	mu      sync.Mutex
	applied map[string]statement
	order   []string // keys of applied, in the order made
	faults  []error
}

// Open starts a session over the lake. Views that cannot be made, say because
// of a damaged file, are left out and told by [Session.Faults].
func Open(ctx context.Context, l *lake.Lake, o Options) (*Session, error) {
	if o.Threads < 0 {
		return nil, fmt.Errorf("opening duckdb: %d threads", o.Threads)
	}
	settings := url.Values{
		"autoinstall_known_extensions": {"false"},
		"autoload_known_extensions":    {"false"},
		"temp_directory":               {cmp.Or(o.TempDir, filepath.Join(os.TempDir(), "pinglake-duckdb-"+strconv.Itoa(os.Getpid())))},
	}
	if o.Memory != "" {
		settings.Set("memory_limit", o.Memory)
	}
	if o.Threads > 0 {
		settings.Set("threads", strconv.Itoa(o.Threads))
	}
	connector, err := duckdb.NewConnector("?"+settings.Encode(), nil)
	if err != nil {
		return nil, fmt.Errorf("opening duckdb: %w", err)
	}
	s := &Session{lake: l, db: sql.OpenDB(connector), applied: map[string]statement{}}
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(err, s.db.Close())
	}
	return s, nil
}

func (s *Session) prepare(ctx context.Context) error {
	if err := s.Exec(ctx, "SET GLOBAL TimeZone = 'UTC'"); err != nil {
		return err
	}
	statements, err := mozfun()
	if err != nil {
		return err
	}
	for _, st := range statements {
		if err := s.Exec(ctx, st.text); err != nil {
			return fmt.Errorf("making %s: %w", st.key, err)
		}
	}
	return s.Refresh(ctx)
}

// Refresh makes the views agree with the tables of the tree. Views whose text is
// unchanged are not touched.
func (s *Session) Refresh(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	wanted, err := plan(s.lake)
	if err != nil {
		return err
	}
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("refreshing views: %w", err)
	}
	defer conn.Close()
	if err := s.dropLocked(ctx, conn, wanted); err != nil {
		return err
	}
	changed := slices.DeleteFunc(wanted, func(st statement) bool { return s.applied[st.key] == st })
	made, faults, err := apply(ctx, conn, changed)
	for _, st := range made {
		if _, ok := s.applied[st.key]; !ok {
			s.order = append(s.order, st.key)
		}
		s.applied[st.key] = st
	}
	s.faults = faults
	return err
}

// dropLocked drops what is no longer wanted, the last made first.
func (s *Session) dropLocked(ctx context.Context, conn *sql.Conn, wanted []statement) error {
	keep := make(map[string]bool, len(wanted))
	for _, st := range wanted {
		keep[st.key] = true
	}
	for _, key := range slices.Backward(slices.Clone(s.order)) {
		st := s.applied[key]
		if keep[key] || st.drop == "" {
			continue
		}
		if _, err := conn.ExecContext(ctx, st.drop); err != nil {
			return fmt.Errorf("dropping %s: %w", key, err)
		}
		delete(s.applied, key)
		s.order = slices.DeleteFunc(s.order, func(k string) bool { return k == key })
	}
	return nil
}

// Faults are the views that the last Refresh could not make, and why.
func (s *Session) Faults() []error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.faults)
}

// Exec runs statements whose rows nobody wants. Arguments are given by name:
// sql.Named("submission_date", date) is $submission_date. A time.Time at midnight
// UTC is a DATE, any other a TIMESTAMP.
func (s *Session) Exec(ctx context.Context, query string, args ...any) error {
	_, err := s.db.ExecContext(ctx, query, typed(args)...)
	return err
}

// Query runs one statement. Arguments are as in [Session.Exec].
func (s *Session) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return s.db.QueryContext(ctx, query, typed(args)...)
}

// typed gives times the type that a day or a moment of the lake has. DuckDB cannot
// always tell: in $submission_date - 1 the driver would choose a time with a zone.
func typed(args []any) []any {
	all := slices.Clone(args)
	for i, arg := range all {
		named, isNamed := arg.(sql.NamedArg)
		if isNamed {
			arg = named.Value
		}
		at, ok := arg.(time.Time)
		if !ok {
			continue
		}
		at = at.UTC()
		value := duckdb.Typed(at, duckdb.TYPE_TIMESTAMP)
		if at.Equal(at.Truncate(24 * time.Hour)) {
			value = duckdb.Typed(at, duckdb.TYPE_DATE)
		}
		all[i] = value
		if isNamed {
			all[i] = sql.Named(named.Name, value)
		}
	}
	return all
}

// Close ends the session and frees its memory.
func (s *Session) Close() error { return s.db.Close() }

// plan reads the tree and writes its DDL. A table whose zero-row file is missing
// is being made and is left for the next time.
func plan(l *lake.Lake) ([]statement, error) {
	refs, err := l.Tables()
	if err != nil {
		return nil, err
	}
	var tables []table
	for _, ref := range refs {
		content, err := os.ReadFile(l.SchemaFile(ref))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("reading the columns of %s.%s: %w", ref.Dataset, ref.Table, err)
		}
		tables = append(tables, newTable(ref, content))
	}
	dir, err := filepath.Abs(l.Dir())
	if err != nil {
		return nil, fmt.Errorf("lake folder %s: %w", l.Dir(), err)
	}
	return ddl(dir, tables)
}

// apply runs DDL on one connection and gives what was made and the faults of
// single views. Any other fault is the error.
func apply(ctx context.Context, conn *sql.Conn, statements []statement) (made []statement, faults []error, err error) {
	if len(statements) == 0 {
		return nil, nil, nil
	}
	if _, err := conn.ExecContext(ctx, "SET VARIABLE "+bindVariable+" = '"+schemaDay+"'"); err != nil {
		return nil, nil, err
	}
	defer func() {
		// Also after a cancel: the connection goes back to the pool.
		_, resetErr := conn.ExecContext(context.WithoutCancel(ctx), "RESET VARIABLE "+bindVariable)
		err = errors.Join(err, resetErr)
	}()
	for _, st := range statements {
		_, execErr := conn.ExecContext(ctx, st.text)
		switch {
		case execErr == nil:
			made = append(made, st)
		case st.drop == "" || ctx.Err() != nil:
			return made, faults, fmt.Errorf("making %s: %w", st.key, execErr)
		default:
			faults = append(faults, fmt.Errorf("making %s: %w", st.key, execErr))
		}
	}
	return made, faults, nil
}

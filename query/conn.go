package query

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"

	"github.com/duckdb/duckdb-go/v2"
)

// Conn is one connection of a session, for a person at a prompt: settings,
// transactions and temporary tables last as long as it does. It is not safe for
// concurrent use.
type Conn struct {
	conn *sql.Conn
}

// Conn takes a connection for oneself. Close gives it back.
func (s *Session) Conn(ctx context.Context) (*Conn, error) {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("connecting to duckdb: %w", err)
	}
	return &Conn{conn}, nil
}

// Close ends the connection with whatever was set on it.
func (c *Conn) Close() error {
	// ErrBadConn keeps a connection with its settings out of the pool.
	if err := c.conn.Raw(func(any) error { return driver.ErrBadConn }); err != nil && !errors.Is(err, driver.ErrBadConn) {
		return err
	}
	if err := c.conn.Close(); err != nil && !errors.Is(err, sql.ErrConnDone) {
		return err
	}
	return nil
}

// Form is how values are written.
type Form uint8

const (
	Text Form = iota // as DuckDB casts to VARCHAR
	JSON             // as DuckDB's shell writes JSON, but for NaN and infinities, which are null
)

// Column is a column of a result.
type Column struct {
	Name string
	Type string // DuckDB's name: BIGINT, STRUCT(a INTEGER, b VARCHAR)[]
}

// Rows is the result of a statement, every value a text. A statement that has no
// rows to show has no Columns.
type Rows struct {
	Columns []Column
	Explain bool // the rows are plans: name and picture

	form  Form
	rows  *sql.Rows
	stmt  *sql.Stmt // of a wrapped query, nil otherwise
	cells []sql.NullString
	into  []any
}

// Run runs one statement, without its semicolon. Values are written by DuckDB
// itself: a query is wrapped in another that casts its columns. Statements that
// cannot be wrapped have few types, and those are written here.
func (c *Conn) Run(ctx context.Context, statement string, form Form) (*Rows, error) {
	shape, err := c.describe(ctx, statement)
	if err != nil {
		return nil, err
	}
	if shape.kind == duckdb.STATEMENT_TYPE_SELECT && len(shape.columns) > 0 {
		if wrapped, err := c.conn.PrepareContext(ctx, wrap(statement, shape.columns, form)); err == nil {
			rows, err := wrapped.QueryContext(ctx)
			if err != nil {
				return nil, errors.Join(err, wrapped.Close())
			}
			return newRows(rows, wrapped, shape, form), nil
		}
	}
	rows, err := c.conn.QueryContext(ctx, statement)
	if err != nil {
		return nil, err
	}
	return newRows(rows, nil, shape, form), nil
}

// shape is what is known of a statement before it runs.
type shape struct {
	kind    duckdb.StmtType
	columns []Column
}

// describe prepares a statement without running it. A statement that DuckDB
// expands into several (PIVOT, IMPORT DATABASE) has all but the last run here.
func (c *Conn) describe(ctx context.Context, statement string) (shape, error) {
	var found shape
	err := c.conn.Raw(func(driverConn any) error {
		prepared, err := driverConn.(driver.ConnPrepareContext).PrepareContext(ctx, statement)
		if err != nil {
			return err
		}
		stmt := prepared.(*duckdb.Stmt)
		found, err = shapeOf(stmt)
		return errors.Join(err, stmt.Close())
	})
	return found, err
}

func shapeOf(stmt *duckdb.Stmt) (shape, error) {
	kind, err := stmt.StatementType()
	if err != nil {
		return shape{}, err
	}
	count, err := stmt.ColumnCount()
	if err != nil {
		return shape{}, err
	}
	s := shape{kind: kind}
	for i := range count {
		name, err := stmt.ColumnName(i)
		if err != nil {
			return shape{}, err
		}
		column := Column{Name: name, Type: "UNKNOWN"}
		if info, err := stmt.ColumnTypeInfo(i); err == nil {
			column.Type = typeName(info)
		}
		s.columns = append(s.columns, column)
	}
	return s, nil
}

// isShown says whether a statement of this kind answers with rows worth showing.
// DuckDB gives counts and empty results for all others.
func (s shape) isShown() bool {
	switch s.kind {
	case duckdb.STATEMENT_TYPE_SELECT, duckdb.STATEMENT_TYPE_EXPLAIN:
		return true
	case duckdb.STATEMENT_TYPE_INSERT, duckdb.STATEMENT_TYPE_UPDATE, duckdb.STATEMENT_TYPE_DELETE,
		duckdb.STATEMENT_TYPE_CALL, duckdb.STATEMENT_TYPE_EXECUTE, duckdb.STATEMENT_TYPE_PRAGMA,
		duckdb.STATEMENT_TYPE_RELATION, duckdb.STATEMENT_TYPE_LOGICAL_PLAN, duckdb.STATEMENT_TYPE_MULTI:
		return len(s.columns) != 1 || (s.columns[0].Name != "Count" && s.columns[0].Name != "Success")
	}
	return false
}

// wrap keeps the order of rows: DuckDB does not reorder below a projection.
func wrap(statement string, columns []Column, form Form) string {
	casts, names := make([]string, len(columns)), make([]string, len(columns))
	for i, c := range columns {
		names[i] = fmt.Sprintf("c%d", i)
		casts[i] = castTo(names[i], c.Type, form)
	}
	return "SELECT " + strings.Join(casts, ", ") + " FROM (\n" + statement + "\n) AS r(" + strings.Join(names, ", ") + ")"
}

func castTo(name, typ string, form Form) string {
	text := "CAST(" + name + " AS VARCHAR)"
	switch {
	case form == Text || typ == "JSON":
		return text
	case strings.HasSuffix(typ, "HUGEINT") || typ == "BIGNUM" || (strings.HasPrefix(typ, "DECIMAL(") && strings.HasSuffix(typ, ")")):
		// More digits than a JSON reader keeps: a string, as DuckDB's shell does.
		return "CAST(to_json(" + text + ") AS VARCHAR)"
	}
	return "CAST(to_json(" + name + ") AS VARCHAR)"
}

func newRows(rows *sql.Rows, stmt *sql.Stmt, s shape, form Form) *Rows {
	r := &Rows{form: form, rows: rows, stmt: stmt}
	if s.isShown() {
		r.Columns = s.columns
		r.Explain = s.kind == duckdb.STATEMENT_TYPE_EXPLAIN
	}
	r.cells = make([]sql.NullString, len(s.columns))
	r.into = make([]any, len(s.columns))
	for i := range r.into {
		if stmt != nil {
			r.into[i] = &r.cells[i]
		} else {
			r.into[i] = new(any)
		}
	}
	return r
}

// Next gives the next row, or nil after the last one. A null is an invalid
// NullString. The row is overwritten by the next call.
func (r *Rows) Next() ([]sql.NullString, error) {
	if len(r.Columns) == 0 || !r.rows.Next() {
		return nil, r.rows.Err()
	}
	if err := r.rows.Scan(r.into...); err != nil {
		return nil, err
	}
	for i := range r.cells {
		if r.stmt == nil {
			r.cells[i] = nativeText(*r.into[i].(*any), r.Columns[i].Type, r.form)
		}
		if r.form == JSON && r.cells[i].Valid {
			r.cells[i].String = finiteJSON(r.cells[i].String)
		}
	}
	return r.cells, nil
}

// Close ends the statement.
func (r *Rows) Close() error {
	err := r.rows.Close()
	if r.stmt != nil {
		err = errors.Join(err, r.stmt.Close())
	}
	return err
}

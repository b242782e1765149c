package query

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/duckdb/duckdb-go/v2"

	"pinglake/lake"
)

const (
	catalogFile = "lake.duckdb"
	scriptFile  = "init.sql"
)

const scriptHead = `-- pinglake catalog 1: views and macros over the Parquet files of this folder.
-- Made by pinglake; use it with: duckdb -init init.sql, or open lake.duckdb -readonly.
`

// WriteCatalog writes lake.duckdb and init.sql into the lake's folder, each by
// rename, if they do not say already what they should. Readers keep the file they
// have open. What can be made is written even if some views cannot; the error then
// names those.
func WriteCatalog(ctx context.Context, l *lake.Lake) error {
	statements, err := plan(l)
	if err != nil {
		return err
	}
	dir := l.Dir()
	script, err := scriptText(statements)
	if err != nil {
		return err
	}
	if isWritten(dir, script) {
		return nil
	}
	// A neighbour of the lake: on its file system, out of reach of its globs.
	temp, err := os.MkdirTemp(filepath.Dir(filepath.Clean(dir)), ".catalog-*")
	if err != nil {
		return fmt.Errorf("writing the catalog: %w", err)
	}
	defer os.RemoveAll(temp)
	made, faults, err := writeDatabase(ctx, filepath.Join(temp, catalogFile), statements)
	if err != nil {
		return fmt.Errorf("writing %s: %w", catalogFile, err)
	}
	if len(faults) > 0 {
		if script, err = scriptText(made); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(temp, scriptFile), script, 0o644); err != nil {
		return fmt.Errorf("writing %s: %w", scriptFile, err)
	}
	// init.sql comes last: it is what says that both are up to date.
	for _, name := range []string{catalogFile, scriptFile} {
		if err := publish(filepath.Join(temp, name), filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("writing %s: %w", name, err)
		}
	}
	return errors.Join(faults...)
}

func isWritten(dir string, script []byte) bool {
	old, err := os.ReadFile(filepath.Join(dir, scriptFile))
	if err != nil || !bytes.Equal(old, script) {
		return false
	}
	_, err = os.Stat(filepath.Join(dir, catalogFile))
	return err == nil
}

func scriptText(statements []statement) ([]byte, error) {
	more, err := mozfun()
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	b.WriteString(scriptHead)
	b.WriteString("\nSET VARIABLE " + bindVariable + " = '" + schemaDay + "'; -- see no files but the zero-row ones while views are made\n")
	for _, st := range append(statements[:len(statements):len(statements)], more...) {
		b.WriteString("\n" + st.text)
	}
	b.WriteString("\nRESET VARIABLE " + bindVariable + ";\n")
	return []byte(b.String()), nil
}

// writeDatabase makes a database file holding nothing but DDL.
func writeDatabase(ctx context.Context, file string, statements []statement) (made []statement, faults []error, err error) {
	connector, err := duckdb.NewConnector("?autoinstall_known_extensions=false&autoload_known_extensions=false", nil)
	if err != nil {
		return nil, nil, err
	}
	db := sql.OpenDB(connector)
	defer func() { err = errors.Join(err, db.Close()) }()
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	// Attached, not opened: a path in a data source name would be read as a URL.
	if _, err := conn.ExecContext(ctx, "ATTACH "+quoteText(file)+" AS lake; USE lake"); err != nil {
		return nil, nil, err
	}
	made, faults, err = apply(ctx, conn, statements)
	if err != nil {
		return nil, nil, err
	}
	_, err = conn.ExecContext(ctx, "USE memory; DETACH lake") // writes everything out
	return made, faults, err
}

// publish makes a file durable, read-only and visible under its name.
func publish(temp, name string) error {
	f, err := os.Open(temp)
	if err != nil {
		return err
	}
	err = errors.Join(f.Chmod(0o444), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	if err := os.Rename(temp, name); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(name))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

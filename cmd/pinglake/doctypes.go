package main

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"pinglake/ingest"
	"pinglake/lake"
	"pinglake/lake/schema"
)

// doctypes are the registry's, but for those whose tables in the lake have other
// columns: their pings are refused, and can be replayed, until the schema is
// mended. One bad schema stops no other.
type doctypes struct {
	*schema.Registry
	lake   *lake.Lake
	logger *slog.Logger

	mu      sync.RWMutex
	refused map[string]error // by table
}

// Lookup is the registry's, less the refused.
func (d *doctypes) Lookup(namespace, doctype, version string) (*schema.Doctype, error) {
	found, err := d.Registry.Lookup(namespace, doctype, version)
	if err != nil {
		return nil, err
	}
	table, err := found.Table()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", schema.ErrUnknownVersion, err)
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	if err := d.refused[table.String()]; err != nil {
		return nil, fmt.Errorf("%w: %w", schema.ErrUnknownVersion, err)
	}
	return found, nil
}

// ensureTables makes the live and stable tables of the given doctypes.
func (d *doctypes) ensureTables(all []*schema.Doctype) error {
	var faults []error
	for _, doctype := range all {
		live, err := doctype.Table()
		if err != nil {
			d.logger.Warn("a schema gives no table", "schema", doctype.String(), "err", err)
			continue
		}
		err = d.lake.EnsureTable(live)
		if err == nil {
			err = d.lake.EnsureTable(stableOf(live))
		}
		if err != nil && !errors.Is(err, lake.ErrIncompatible) {
			faults = append(faults, err)
			continue
		}
		if err != nil {
			err = fmt.Errorf("%w; publish the schema as a new version", err)
			d.logger.Error("pings are refused", "schema", doctype.String(), "err", err)
		}
		d.mu.Lock()
		if d.refused[live.String()] = err; err == nil {
			delete(d.refused, live.String())
		}
		d.mu.Unlock()
	}
	return errors.Join(faults...)
}

// ensureSystemTables makes the tables that every lake has.
func (d *doctypes) ensureSystemTables() error {
	for _, family := range ingest.Families() {
		if err := errors.Join(d.lake.EnsureTable(schema.Raw(family)), d.lake.EnsureTable(schema.Errors(family))); err != nil {
			return err
		}
	}
	return nil
}

// learnTables tells the registry which pings of Glean apps have come before.
func (d *doctypes) learnTables() error {
	refs, err := d.lake.Tables()
	if err != nil {
		return err
	}
	for _, ref := range refs {
		namespace, live := strings.CutSuffix(ref.Dataset, "_live")
		doctype, v1 := strings.CutSuffix(ref.Table, "_v1")
		if live && v1 {
			d.Learn(namespace, doctype)
		}
	}
	return nil
}

func stableOf(live *schema.Table) *schema.Table {
	return live.In(strings.TrimSuffix(live.Dataset, "_live") + "_stable")
}

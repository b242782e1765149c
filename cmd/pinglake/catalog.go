package main

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"pinglake/lake"
	"pinglake/lake/schema"
	"pinglake/query"
)

func (a *app) catalogCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "catalog", Short: "Write lake.duckdb and init.sql again", Args: cobra.NoArgs,
		Long: `catalog writes the views of the lake into lake.duckdb and init.sql. The daemon does
so by itself; this is for a data folder that was moved, since views name their
files by absolute paths.`,
		Example: "  pinglake catalog --data /srv/moved",
		RunE: func(cmd *cobra.Command, _ []string) error {
			settings, _, err := a.load(cmd)
			if err != nil {
				return err
			}
			tables, err := openLakeToRead(settings)
			if err != nil {
				return err
			}
			if err := query.WriteCatalog(cmd.Context(), tables); err != nil {
				return err
			}
			fmt.Fprintln(a.out, filepath.Join(tables.Dir(), "lake.duckdb"))
			return nil
		},
	}
	a.addFlags(cmd, flagData)
	return cmd
}

// catalog keeps lake.duckdb and init.sql true while tables come and go.
type catalog struct {
	lake   *lake.Lake
	logger *slog.Logger
	dirty  chan struct{}
}

func newCatalog(logger *slog.Logger) *catalog {
	return &catalog{logger: logger, dirty: make(chan struct{}, 1)}
}

// changed asks for a new catalog. It never blocks.
func (c *catalog) changed() {
	select {
	case c.dirty <- struct{}{}:
	default:
	}
}

// tableMade is told of each table the lake makes or widens. A live table brings
// its stable one.
func (c *catalog) tableMade(table *schema.Table) {
	if strings.HasSuffix(table.Dataset, "_live") {
		if err := c.lake.EnsureTable(stableOf(table)); err != nil {
			c.logger.Error("make a stable table", "err", err)
		}
	}
	c.changed()
}

// write writes the catalog now.
func (c *catalog) write(ctx context.Context) error { return query.WriteCatalog(ctx, c.lake) }

// run writes the catalog whenever it is asked for, until stop is done.
func (c *catalog) run(stop context.Context) error {
	for {
		select {
		case <-c.dirty:
		case <-stop.Done():
			return nil
		}
		if err := c.write(context.WithoutCancel(stop)); err != nil {
			c.logger.Error("write the catalog", "err", err)
		}
	}
}

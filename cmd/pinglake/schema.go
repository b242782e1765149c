package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"pinglake/lake/schema"
)

func (a *app) schemaCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "schema",
		Short: "See and add the kinds of pings that are taken",
		Long: `Each kind of ping is a JSON Schema, <namespace>/<doctype>/<doctype>.<version>.schema.json
in the schemas folder. It gives the endpoint, the live and stable tables and the
view. A registered Glean app needs no file: all its pings share the Glean schema.

A running daemon sees changes by itself.`,
		Example: "  pinglake schema add-app my-shop\n  pinglake schema list\n  pinglake schema show my-shop/baseline/1",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.schemaListCommand(), a.schemaCheckCommand(), a.schemaShowCommand(), a.schemaAddAppCommand())
	return cmd
}

// registry opens the schemas that a command's settings name.
func (a *app) registry(cmd *cobra.Command) (*schema.Registry, error) {
	settings, logger, err := a.load(cmd)
	if err != nil {
		return nil, err
	}
	return openSchemas(settings, logger)
}

func (a *app) schemaListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: "List the known pings and their tables", Example: "  pinglake schema list --json", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			registry, err := a.registry(cmd)
			if err != nil {
				return err
			}
			return a.listSchemas(registry, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line")
	a.addFlags(cmd, flagData, flagSchemas)
	return cmd
}

func (a *app) listSchemas(registry *schema.Registry, asJSON bool) error {
	type entry struct {
		Ping    string `json:"ping"`
		Table   string `json:"table"`
		Columns int    `json:"columns"`
	}
	var entries []entry
	for _, d := range registry.Doctypes() {
		table, err := d.Table()
		if err != nil {
			return err
		}
		entries = append(entries, entry{d.String(), table.String(), len(table.Leaves())})
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.Ping, b.Ping) })
	if asJSON {
		for _, e := range entries {
			if err := jsonLine(a.out, e); err != nil {
				return err
			}
		}
		return nil
	}
	out := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "PING\tTABLE\tLEAF COLUMNS")
	for _, e := range entries {
		fmt.Fprintf(out, "%s\t%s\t%d\n", e.Ping, e.Table, e.Columns)
	}
	return out.Flush()
}

func (a *app) schemaCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use: "check DIR", Short: "Read every schema of a folder and name the faults", Args: cobra.ExactArgs(1),
		Example: "  pinglake schema check ./schemas",
		RunE: func(_ *cobra.Command, args []string) error {
			if _, err := os.Stat(args[0]); err != nil {
				return usageError{err}
			}
			registry, err := schema.Open(schema.Options{Dir: args[0]})
			if err != nil {
				return err
			}
			pings := len(registry.Doctypes())
			faults := registry.Faults()
			for _, fault := range faults {
				fmt.Fprintln(a.err, fault)
			}
			fmt.Fprintf(a.out, "%d pings, %d faults\n", pings, len(faults))
			if len(faults) > 0 {
				return errShown
			}
			return nil
		},
	}
}

func (a *app) schemaShowCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "show NAMESPACE/DOCTYPE/VERSION", Short: "Show the columns a ping's table has", Args: cobra.ExactArgs(1),
		Example: "  pinglake schema show my-app/baseline/1",
		RunE: func(cmd *cobra.Command, args []string) error {
			parts := strings.Split(args[0], "/")
			if len(parts) != 3 {
				return usagef("%q is not NAMESPACE/DOCTYPE/VERSION", args[0])
			}
			registry, err := a.registry(cmd)
			if err != nil {
				return err
			}
			doctype, err := registry.Lookup(parts[0], parts[1], parts[2])
			if err != nil {
				return usageError{err}
			}
			table, err := doctype.Table()
			if err != nil {
				return err
			}
			fmt.Fprintln(a.out, table)
			writeColumns(a, table.Columns, "  ")
			return nil
		},
	}
	a.addFlags(cmd, flagData, flagSchemas)
	return cmd
}

// writeColumns writes a line a column, members indented.
func writeColumns(a *app, columns []*schema.Column, indent string) {
	for _, c := range columns {
		fmt.Fprintf(a.out, "%s%-*s %s\n", indent, max(1, 40-len(indent)), c.Name, typeText(c))
		if c.Kind == schema.Struct {
			writeColumns(a, c.Fields, indent+"  ")
		}
	}
}

// typeText is a column's type as DuckDB writes it; a struct's members have lines
// of their own unless it is inside a list or map.
func typeText(c *schema.Column) string {
	switch c.Kind {
	case schema.Struct:
		return "STRUCT"
	case schema.List:
		return nestedType(c.Fields[0]) + "[]"
	case schema.Map:
		return "MAP(VARCHAR, " + nestedType(c.Fields[1]) + ")"
	}
	return leafTypes[c.Kind]
}

func nestedType(c *schema.Column) string {
	if c.Kind != schema.Struct {
		return typeText(c)
	}
	var members []string
	for _, f := range c.Fields {
		members = append(members, f.Name+" "+nestedType(f))
	}
	return "STRUCT(" + strings.Join(members, ", ") + ")"
}

var leafTypes = map[schema.Kind]string{
	schema.Bool: "BOOLEAN", schema.Int64: "BIGINT", schema.Float64: "DOUBLE", schema.String: "VARCHAR",
	schema.Bytes: "BLOB", schema.Timestamp: "TIMESTAMP", schema.Date: "DATE",
}

func (a *app) schemaAddAppCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "add-app NAME", Short: "Take the pings of a Glean app", Args: cobra.ExactArgs(1),
		Long: `add-app registers a Glean app by its application id as it stands in its URLs, for
example my-shop in /submit/my-shop/baseline/1/... . All its pings, custom ones
too, are then taken, each into a table of its own. Nothing in the app changes
but the address it sends to.`,
		Example: "  pinglake schema add-app my-shop",
		RunE: func(cmd *cobra.Command, args []string) error {
			registry, err := a.registry(cmd)
			if err != nil {
				return err
			}
			if err := registry.AddApp(args[0]); err != nil {
				return usageError{err}
			}
			fmt.Fprintf(a.out, "pings sent to /submit/%s/... are taken now\n", args[0])
			return nil
		},
	}
	a.addFlags(cmd, flagData, flagSchemas)
	return cmd
}

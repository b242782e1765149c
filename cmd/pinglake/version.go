package main

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"pinglake/ingest/edge"
)

// Set by the linker in builds from a checkout.
var (
	version = "dev"
	commit  = "unknown"
)

func edgeVersion() edge.VersionInfo {
	return edge.VersionInfo{Version: version, Commit: commit, Source: "pinglake", Build: runtime.Version()}
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Example: "  pinglake version", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(a.out, "pinglake %s (%s, %s)\n", version, commit, runtime.Version())
			return err
		},
	}
}

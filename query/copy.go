package query

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
)

// CopyTo writes the rows of a query to a new Parquet file, zstd compressed, with
// metadata as its key-value metadata. Arguments are as in [Session.Exec]. The file
// is not synced, and is removed again after an error or a cancel.
func (s *Session) CopyTo(ctx context.Context, query, file string, metadata map[string]string, args ...any) error {
	query = strings.TrimRight(strings.TrimSpace(query), ";")
	options := "FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false"
	if len(metadata) > 0 {
		var pairs []string
		for _, key := range slices.Sorted(maps.Keys(metadata)) {
			pairs = append(pairs, quoteName(key)+": "+quoteText(metadata[key]))
		}
		options += ", KV_METADATA {" + strings.Join(pairs, ", ") + "}"
	}
	// The query ends with a line break: it may end in a comment.
	if err := s.Exec(ctx, "COPY (\n"+query+"\n) TO "+quoteText(file)+" ("+options+")", args...); err != nil {
		if removeErr := os.Remove(file); removeErr != nil && !errors.Is(removeErr, fs.ErrNotExist) {
			err = errors.Join(err, removeErr)
		}
		return fmt.Errorf("writing %s: %w", file, err)
	}
	return nil
}

package query

import (
	"context"
	"errors"
	"fmt"
)

// Complete gives DuckDB's own suggestions for a text that ends at the cursor, and
// the byte at which the word they replace begins.
func (s *Session) Complete(ctx context.Context, text string) (suggestions []string, start int, err error) {
	rows, err := s.Query(ctx, "SELECT suggestion, suggestion_start FROM sql_auto_complete("+quoteText(text)+")")
	if err != nil {
		return nil, 0, fmt.Errorf("completing: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var suggestion string
		if err := rows.Scan(&suggestion, &start); err != nil {
			return nil, 0, fmt.Errorf("completing: %w", err)
		}
		suggestions = append(suggestions, suggestion)
	}
	return suggestions, start, rows.Err()
}

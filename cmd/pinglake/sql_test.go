package main

import (
	"strings"
	"testing"
)

func TestSQLTakesDuckDBsFlags(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"sql -csv -c X", "sql --csv -c X"},
		{"sql -c -csv -json", "sql -c -csv --json"}, // what follows -c is SQL, whatever it looks like
		{"sql -f -box -line", "sql -f -box --line"},
		{"sql -c X -c Y -markdown", "sql -c X -c Y --markdown"},
		{"sql -data=d -nullvalue - -noheader", "sql --data=d --nullvalue - --noheader"},
		{"sql --csv -cX", "sql --csv -cX"},
		{"sql -c", "sql -c"},
		{"serve -csv", "serve -csv"},
		{"", ""},
	} {
		if got := strings.Join(shellFlags(strings.Fields(c.in)), " "); got != c.want {
			t.Errorf("%s: got %s, want %s", c.in, got, c.want)
		}
	}
}

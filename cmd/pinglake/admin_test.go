package main

import (
	"strings"
	"testing"
)

func TestADataFoldersPathHasRoomForItsSocket(t *testing.T) {
	for _, c := range []struct {
		bytes int
		code  int
	}{{87, exitDone}, {88, exitUsage}} {
		code := exitDone
		if err := checkSocketPath(strings.Repeat("d", c.bytes)); err != nil {
			code = exitCode(err)
		}
		if code != c.code {
			t.Errorf("%d bytes: exit %d, want %d", c.bytes, code, c.code)
		}
	}
}

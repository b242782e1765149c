package schema

import (
	"errors"
	"fmt"
	"io/fs"
	"path"

	"github.com/valyala/fastjson"
)

// A Glean app may have pings that say nothing of the client or the session: its SDK
// leaves client_info and ping_info out. The Glean schema asks for both, and beside
// it there may be one for those pings, glean-min.

// readBare reads the schema for pings without client_info and ping_info that stands
// beside the Glean schema, nil if there is none.
func (e *entry) readBare() (*validator, error) {
	name := path.Join(path.Dir(e.name), "glean-min."+e.version+schemaSuffix)
	data, err := fs.ReadFile(e.folder, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	document, err := decodeSchema(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path.Base(name), err)
	}
	bare, err := newValidator(document)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path.Base(name), err)
	}
	return bare, nil
}

// isBare says that a payload is of a ping without client_info and ping_info.
func isBare(payload *fastjson.Value) bool {
	return !payload.Exists("client_info") && !payload.Exists("ping_info")
}

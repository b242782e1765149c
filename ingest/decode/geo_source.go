package decode

import (
	"errors"
	"log/slog"
	"net/netip"
	"os"
	"sync/atomic"
)

// geoSource is a database's file, with what of it is in use.
type geoSource struct {
	path   string // "" for none
	kind   geoKind
	logger *slog.Logger
	counts lookupCounts

	current atomic.Pointer[geoDatabase] // nil for none

	// The rest is poll's.
	seen   os.FileInfo // the file at the last poll, nil for none
	judged os.FileInfo // the file that was last read, whatever came of it
	fault  string      // why the file could not be read, as it was logged
}

// open reads the file for the first time.
func (s *geoSource) open() error {
	if s.path == "" {
		return nil
	}
	s.judged = statOf(s.path)
	s.seen = s.judged
	database, err := openGeoDatabase(s.path, s.kind, s.logger)
	if err != nil {
		return err
	}
	s.current.Store(database)
	return nil
}

// poll reads the file again when it changed since it was last read and is as the
// last poll saw it: one that is being written is left alone.
func (s *geoSource) poll() {
	if s.path == "" {
		return
	}
	now := statOf(s.path)
	settled := sameFile(now, s.seen)
	s.seen = now
	if !settled {
		return
	}
	if sameFile(now, s.judged) {
		s.fault = ""
		return
	}
	database, err := openGeoDatabase(s.path, s.kind, s.logger)
	// What the world does to a file passes: it is tried again at every poll, but
	// logged once. What is in a file stays.
	if errors.As(err, new(*os.PathError)) {
		if s.fault != err.Error() {
			s.fault = err.Error()
			s.logger.Warn("geo database not reloaded, the one before stays in use", "error", err)
		}
		return
	}
	s.judged, s.fault = now, ""
	if err != nil {
		s.logger.Warn("geo database not reloaded, the one before stays in use", "error", err)
		return
	}
	s.current.Store(database)
	s.logger.Info("geo database reloaded", "path", s.path, "version", database.version)
}

// statOf is nil when the file cannot be looked at: opening it says why.
func statOf(path string) os.FileInfo {
	info, err := os.Stat(path)
	if err != nil {
		return nil
	}
	return info
}

func sameFile(a, b os.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// begin finds the database and the address to look up in it; ok is false when
// there is nothing to look up.
func (s *geoSource) begin(attributes map[string]string) (database *geoDatabase, address netip.Addr, ok bool) {
	database = s.current.Load()
	if database == nil {
		return nil, netip.Addr{}, false
	}
	if _, told := attributes[s.kind.told]; told {
		s.counts.alreadyApplied.Inc()
		return nil, netip.Addr{}, false
	}
	forwarded, ok := attributes["x_forwarded_for"]
	if !ok {
		return nil, netip.Addr{}, false
	}
	attributes[s.kind.version] = database.version
	address, ok = clientAddress(forwarded)
	if !ok {
		s.counts.malformedInput.Inc()
		return nil, netip.Addr{}, false
	}
	s.counts.ip.Inc()
	return database, address, true
}

package decode

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"
)

// cityCalled is a database where 192.0.2.1 is in that city, built on that day of
// March.
func cityCalled(t testing.TB, city string, day int) []byte {
	t.Helper()
	return databaseOf(t, mmdbwriter.Options{
		DatabaseType: "GeoLite2-City", BuildEpoch: time.Date(2026, 3, day, 0, 0, 0, 0, time.UTC).Unix(),
	}, map[string]mmdbtype.Map{"192.0.2.0/24": geoPlace("", 1, city, 0)})
}

// cityNow is the city of 192.0.2.1 and the version of the database that says so.
func cityNow(g *Geo) (city, version string) {
	attributes := map[string]string{"x_forwarded_for": "192.0.2.1"}
	g.addCity(attributes)
	return attributes["geo_city"], attributes["geo_db_version"]
}

// overwrite changes a file in place and makes it older, by 0 to keep its age.
func overwrite(t testing.TB, path string, content []byte, older time.Duration) {
	t.Helper()
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	modified := before.ModTime().Add(-older)
	if err := os.Chtimes(path, modified, modified); err != nil {
		t.Fatal(err)
	}
}

// replace puts a new file at path by rename, of the age of the one before.
func replace(t testing.TB, path string, content []byte) {
	t.Helper()
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	next := path + ".next"
	if err := os.WriteFile(next, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(next, before.ModTime(), before.ModTime()); err != nil {
		t.Fatal(err)
	}
	rename(t, next, path)
}

func rename(t testing.TB, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

// sharedLog is written by the watch and read by the test.
type sharedLog struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *sharedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// take is what was written since it was last taken.
func (l *sharedLog) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := l.text.String()
	l.text.Reset()
	return text
}

// Each step changes the file, lets the watch look three times, and says which
// city is told and what was logged since the step before.
func TestGeoWatch(t *testing.T) {
	const kept = "geo database not reloaded, the one before stays in use"
	type step struct {
		what   string
		change func(t *testing.T, path string)
		city   string
		logged string
	}
	nothing := func(*testing.T, string) {}
	byRename := func(city string, day int) func(*testing.T, string) {
		return func(t *testing.T, path string) { replace(t, path, cityCalled(t, city, day)) }
	}
	inPlace := func(city string, day int, older time.Duration) func(*testing.T, string) {
		return func(t *testing.T, path string) { overwrite(t, path, cityCalled(t, city, day), older) }
	}
	away := func(t *testing.T, path string) { rename(t, path, path+".away") }
	back := func(t *testing.T, path string) { rename(t, path+".away", path) }
	faulty := func(t *testing.T, path string) { replace(t, path, []byte("faulty")) }
	for _, c := range []struct {
		name  string
		steps []step
	}{
		{"untouched", []step{{"at first", nothing, "First", ""}}},
		{"by rename", []step{
			{"renamed", byRename("Second", 2), "Second", "geo database reloaded"},
			{"left alone", nothing, "Second", ""},
			{"renamed again, of the same size", byRename("Third!", 3), "Third!", "geo database reloaded"},
		}},
		{"in place", []step{
			{"of the same size", inPlace("Other", 2, time.Second), "Other", "geo database reloaded"},
			{"of the same age", inPlace("Larger", 3, 0), "Larger", "geo database reloaded"},
		}},
		{"faulty", []step{
			{"faulty", faulty, "First", kept},
			{"left alone", nothing, "First", ""},
			{"another faulty one", faulty, "First", kept},
			{"repaired", byRename("Second", 2), "Second", "geo database reloaded"},
		}},
		{"of another type", []step{
			{"providers", func(t *testing.T, path string) { replace(t, path, ispDatabase(t)) }, "First", kept},
		}},
		{"gone", []step{
			{"gone", away, "First", kept},
			{"left alone", nothing, "First", ""},
			{"back as it was", back, "First", ""},
			{"gone again", away, "First", kept},
			{"back as it was again", back, "First", ""},
		}},
		{"a folder", []step{
			{"a folder", func(t *testing.T, path string) {
				away(t, path)
				if err := os.Mkdir(path, 0o700); err != nil {
					t.Fatal(err)
				}
			}, "First", kept},
			{"left alone", nothing, "First", ""},
			{"a file again", func(t *testing.T, path string) {
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, cityCalled(t, "Second", 2), 0o600); err != nil {
					t.Fatal(err)
				}
			}, "Second", "geo database reloaded"},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log sharedLog
				path := geoFile(t, "city.mmdb", cityCalled(t, "First", 1))
				g := openGeo(t, GeoOptions{City: path, Logger: slog.New(slog.NewTextHandler(&log, nil))})
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan error)
				go func() { ended <- g.Watch(ctx) }()
				for _, s := range c.steps {
					s.change(t, path)
					<-time.After(3 * watchInterval)
					synctest.Wait()
					if city, _ := cityNow(g); city != s.city {
						t.Errorf("%s: the city is %q, want %q", s.what, city, s.city)
					}
					lines := log.take()
					if wrong := s.logged == "" && lines != ""; wrong || !strings.Contains(lines, s.logged) || strings.Count(lines, "\n") > 1 {
						t.Errorf("%s: logged %q, want %q once", s.what, lines, s.logged)
					}
					if lines != "" && !strings.Contains(lines, path) {
						t.Errorf("%s: %q does not say which file", s.what, lines)
					}
				}
				cancel()
				if err := <-ended; err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestGeoWatchOfNothing(t *testing.T) {
	for name, g := range map[string]*Geo{"no Geo": nil, "no databases": openGeo(t, GeoOptions{})} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 3*watchInterval)
			defer cancel()
			if err := g.Watch(ctx); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}

// A file that is different at each poll is being written: nobody reads it, so
// nothing is logged of its halves.
func TestGeoPollWaitsForTheWriter(t *testing.T) {
	var log bytes.Buffer
	path := geoFile(t, "city.mmdb", cityCalled(t, "First", 1))
	g := openGeo(t, GeoOptions{City: path, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	content := cityCalled(t, "Second", 2)
	for size := 0; size < len(content); size += len(content)/5 + 1 {
		overwrite(t, path, content[:size], time.Second)
		g.city.poll()
	}
	overwrite(t, path, content, time.Second)
	g.city.poll()
	if city, _ := cityNow(g); city != "First" || log.Len() > 0 {
		t.Errorf("while it is written: got %s, logged %q", city, log.String())
	}
	g.city.poll()
	if city, _ := cityNow(g); city != "Second" {
		t.Errorf("once it is written: got %s", city)
	}
}

func TestGeoReloadsWhileLookupsRun(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "city.mmdb")
	contents := [][]byte{cityCalled(t, "First", 1), cityCalled(t, "Second", 2)}
	want := map[string]string{"2026-03-01T00:00:00Z": "First", "2026-03-02T00:00:00Z": "Second"}
	if err := os.WriteFile(path, contents[0], 0o600); err != nil {
		t.Fatal(err)
	}
	g := openGeo(t, GeoOptions{City: path})
	stop := make(chan struct{})
	var lookups sync.WaitGroup
	for range 4 {
		lookups.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if city, version := cityNow(g); city == "" || want[version] != city {
					t.Errorf("%s is said by the database of %s", city, version)
					return
				}
			}
		})
	}
	for i := range 50 {
		replace(t, path, contents[(i+1)%2])
		g.city.poll()
		g.city.poll()
		if city, _ := cityNow(g); city != want[[]string{"2026-03-02T00:00:00Z", "2026-03-01T00:00:00Z"}[i%2]] {
			t.Errorf("reload %d: got %s", i, city)
		}
	}
	close(stop)
	lookups.Wait()
}

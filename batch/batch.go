// Package batch turns closed days of live tables into stable and derived tables.
//
// A job replaces one whole partition of one table and writes inside the file which
// versions of which partitions it read. What is missing or stale is therefore read
// off the lake itself; there is no record beside it that could disagree.
package batch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/jonboulle/clockwork"

	"pinglake/lake"
	"pinglake/query"
)

// ErrIncompleteDay is returned for a date that is not over yet, or not begun.
var ErrIncompleteDay = errors.New("the day is not over in UTC")

// ErrUnknownJob is returned when no job answers to the name that was asked for.
var ErrUnknownJob = errors.New("no such job")

// ErrNoSource is returned for a partition that would be made from nothing: the
// rows are gone or never were.
var ErrNoSource = errors.New("nothing to make it from")

// Options is what a Runner needs. Lake is required.
type Options struct {
	Lake  *lake.Lake
	Query query.Options
	// Now is the server's clock; its UTC date says which days are over.
	Now func() time.Time
	// Clock wakes the scheduler. The zero value is the real one.
	Clock clockwork.Clock
	// LiveRetentionDays is how long live partitions are kept, 0 for ever. A day older
	// than that without live rows is taken for expired, not for empty.
	LiveRetentionDays int
	// Ready blocks until everything received before the end of date (days since 1970)
	// is in the lake. Nil means it is.
	Ready func(ctx context.Context, date int32) error
	// OnTable is called when tables or columns appeared.
	OnTable func()
	Logger  *slog.Logger
	// Progress is called for each step of each job of every run, from the running
	// goroutine. May be nil.
	Progress func(Event)
	// Definitions holds the jobs as <dataset>/<table>/{metadata.yaml,query.sql}. Nil
	// means the built-in ones.
	Definitions fs.FS
}

// State is how far a job got with a partition.
type State string

// The states of an Event.
const (
	Started State = "started"
	Done    State = "done"
	Failed  State = "failed"
	Blocked State = "blocked" // not run: something it reads failed
)

// Event is one step of one job.
type Event struct {
	Date    int32  // days since 1970
	Job     string // copy_deduplicate, or the name of the table
	Table   string // dataset.table
	State   State
	Rows    int64         // of a Done event
	Elapsed time.Duration // of a Done or Failed event
	// Expected is how many partitions the run is going to make, as known when it began.
	Expected int
}

// Runner runs the jobs, one run at a time.
type Runner struct {
	options     Options
	log         *slog.Logger
	session     *query.Session
	definitions []*definition
	tree        *tree
	columns     map[string]columnPaths // by schema file
	schemas     map[lake.TableRef]string
	newTables   bool
	turn        chan struct{} // holds the token of whoever runs
}

// Open reads the job definitions and opens a query session of the runner's own.
func Open(o Options) (*Runner, error) {
	if o.Lake == nil {
		return nil, errors.New("open batch: no lake")
	}
	if o.Clock == nil {
		o.Clock = clockwork.NewRealClock()
	}
	if o.Now == nil {
		o.Now = o.Clock.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Ready == nil {
		o.Ready = func(context.Context, int32) error { return nil }
	}
	if o.OnTable == nil {
		o.OnTable = func() {}
	}
	if o.Progress == nil {
		o.Progress = func(Event) {}
	}
	if o.Definitions == nil {
		o.Definitions = builtin()
	}
	definitions, err := loadDefinitions(o.Definitions)
	if err != nil {
		return nil, fmt.Errorf("open batch: %w", err)
	}
	session, err := query.Open(context.Background(), o.Lake, o.Query)
	if err != nil {
		return nil, fmt.Errorf("open batch: %w", err)
	}
	return &Runner{
		options:     o,
		log:         o.Logger,
		session:     session,
		definitions: definitions,
		tree:        newTree(o.Lake),
		columns:     map[string]columnPaths{},
		schemas:     map[lake.TableRef]string{},
		turn:        make(chan struct{}, 1),
	}, nil
}

// Close waits for a run that is under way and closes the session. End the run's
// context first.
func (r *Runner) Close() error {
	r.turn <- struct{}{}
	if err := r.session.Close(); err != nil {
		return fmt.Errorf("close batch: %w", err)
	}
	return nil
}

func (r *Runner) take(ctx context.Context) error {
	select {
	case r.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for the run under way: %w", ctx.Err())
	}
}

func (r *Runner) give() { <-r.turn }

// today is the date that is still being received.
func (r *Runner) today() int32 { return dateOf(r.options.Now()) }

func dateOf(t time.Time) int32 {
	seconds := t.Unix()
	days := seconds / 86400
	if seconds%86400 < 0 {
		days--
	}
	return int32(days)
}

func formatDate(days int32) string {
	return time.Unix(int64(days)*86400, 0).UTC().Format(time.DateOnly)
}

package batch

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"

	"pinglake/lake"
)

// pass is one run over some dates: the jobs chosen, and what became of them.
type pass struct {
	*Runner
	log      *slog.Logger
	all      []*job // in the order they depend on each other
	jobs     []*job // the chosen ones
	force    Force
	horizon  horizon
	expected int // partitions, for progress
	made     int
	blocked  int
	failures []error
	broken   pending // partitions that are not as they should be: failed or blocked
	refusals map[lake.TableRef][]int32
	progress func(Event) // of this run, or nil
}

// tell hands an event to those who watch the runner, and this run.
func (p *pass) tell(e Event) {
	p.options.Progress(e)
	if p.progress != nil {
		p.progress(e)
	}
}

func (r *Runner) newPass(ctx context.Context, o RunOptions) (*pass, error) {
	r.tree.forget()
	all, faults, err := r.plan(ctx)
	if err != nil {
		return nil, err
	}
	chosen, err := choose(all, o.Job)
	if err != nil {
		return nil, errors.Join(append(faults, err)...)
	}
	return &pass{
		Runner:   r,
		progress: o.Progress,
		log:      r.log,
		all:      all,
		jobs:     chosen,
		force:    o.Force,
		horizon:  horizon{today: r.today(), retentionDays: r.options.LiveRetentionDays},
		failures: faults,
		broken:   pending{},
		refusals: map[lake.TableRef][]int32{},
	}, nil
}

// do runs one job for one date. Its error is the context's; a failure of the job
// is kept for the end of the pass.
func (p *pass) do(ctx context.Context, j *job, date int32) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	event := p.event(j, date, Started)
	p.tell(event)
	start := p.options.Clock.Now()
	rows, err := p.write(ctx, j, date)
	event.Elapsed = p.options.Clock.Since(start)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		p.fail(j, date, err)
		event.State = Failed
		p.tell(event)
		return nil
	}
	p.made++
	event.State, event.Rows = Done, rows
	p.log.Debug("partition made", "job", j.name, "partition", j.partition(date), "rows", rows, "elapsed", event.Elapsed)
	p.tell(event)
	return nil
}

func (p *pass) fail(j *job, date int32, err error) {
	p.failures = append(p.failures, failure{text: j.name + " " + j.partition(date), cause: err})
	p.spoil(j, date)
}

// spoil keeps what reads this partition from running in this pass.
func (p *pass) spoil(j *job, date int32) { p.broken[j.out] = append(p.broken[j.out], date) }

// isBlocked tells whether a job reads a partition that is not as it should be.
func (p *pass) isBlocked(j *job, date int32) bool {
	return slices.ContainsFunc(j.reads, func(in read) bool { return p.broken.covers(in, date) })
}

func (p *pass) block(j *job, date int32) {
	p.blocked++
	p.spoil(j, date)
	p.tell(p.event(j, date, Blocked))
}

func (p *pass) event(j *job, date int32, s State) Event {
	return Event{Date: date, Job: j.name, Table: j.out.String(), State: s, Expected: p.expected}
}

// firstDay is the earliest day of any job's table.
func (p *pass) firstDay() (first int32, ok bool, err error) {
	for _, j := range p.jobs {
		day, found, err := p.tree.firstDay(j)
		if err != nil {
			return 0, false, err
		}
		if found && (!ok || day < first) {
			first, ok = day, true
		}
	}
	return first, ok, nil
}

// survey judges each partition from first to last as if all that is due before it
// were made. Its error is all that could not be judged.
func (p *pass) survey(first, last int32, visit func(*job, int32, verdict)) error {
	due := pending{}
	var faults []error
	for date := first; date <= last; date++ {
		for _, j := range p.all {
			v, err := p.tree.judge(j, date, p.horizon, due)
			if err != nil {
				faults = append(faults, failure{text: j.name + " " + j.partition(date), cause: err})
				continue
			}
			if v.due() {
				due[j.out] = append(due[j.out], date)
			}
			visit(j, date, v)
		}
	}
	return errors.Join(faults...)
}

// countDue is how many partitions from first to last are missing or stale. What
// cannot be judged does not count: it is told when its turn comes.
func (p *pass) countDue(first, last int32) (due int) {
	_ = p.survey(first, last, func(_ *job, _ int32, v verdict) {
		if v.due() {
			due++
		}
	})
	return due
}

// failure is a job's error in one line: DuckDB's go on to quote the statement.
type failure struct {
	text  string
	cause error
}

func (f failure) Error() string {
	line, _, _ := strings.Cut(f.cause.Error(), "\n")
	return f.text + ": " + line
}

func (f failure) Unwrap() error { return f.cause }

// JobStatus is one job and the state of its table.
type JobStatus struct {
	Job         string // copy_deduplicate, or the name of the table
	Table       string // dataset.table
	Reads       []string
	First, Last int32 // days since 1970; meaningful if Partitions > 0
	Partitions  int
	Missing     []int32 // days the next Nightly makes
	Stale       []int32 // days the next Nightly makes again
	Refused     []int32 // days that cannot be made: their live rows have expired
}

// List tells of every job, in the order they run. A partition that the next
// Nightly reaches by another's staleness counts as stale. Definitions at fault are
// the error; the list of the others comes with it.
func (r *Runner) List(ctx context.Context) ([]JobStatus, error) {
	if err := r.take(ctx); err != nil {
		return nil, err
	}
	defer r.give()
	p, err := r.newPass(ctx, RunOptions{})
	if err != nil {
		return nil, err
	}
	list := make([]JobStatus, len(p.all))
	at := map[*job]*JobStatus{}
	for i, j := range p.all {
		s := &list[i]
		at[j] = s
		s.Job, s.Table = j.name, j.out.String()
		for _, in := range j.reads {
			s.Reads = append(s.Reads, in.table.String())
		}
		dates, err := p.tree.partitions(j.out)
		if err != nil {
			return nil, err
		}
		if s.Partitions = len(dates); len(dates) > 0 {
			s.First, s.Last = dates[0], dates[len(dates)-1]
		}
	}
	first, ok, err := p.firstDay()
	if err != nil {
		return nil, err
	}
	if !ok {
		return list, errors.Join(p.failures...)
	}
	err = p.survey(first, p.horizon.today-1, func(j *job, date int32, v verdict) {
		s := at[j]
		switch v {
		case missing:
			s.Missing = append(s.Missing, date)
		case stale:
			s.Stale = append(s.Stale, date)
		case refused:
			s.Refused = append(s.Refused, date)
		}
	})
	return list, errors.Join(append(p.failures, err)...)
}

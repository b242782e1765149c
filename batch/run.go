package batch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Force says whether a run may do what it would refuse.
type Force int

// With Forced a run takes a day that is not over, and writes an empty partition
// where live rows are missing.
const (
	Careful Force = iota
	Forced
)

// RunOptions choose what a run does.
type RunOptions struct {
	// Job is copy_deduplicate, a table's name (its job in every app) or dataset.table.
	// "" is all jobs.
	Job   string
	Force Force
	// Progress is told of this run's steps, after Options.Progress and from the
	// running goroutine. May be nil.
	Progress func(Event)
}

// RunDate makes the partitions of a date (days since 1970) again, stale or not. A
// failed job stops those that read from it; the others go on. Later partitions
// that became stale by it are left to the next Nightly.
func (r *Runner) RunDate(ctx context.Context, date int32, o RunOptions) error {
	return r.run(ctx, o, func(p *pass) error {
		if err := p.over(date); err != nil {
			return err
		}
		if err := p.received(date); err != nil {
			return err
		}
		p.expected = len(p.jobs)
		if err := p.explicit(ctx, date); err != nil {
			return err
		}
		return p.finish(ctx, date)
	})
}

// Backfill is RunDate for each date from first to last, both included, in order.
// Days without live rows inside a table's life get empty partitions.
func (r *Runner) Backfill(ctx context.Context, first, last int32, o RunOptions) error {
	if first > last {
		return fmt.Errorf("backfill %s to %s: the first day is after the last", formatDate(first), formatDate(last))
	}
	return r.run(ctx, o, func(p *pass) error {
		if err := p.over(last); err != nil {
			return err
		}
		p.expected = len(p.jobs) * int(last-first+1)
		for date := first; date <= last; date++ {
			if err := p.explicit(ctx, date); err != nil {
				return err
			}
		}
		return p.finish(ctx, first)
	})
}

// Nightly makes every missing or stale partition up to yesterday, in date order.
// What a failed job leaves undone is found again by the next one.
func (r *Runner) Nightly(ctx context.Context) error {
	// Before anything is listed: what lands while this waits is part of the plan.
	yesterday := r.today() - 1
	if err := r.options.Ready(ctx, yesterday); err != nil {
		return fmt.Errorf("wait for the rows of %s: %w", formatDate(yesterday), err)
	}
	return r.run(ctx, RunOptions{}, func(p *pass) error {
		first, ok, err := p.firstDay()
		if err != nil || !ok {
			return errors.Join(append(p.failures, err)...)
		}
		p.expected = p.countDue(first, p.horizon.today-1)
		for date := first; date < p.horizon.today; date++ {
			if err := p.nightly(ctx, date); err != nil {
				return err
			}
			r.announce()
		}
		return p.finish(ctx, p.horizon.today)
	})
}

// run gives body a pass over the jobs, alone.
func (r *Runner) run(ctx context.Context, o RunOptions, body func(*pass) error) error {
	if err := r.take(ctx); err != nil {
		return err
	}
	defer r.give()
	p, err := r.newPass(ctx, o)
	if err != nil {
		return err
	}
	defer r.announce()
	return body(p)
}

// announce reports tables and columns that appeared.
func (r *Runner) announce() {
	if !r.newTables {
		return
	}
	r.newTables = false
	r.options.OnTable()
}

// over refuses a day that still receives, unless forced.
func (p *pass) over(date int32) error {
	if date < p.horizon.today || p.force == Forced {
		return nil
	}
	return fmt.Errorf("%s: %w; its partitions would lack what is still to come (today is %s)",
		formatDate(date), ErrIncompleteDay, formatDate(p.horizon.today))
}

// received refuses a day on which no chosen job has anything to read, unless
// forced: a mistyped date would otherwise leave empty partitions.
func (p *pass) received(date int32) error {
	if p.force == Forced {
		return nil
	}
	var sources []string
	for _, j := range p.jobs {
		for _, in := range append([]read{{table: j.out, window: windowDay}}, j.reads...) {
			if in.window != windowDay {
				continue
			}
			found, err := p.tree.has(in.table, date)
			if err != nil || found {
				return err
			}
			if in.table != j.out && !slices.Contains(sources, in.table.String()) {
				sources = append(sources, in.table.String())
			}
		}
	}
	if len(sources) == 0 {
		return fmt.Errorf("%s: %w: the lake has no live table", formatDate(date), ErrNoSource)
	}
	return fmt.Errorf("%s: %w: no partition of %s; force writes empty ones", formatDate(date), ErrNoSource, strings.Join(sources, ", "))
}

// explicit runs every chosen job for a date, whatever its partition is like: also
// one that cannot be read.
func (p *pass) explicit(ctx context.Context, date int32) error {
	for _, j := range p.jobs {
		if p.isBlocked(j, date) {
			p.block(j, date)
			continue
		}
		complete, _, err := p.tree.sources(j, date, nil)
		if err != nil {
			p.fail(j, date, err)
			continue
		}
		if complete && p.force != Forced && p.expired(j, date) {
			continue
		}
		if !complete && p.force != Forced && !p.incomplete(j, date) {
			continue
		}
		if err := p.do(ctx, j, date); err != nil {
			return err
		}
	}
	return nil
}

// expired tells whether to spare a stable partition whose live rows may be only
// what landed late.
func (p *pass) expired(j *job, date int32) bool {
	if !j.copies() || !p.horizon.expired(date) {
		return false
	}
	v, err := p.tree.judge(j, date, p.horizon, nil)
	if err == nil && v == refused {
		err = fmt.Errorf("%w: the day is older than the %d days live rows are kept, and its rows have changed; force makes it of what is there",
			ErrNoSource, p.horizon.retentionDays)
	}
	if err != nil {
		p.fail(j, date, err)
	}
	return err != nil
}

// incomplete tells whether to run a job that lacks partitions to read.
func (p *pass) incomplete(j *job, date int32) bool {
	v, err := p.tree.judge(j, date, p.horizon, nil)
	switch {
	case err != nil:
		p.fail(j, date, err)
	case v == upToDate:
		p.log.Info("kept: what it was made of has expired", "job", j.name, "partition", j.partition(date))
	case v == refused:
		p.fail(j, date, fmt.Errorf("%w: the day is older than the %d days live rows are kept; force writes an empty partition",
			ErrNoSource, p.horizon.retentionDays))
	}
	return v.due()
}

// nightly runs the jobs whose partition of a date is missing or stale. What reads
// from a broken partition waits, even on later days: a history with a hole in it
// would be published as if it were whole.
func (p *pass) nightly(ctx context.Context, date int32) error {
	for _, j := range p.jobs {
		if p.isBlocked(j, date) {
			p.block(j, date)
			continue
		}
		v, err := p.tree.judge(j, date, p.horizon, nil)
		if err != nil {
			p.fail(j, date, err)
			continue
		}
		if v == refused {
			p.refusals[j.out] = append(p.refusals[j.out], date)
		}
		if !v.due() {
			continue
		}
		if err := p.do(ctx, j, date); err != nil {
			return err
		}
	}
	return nil
}

// finish tells what the run leaves behind from a date on and gives its failures as
// one error.
func (p *pass) finish(ctx context.Context, from int32) error {
	for _, j := range p.jobs {
		if days := p.refusals[j.out]; len(days) > 0 {
			p.log.Warn("days have neither live rows nor a stable partition and are past the retention of live rows",
				"table", j.out.String(), "days", len(days), "first", formatDate(days[0]), "last", formatDate(days[len(days)-1]))
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	p.log.Info("batch run finished", "made", p.made, "failed", len(p.failures), "blocked", p.blocked,
		"left_to_nightly", p.countDue(from, p.horizon.today-1))
	return errors.Join(p.failures...)
}

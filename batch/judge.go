package batch

import (
	"fmt"
	"slices"

	"pinglake/lake"
)

// verdict is what there is to do about a partition.
type verdict int

const (
	nothing  verdict = iota // outside the table's life: not there and not to be made
	upToDate                // as good as it can be made
	missing                 // to be made
	stale                   // to be made again: something it read has changed
	refused                 // missing or stale, but its source may have expired
)

// due tells whether to run the job.
func (v verdict) due() bool { return v == missing || v == stale }

// horizon bounds what may be made of absent live rows.
type horizon struct {
	today         int32
	retentionDays int
}

func (h horizon) expired(date int32) bool {
	return h.retentionDays > 0 && date < h.today-int32(h.retentionDays)
}

// pending are the dates of each table that are going to be made, ascending, for a
// survey that runs nothing.
type pending map[lake.TableRef][]int32

// covers tells whether a window of date has a pending partition.
func (p pending) covers(in read, date int32) bool {
	dates := p[in.table]
	switch in.window {
	case windowPrevious:
		date--
	case windowBefore:
		return len(dates) > 0 && dates[0] < date
	case windowUntil:
		return len(dates) > 0 && dates[0] <= date
	}
	_, found := slices.BinarySearch(dates, date)
	return found
}

// judge looks at one partition of a job's table.
func (t *tree) judge(j *job, date int32, h horizon, p pending) (verdict, error) {
	exists, err := t.has(j.out, date)
	if err != nil {
		return nothing, err
	}
	complete, touched, err := t.sources(j, date, p)
	if err != nil {
		return nothing, err
	}
	switch {
	case !complete && exists:
		return upToDate, nil // made of what has expired since: nothing better can be had
	case !complete && j.copies():
		return t.judgeEmptyDay(j, date, h)
	case !complete:
		return nothing, nil
	case !exists:
		return missing, nil
	case touched:
		return stale, nil
	}
	f, ok, err := t.output(j.out, date)
	if err != nil {
		return nothing, err
	}
	if !ok {
		return stale, nil // not a job's work
	}
	now, err := t.inputsOf(j, date)
	if err != nil {
		return nothing, err
	}
	if !now.differ(f.inputs) {
		return upToDate, nil
	}
	if j.copies() && h.expired(date) {
		return refused, nil // what landed late may be all that live still has of the day
	}
	return stale, nil
}

// sources tells whether every partition a job needs is there, and whether one it
// reads is about to be made anew.
func (t *tree) sources(j *job, date int32, p pending) (complete, touched bool, err error) {
	complete = true
	for _, in := range j.reads {
		covered := p.covers(in, date)
		touched = touched || covered
		if in.window != windowDay || covered {
			continue
		}
		found, err := t.has(in.table, date)
		if err != nil {
			return false, false, err
		}
		complete = complete && found
	}
	return complete, touched, nil
}

// judgeEmptyDay is for a day that has neither live rows nor a stable partition.
func (t *tree) judgeEmptyDay(j *job, date int32, h horizon) (verdict, error) {
	first, ok, err := t.firstDay(j)
	if err != nil || !ok || date < first {
		return nothing, err
	}
	if !h.expired(date) {
		return missing, nil
	}
	// Live expires from the oldest day on: where an older day is still there, this
	// one had no rows.
	older, err := t.through(j.reads[0].table, date-1)
	if err != nil {
		return nothing, err
	}
	if len(older) > 0 {
		return missing, nil
	}
	return refused, nil
}

// firstDay is where the life of a job's table begins: the earliest partition of it
// or of what it reads.
func (t *tree) firstDay(j *job) (first int32, ok bool, err error) {
	refs := []lake.TableRef{j.out}
	for _, in := range j.reads {
		refs = append(refs, in.table)
	}
	for _, ref := range refs {
		dates, err := t.partitions(ref)
		if err != nil {
			return 0, false, fmt.Errorf("list %s: %w", ref.String(), err)
		}
		if len(dates) > 0 && (!ok || dates[0] < first) {
			first, ok = dates[0], true
		}
	}
	return first, ok, nil
}

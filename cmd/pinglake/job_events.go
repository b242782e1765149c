package main

import (
	"sync"

	"pinglake/batch"
)

// jobWatchers hand the nightly's events to those who asked for them.
type jobWatchers struct {
	mu    sync.Mutex
	next  int
	watch map[int]func(batch.Event)
}

// watchJobs hands every event to watch until the returned function is called.
func (n *node) watchJobs(watch func(batch.Event)) (stop func()) {
	n.jobs.mu.Lock()
	defer n.jobs.mu.Unlock()
	if n.jobs.watch == nil {
		n.jobs.watch = map[int]func(batch.Event){}
	}
	id := n.jobs.next
	n.jobs.next++
	n.jobs.watch[id] = watch
	return func() {
		n.jobs.mu.Lock()
		defer n.jobs.mu.Unlock()
		delete(n.jobs.watch, id)
	}
}

func (n *node) jobEvent(e batch.Event) {
	n.jobs.mu.Lock()
	defer n.jobs.mu.Unlock()
	for _, watch := range n.jobs.watch {
		watch(e)
	}
}

package edge

import (
	"context"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Level is how bad a finding is, in Dockerflow's numbers.
type Level int

// The levels. From LevelError on the heartbeat fails.
const (
	LevelOK      Level = 0
	LevelDebug   Level = 10
	LevelInfo    Level = 20
	LevelWarning Level = 30
	LevelError   Level = 40
)

// String is the level's name in a heartbeat.
func (l Level) String() string {
	switch {
	case l >= LevelError:
		return "error"
	case l >= LevelWarning:
		return "warning"
	case l >= LevelInfo:
		return "info"
	case l >= LevelDebug:
		return "debug"
	}
	return "ok"
}

// Finding is something that a check did not find well.
type Finding struct {
	ID      string // edge.checks.<letter of the level><number>, for monitoring
	Level   Level
	Message string
}

// Check is one thing that has to be well for the edge to serve.
type Check struct {
	Name string
	Run  func(context.Context) []Finding // none: well
}

// The names of the checks and the ids of their findings. Those that the reference
// has too mean the same there. Its I001 and I002 (the queue is not empty) are not
// used: there only pings that could not be delivered wait, here all pings pass
// through the stream and wait for their batch.
const (
	checkDisk  = "check_disk_bytes_free"
	checkQueue = "check_queue_size"

	idDiskLow      = "edge.checks.E001"
	idStreamUnwell = "edge.checks.E002"
	idStreamFull   = "edge.checks.E003"
	idCheckLate    = "edge.checks.E004"
	idDiskMissing  = "edge.checks.W001"
	idStreamFills  = "edge.checks.W002"
)

// CheckDisk finds fault when the file system of dir has less than minFree bytes
// for us. 0 turns it off.
func CheckDisk(dir string, minFree int64) Check {
	return Check{Name: checkDisk, Run: func(context.Context) []Finding {
		if minFree == 0 {
			return nil
		}
		if _, err := os.Stat(dir); err != nil {
			return []Finding{{idDiskMissing, LevelWarning, fmt.Sprintf("stream path does not exist: %v", err)}}
		}
		free, err := freeBytes(dir)
		if err != nil {
			return []Finding{{idDiskMissing, LevelWarning, fmt.Sprintf("disk bytes free of the stream path are not known: %v", err)}}
		}
		if free < uint64(minFree) {
			return []Finding{{idDiskLow, LevelError, fmt.Sprintf("disk bytes free below threshold: %d of %d", free, minFree)}}
		}
		return nil
	}}
}

// freeBytes is what the file system of dir has left for those who are not root.
func freeBytes(dir string) (uint64, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return 0, err
	}
	return fs.Bavail * uint64(fs.Bsize), nil
}

// CheckStream finds fault when the stream does not answer, has no room for a body
// of maxBody bytes, or is nine tenths full. room tells how many of its bytes the
// stream has taken.
func CheckStream(maxBody int64, room func(context.Context) (taken, limit int64, err error)) Check {
	return Check{Name: checkQueue, Run: func(ctx context.Context) []Finding {
		taken, limit, err := room(ctx)
		switch {
		case err != nil:
			return []Finding{{idStreamUnwell, LevelError, fmt.Sprintf("stream raised an error on access: %v", err)}}
		case limit-taken < maxBody:
			return []Finding{{idStreamFull, LevelError, fmt.Sprintf("stream has no room for the largest ping: %d of %d bytes are taken", taken, limit)}}
		case taken > limit/10*9:
			return []Finding{{idStreamFills, LevelWarning, fmt.Sprintf("stream is nearly full: %d of %d bytes are taken", taken, limit)}}
		}
		return nil
	}}
}

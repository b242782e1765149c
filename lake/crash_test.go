package lake

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pinglake/lake/schema"
)

// life is what the crash tests interrupt: spans over several tables and dates,
// and a column that appears on the way.
type life struct {
	spans []lifeSpan
}

type lifeSpan struct {
	first, last uint64
	rows        []schema.Row
}

func newLife() life {
	a, b := numbers("a_v1"), numbers("b_v1")
	wider := schema.NewTable(a.Dataset, a.Name, append([]*schema.Column{column("s", schema.String)}, a.Columns...))
	return life{[]lifeSpan{
		{1, 4, []schema.Row{number(a, testDate, 1), number(a, testDate, 2), number(b, testDate, 3)}},
		{5, 5, nil},
		{6, 9, []schema.Row{number(a, testDate, 4), number(wider, testDate, 5), number(a, testDate+1, 6)}},
	}}
}

// visible is what readers must find when the spans up to last are published.
func (f life) visible(last uint64) string {
	have := map[string][]string{}
	for _, span := range f.spans {
		if span.last > last {
			continue
		}
		for _, row := range span.rows {
			partition := partitionText(refOf(row.Table), row.Date)
			have[partition] = append(have[partition], fmt.Sprint(row.Cells[len(row.Cells)-1].Num))
		}
	}
	return contentText(have)
}

// crash is the disk as it was before one operation.
type crash struct {
	dir       string
	doing     string
	committed lifeSpan
}

// TestAfterACrashTheCommittedSpansAreThereOnce copies the whole tree before every
// operation on the disk, and recovers from each copy.
func TestAfterACrashTheCommittedSpansAreThereOnce(t *testing.T) {
	f := newLife()
	crashes := recordCrashes(t, f)
	if len(crashes) < 40 {
		t.Errorf("only %d crash points", len(crashes))
	}
	for i, c := range crashes {
		name := fmt.Sprintf("crash %d before %s", i, c.doing)
		l, err := Open(Options{Dir: filepath.Join(c.dir, "lake"), Staging: filepath.Join(c.dir, "staging")})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		quickly(l)
		if err := l.Recover(c.committed.first, c.committed.last); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(f.visible(c.committed.last), contents(t, l)); diff != "" {
			t.Errorf("%s, after recovery (-want +got):\n%s", name, diff)
		}
		if left := tree(t, l.staging); left != "" {
			t.Errorf("%s: recovery left %s", name, left)
		}
		for _, span := range f.spans {
			if span.first > c.committed.last {
				publish(t, stage(t, l, span.first, span.last, span.rows...))
			}
		}
		if diff := cmp.Diff(f.visible(9), contents(t, l)); diff != "" {
			t.Errorf("%s, after going on (-want +got):\n%s", name, diff)
		}
	}
}

func recordCrashes(t *testing.T, f life) []crash {
	l := quickly(testLake(t, Options{}))
	root := filepath.Dir(l.dir)
	var (
		mu        sync.Mutex // files of a batch are written side by side
		crashes   []crash
		committed lifeSpan
	)
	snapshot := func(op, path string) error {
		mu.Lock()
		defer mu.Unlock()
		c := crash{dir: t.TempDir(), doing: op + " " + strings.TrimPrefix(path, root), committed: committed}
		crashes = append(crashes, c)
		return os.CopyFS(c.dir, os.DirFS(root))
	}
	l.disk.before = snapshot
	for _, span := range f.spans {
		s := stage(t, l, span.first, span.last, span.rows...)
		committed = span // where the dedup index commits
		if err := snapshot("publish", ""); err != nil {
			t.Fatal(err)
		}
		publish(t, s)
	}
	if err := snapshot("the end", ""); err != nil {
		t.Fatal(err)
	}
	return crashes
}

var errInjected = errors.New("no space left on device")

// TestAfterAFailureNothingIsHalfVisibleAndARetrySucceeds fails each operation on
// the disk once, in turn.
func TestAfterAFailureNothingIsHalfVisibleAndARetrySucceeds(t *testing.T) {
	f := newLife()
	for n := 1; ; n++ {
		failed, err := liveWithFailure(t, f, n)
		if err != nil {
			t.Errorf("operation %d (%s): %v", n, failed, err)
		}
		if failed == "" {
			if n < 40 {
				t.Errorf("only %d operations", n)
			}
			return
		}
	}
}

// liveWithFailure lets the n-th operation fail. failed is empty if there are fewer.
func liveWithFailure(t *testing.T, f life, n int) (failed string, err error) {
	l := quickly(testLake(t, Options{}))
	var mu sync.Mutex
	count := 0
	l.disk.before = func(op, path string) error {
		mu.Lock()
		defer mu.Unlock()
		if count++; count == n {
			failed = op + " " + filepath.Base(path)
			return fmt.Errorf("%s: %w", op, errInjected)
		}
		return nil
	}
	published := uint64(0)
	for _, span := range f.spans {
		s, err := stageRows(l, span)
		if err != nil {
			if !errors.Is(err, errInjected) {
				return failed, err
			}
			if diff := cmp.Diff(f.visible(published), contents(t, l)); diff != "" {
				return failed, fmt.Errorf("after a failed stage (-want +got):\n%s", diff)
			}
			if s, err = stageRows(l, span); err != nil {
				return failed, fmt.Errorf("second try: %w", err)
			}
		}
		if err := s.Publish(); err != nil {
			if !errors.Is(err, errInjected) {
				return failed, err
			}
			contents(t, l) // every visible file is whole
			if err := s.Publish(); err != nil {
				return failed, fmt.Errorf("second try: %w", err)
			}
		}
		published = span.last
		if diff := cmp.Diff(f.visible(published), contents(t, l)); diff != "" {
			return failed, fmt.Errorf("after %d-%d (-want +got):\n%s", span.first, span.last, diff)
		}
	}
	if err := l.Recover(9, 9); err != nil { // a failed clean-up may leave an open batch
		return failed, err
	}
	if left := tree(t, l.staging); left != "" {
		return failed, fmt.Errorf("left in staging: %s", left)
	}
	return failed, nil
}

func stageRows(l *Lake, span lifeSpan) (*Staged, error) {
	b := l.NewBatch()
	for _, row := range span.rows {
		if err := b.Add(row); err != nil {
			return nil, errors.Join(err, b.Discard())
		}
	}
	return b.Stage(context.Background(), span.first, span.last)
}

func TestAPublishThatFailsNamesThePartition(t *testing.T) {
	l := testLake(t, Options{})
	s := stage(t, l, 1, 1, number(numbers("baseline_v1"), testDate, 1))
	l.disk.before = func(op, path string) error {
		if op == "rename" {
			return errInjected
		}
		return nil
	}
	if err := s.Publish(); err == nil || err.Error() != "publish app_live.baseline_v1/2026-11-21: no space left on device" {
		t.Errorf("error %v", err)
	}
	l.disk.before = nil
	publish(t, s)
}

// TestPublishSyncsWhatAFailedTryRenamed would lose a rename at a power cut if the
// second try forgot the folders of the first.
func TestPublishSyncsWhatAFailedTryRenamed(t *testing.T) {
	l := testLake(t, Options{})
	s := stage(t, l, 1, 1, number(numbers("a_v1"), testDate, 1))
	partition := l.partitionDir(TableRef{"app_live", "a_v1"}, testDate)
	var synced []string
	l.disk.before = func(op, path string) error {
		if op != "sync" || path != partition {
			return nil
		}
		synced = append(synced, path)
		if len(synced) == 1 {
			return errInjected
		}
		return nil
	}
	wantError(t, s.Publish(), "publish app_live.a_v1/2026-11-21: no space left on device")
	publish(t, s)
	if len(synced) != 2 {
		t.Errorf("the partition's folder was synced %d times, want 2", len(synced))
	}
}

// TestEveryNameIsDurableBeforeTheNextStepReliesOnIt: a power cut may take back
// any rename whose folder was not synced, and any content that was not.
func TestEveryNameIsDurableBeforeTheNextStepReliesOnIt(t *testing.T) {
	l := testLake(t, Options{})
	pending := map[string]bool{} // content and names not yet synced
	var mu sync.Mutex
	unsynced := func(step string) {
		for path := range pending {
			t.Errorf("%s: %s is not durable", step, strings.TrimPrefix(path, filepath.Dir(l.dir)))
		}
	}
	l.disk.before = func(op, path string) error {
		mu.Lock()
		defer mu.Unlock()
		switch op {
		case "create", "write":
			pending[path] = true
		case "sync":
			for name := range pending {
				if name == path || filepath.Dir(name) == path {
					delete(pending, name)
				}
			}
		case "mkdir":
			if path != l.staging { // an open batch's folder has no name to keep
				pending[path] = true
			}
		case "rename":
			if _, _, isSpan := parseSpanName(filepath.Base(path)); isSpan {
				unsynced("naming the staged span")
			}
			pending[path] = true
		case "remove":
			unsynced("removing " + filepath.Base(path))
		}
		return nil
	}
	a, b := numbers("a_v1"), numbers("b_v1")
	s := stage(t, l, 1, 1, number(a, testDate, 1), number(b, testDate, 2), number(a, testDate+1, 3))
	unsynced("staged")
	publish(t, s)
	unsynced("published")
	if err := l.Replace(refOf(a), testDate, jobFile(t, l, number(a, testDate, 4))); err != nil {
		t.Fatal(err)
	}
	unsynced("replaced")
}

func TestRecoverDiscardsAllButTheCommittedSpan(t *testing.T) {
	l := testLake(t, Options{})
	table := numbers("a_v1")
	for n := uint64(1); n <= 3; n++ {
		stage(t, l, n*10, n*10+5, number(table, testDate, int(n)))
	}
	left := l.NewBatch()
	if err := left.Add(number(table, testDate, 9)); err != nil {
		t.Fatal(err)
	}
	left.maxHeld = 0
	if err := left.Add(number(table, testDate, 9)); err != nil { // writes a file
		t.Fatal(err)
	}
	for name, text := range map[string]string{l.TempFile("job"): "half", filepath.Join(l.staging, "README"): "mine", l.tempPath("schema-"): "half"} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Recover(20, 25); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("app_live.a_v1/2026-11-21: 2", contents(t, l)); diff != "" {
		t.Error(diff)
	}
	wantTree(t, l.staging, "README")
}

func TestPublishStopsAtAFileThatIsNoSpans(t *testing.T) {
	l := testLake(t, Options{})
	s := stage(t, l, 1, 1, number(numbers("a_v1"), testDate, 1))
	stranger := filepath.Join(s.dir, "app_live.a_v1.parquet")
	if err := os.WriteFile(stranger, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	err := s.Publish()
	if !errors.Is(err, ErrCorrupt) {
		t.Errorf("%v is not ErrCorrupt", err)
	}
	wantError(t, err, stranger+": a staged span holds a file that is not of a span; move the file out")
}

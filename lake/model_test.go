package lake

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"pinglake/lake/schema"
)

// contents is what readers find: each partition with its numbers in order.
func contents(t testing.TB, l *Lake) string {
	t.Helper()
	have := map[string][]string{}
	refs, err := l.Tables()
	if err != nil {
		t.Fatal(err)
	}
	for _, ref := range refs {
		dates, err := l.Partitions(ref)
		if err != nil {
			t.Fatal(err)
		}
		for _, date := range dates {
			files, err := l.Files(ref, date)
			if err != nil {
				t.Fatal(err)
			}
			for _, file := range files {
				for _, row := range readFile(t, file) {
					have[partitionText(ref, date)] = append(have[partitionText(ref, date)], row[strings.LastIndexByte(row, ' ')+1:])
				}
			}
		}
	}
	return contentText(have)
}

func contentText(have map[string][]string) string {
	var lines []string
	for partition, rows := range have {
		slices.SortFunc(rows, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) })
		lines = append(lines, partition+": "+strings.Join(rows, " "))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// TestLakeAgreesWithAMap runs random batches, publishes, discards, replacements,
// drops and restarts against a map from each partition to its rows. A restart may
// come between stage and publish, before or after the commit.
func TestLakeAgreesWithAMap(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		root, err := os.MkdirTemp("", "lake")
		if err != nil {
			r.Fatal(err)
		}
		defer os.RemoveAll(root)
		m := &model{t: t, options: Options{Dir: filepath.Join(root, "lake"), Staging: filepath.Join(root, "staging")}, want: map[string][]string{}}
		m.open(r)
		r.Repeat(map[string]func(*rapid.T){
			"publish":                   func(r *rapid.T) { m.span(r, true, true) },
			"restart before the commit": func(r *rapid.T) { m.span(r, false, false) },
			"restart after the commit":  func(r *rapid.T) { m.span(r, true, false) },
			"replace":                   m.replace,
			"drop":                      m.drop,
			"look":                      m.look,
		})
		m.look(r)
	})
}

type model struct {
	t           *testing.T
	options     Options
	lake        *Lake
	want        map[string][]string
	first, last uint64 // committed
	number      int
}

func (m *model) open(r *rapid.T) {
	l, err := Open(m.options)
	if err != nil {
		r.Fatal(err)
	}
	m.lake = quickly(l)
	if err := m.lake.Recover(m.first, m.last); err != nil {
		r.Fatal(err)
	}
}

func (m *model) look(r *rapid.T) {
	if got, want := contents(m.t, m.lake), contentText(m.want); got != want {
		r.Fatalf("lake has\n%s\nwant\n%s", got, want)
	}
}

func drawTable(r *rapid.T) *schema.Table {
	return numbers(rapid.SampledFrom([]string{"a_v1", "b_v1"}).Draw(r, "table"))
}

func drawDate(r *rapid.T) int32 {
	return testDate + rapid.Int32Range(0, 2).Draw(r, "date")
}

// span stages a batch; without publish, a restart has to finish or forget it.
func (m *model) span(r *rapid.T, commit, publish bool) {
	b := m.lake.NewBatch()
	b.maxHeld = rapid.SampledFrom([]int64{0, 2 * columnBytes, defaultMaxHeld}).Draw(r, "memory")
	added := map[string][]string{}
	for range rapid.IntRange(0, 8).Draw(r, "rows") {
		m.number++
		row := number(drawTable(r), drawDate(r), m.number)
		if err := b.Add(row); err != nil {
			r.Fatal(err)
		}
		partition := partitionText(refOf(row.Table), row.Date)
		added[partition] = append(added[partition], strconv.Itoa(m.number))
	}
	s, err := b.Stage(context.Background(), m.last+1, m.last+3)
	if err != nil {
		r.Fatal(err)
	}
	if commit {
		m.first, m.last = m.last+1, m.last+3
		for partition, rows := range added {
			m.want[partition] = append(m.want[partition], rows...)
		}
	}
	if !publish {
		m.open(r)
		return
	}
	if err := s.Publish(); err != nil {
		r.Fatal(err)
	}
}

func (m *model) replace(r *rapid.T) {
	m.number++
	table, date := drawTable(r), drawDate(r)
	if err := m.lake.Replace(refOf(table), date, jobFile(m.t, m.lake, number(table, date, m.number))); err != nil {
		r.Fatal(err)
	}
	m.want[partitionText(refOf(table), date)] = []string{strconv.Itoa(m.number)}
}

func (m *model) drop(r *rapid.T) {
	table, date := drawTable(r), drawDate(r)
	if err := m.lake.DropPartition(refOf(table), date); err != nil {
		r.Fatal(err)
	}
	delete(m.want, partitionText(refOf(table), date))
}

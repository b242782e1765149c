package lake

import (
	"context"
	"fmt"
	"runtime"
	"testing"

	"pinglake/lake/schema"
)

// wide is a table like a Glean ping's: 60 leaves, some in structs, some in maps.
func wide() *schema.Table {
	columns := []*schema.Column{column("submission_timestamp", schema.Timestamp), column("document_id", schema.String), column("sample_id", schema.Int64)}
	for _, name := range []string{"client_info", "ping_info", "metadata"} {
		group := column(name, schema.Struct)
		for i := range 15 {
			kind := schema.String
			if i%5 == 4 {
				kind = schema.Int64
			}
			group.Fields = append(group.Fields, column(fmt.Sprintf("field_%d", i), kind))
		}
		columns = append(columns, group)
	}
	metrics := column("metrics", schema.Struct)
	for i := range 5 {
		metrics.Fields = append(metrics.Fields, mapOf(fmt.Sprintf("counter_%d", i), column("", schema.Int64)))
	}
	return schema.NewTable("app_live", "baseline_v1", append(columns, metrics, column("additional_properties", schema.String), column("os", schema.String)))
}

func wideRow(t *schema.Table, i int) schema.Row {
	values := object{
		"submission_timestamp": 1_763_000_000_000_000 + i, "document_id": fmt.Sprintf("%08x-%04x-4000-8000-%012x", i*2654435761%(1<<32), i%65536, i*40503),
		"sample_id": i % 100, "os": "Android",
	}
	for _, name := range []string{"client_info", "ping_info", "metadata"} {
		members := object{}
		for f := range 15 {
			switch {
			case f%5 == 4:
				members[fmt.Sprintf("field_%d", f)] = i * f % 1000
			case f == 0:
				members["field_0"] = fmt.Sprintf("client-%d", i*7919%100_000)
			case f%4 != 3:
				members[fmt.Sprintf("field_%d", f)] = fmt.Sprintf("value-%d", (i+f)%20)
			}
		}
		values[name] = members
	}
	values["metrics"] = object{"counter_0": pairs{{"app.opened", i % 9}, {"app.closed", 1}}, "counter_1": pairs{}}
	return shred(t, testDate, values)
}

// BenchmarkStage writes batches of 20,000 rows of 60 columns: checked, encoded,
// compressed, synced and renamed.
func BenchmarkStage(b *testing.B) {
	l := testLake(b, Options{})
	table := wide()
	if n := len(table.Leaves()); n != 60 {
		b.Fatalf("%d leaves", n)
	}
	rows := make([]schema.Row, 20_000)
	for i := range rows {
		rows[i] = wideRow(table, i)
	}
	var bytes int64
	b.ResetTimer()
	for b.Loop() {
		batch := l.NewBatch()
		for _, row := range rows {
			if err := batch.Add(row); err != nil {
				b.Fatal(err)
			}
		}
		bytes = batch.Bytes()
		s, err := batch.Stage(context.Background(), 1, 2)
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Discard(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*float64(len(rows))/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(bytes)/float64(len(rows)), "bytes/row")
}

// BenchmarkSmallSpan publishes one row in each of 20 tables: what a quiet server
// does for every span.
func BenchmarkSmallSpan(b *testing.B) {
	l := testLake(b, Options{})
	var rows []schema.Row
	for i := range 20 {
		table := *wide()
		table.Name = fmt.Sprintf("t%d_v1", i)
		rows = append(rows, wideRow(&table, i))
	}
	var position uint64
	for b.Loop() {
		position++
		publish(b, stage(b, l, position, position, rows...))
	}
}

// BenchmarkOpenFile is the memory of a file in a batch before its first row.
func BenchmarkOpenFile(b *testing.B) {
	l := testLake(b, Options{})
	y, err := newLayout(wide())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		f := newTableFile(y, l.codec)
		row := wideRow(y.table, 1)
		if _, err := f.add(&row); err != nil {
			b.Fatal(err)
		}
		runtime.KeepAlive(f)
	}
}

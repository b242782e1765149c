// Command bench measures the real binary against a handler that does nothing, in
// one run on one machine, and prints ratios: absolute figures of a shared machine
// mean little.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"runtime"
	"time"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("bench: ")
	var o options
	flag.StringVar(&o.binary, "pinglake", "bin/pinglake", "the binary to measure")
	flag.IntVar(&o.connections, "connections", 256, "connections that send at the same time")
	flag.DurationVar(&o.duration, "duration", 8*time.Second, "how long each part sends")
	flag.StringVar(&o.json, "json", "", "also write the results to this file")
	noop := flag.Bool("noop", false, "be the handler that does nothing (used by bench itself)")
	flag.Parse()
	run := func() error { return bench(o) }
	if *noop {
		run = serveNoop
	}
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

type options struct {
	binary      string
	connections int
	duration    time.Duration
	json        string
}

// part is one line of the table: something done so many times in so long.
type part struct {
	Name    string        `json:"name"`
	Count   int           `json:"count"`
	Took    time.Duration `json:"took_ns"`
	P50     time.Duration `json:"p50_ns,omitempty"`
	P99     time.Duration `json:"p99_ns,omitempty"`
	PerSec  float64       `json:"per_second"`
	Ratio   float64       `json:"ratio_to_noop"`
	PeakRSS int64         `json:"peak_rss_bytes,omitempty"`
}

// bench runs the parts one after the other.
func bench(o options) error {
	noop, err := benchNoop(o)
	if err != nil {
		return fmt.Errorf("no-op handler: %w", err)
	}
	edge, err := benchEdge(o)
	if err != nil {
		return fmt.Errorf("durable edge: %w", err)
	}
	line, err := benchLine(o)
	if err != nil {
		return fmt.Errorf("whole line: %w", err)
	}
	parts := []part{noop, edge}
	parts = append(parts, line...)
	for i := range parts {
		parts[i].PerSec = float64(parts[i].Count) / parts[i].Took.Seconds()
		parts[i].Ratio = parts[i].PerSec / (float64(noop.Count) / noop.Took.Seconds())
	}
	fmt.Printf("%d CPUs, %d connections, %s a part; ratio to the no-op handler of this run\n\n", runtime.NumCPU(), o.connections, o.duration)
	fmt.Printf("%-34s %7s %10s %9s %9s %9s\n", "part", "ratio", "a second", "p50", "p99", "peak RSS")
	for _, p := range parts {
		fmt.Printf("%-34s %7.3f %10.0f %9s %9s %9s\n", p.Name, p.Ratio, p.PerSec, latency(p.P50), latency(p.P99), megabytes(p.PeakRSS))
	}
	if o.json == "" {
		return nil
	}
	text, err := json.MarshalIndent(struct {
		Time  time.Time `json:"time"`
		CPUs  int       `json:"cpus"`
		Go    string    `json:"go"`
		Parts []part    `json:"parts"`
	}{time.Now().UTC(), runtime.NumCPU(), runtime.Version(), parts}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(o.json, append(text, '\n'), 0o644)
}

func latency(d time.Duration) string {
	if d == 0 {
		return "-"
	}
	return d.Round(10 * time.Microsecond).String()
}

func megabytes(b int64) string {
	if b == 0 {
		return "-"
	}
	return fmt.Sprintf("%d MB", b>>20)
}

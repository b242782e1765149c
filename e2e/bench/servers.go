package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// serveNoop is the baseline: net/http reading a body and answering 200.
func serveNoop() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, `{"msg":"serving","edge":%q}`+"\n", listener.Addr())
	return http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			w.WriteHeader(http.StatusBadRequest)
		}
	}))
}

// server is a child process that serves on a free port.
type server struct {
	cmd           *exec.Cmd
	edge, metrics string
	ended         chan error
}

func start(name string, args []string, env ...string) (*server, error) {
	s := &server{cmd: exec.Command(name, args...), ended: make(chan error, 1)}
	s.cmd.Env = append(os.Environ(), env...)
	pipe, err := s.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	serving := make(chan struct{})
	go func() {
		lines := bufio.NewScanner(pipe)
		for lines.Scan() {
			var line struct{ Msg, Edge, Admin, Level string }
			if json.Unmarshal(lines.Bytes(), &line) != nil {
				continue
			}
			if line.Msg == "serving" {
				s.edge, s.metrics = line.Edge, "http://"+line.Admin+"/metrics"
				close(serving)
			}
			if line.Level == "ERROR" || line.Level == "WARN" {
				log.Print(lines.Text())
			}
		}
		s.ended <- s.cmd.Wait()
	}()
	select {
	case <-serving:
		return s, nil
	case err := <-s.ended:
		return nil, errors.Join(fmt.Errorf("%s ended before it served", name), err)
	}
}

func (s *server) kill() { _ = s.cmd.Process.Kill() }

func (s *server) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return <-s.ended
}

// peakRSS is the most memory the process had, in bytes, as Linux tells it.
func (s *server) peakRSS() int64 {
	status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(s.cmd.Process.Pid), "status"))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		var kilobytes int64
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &kilobytes); err == nil {
			return kilobytes << 10
		}
	}
	return 0
}

func benchNoop(o options) (part, error) {
	self, err := os.Executable()
	if err != nil {
		return part{}, err
	}
	s, err := start(self, []string{"-noop"})
	if err != nil {
		return part{}, err
	}
	defer s.kill()
	result, err := load(s.edge, o.connections, o.duration)
	result.Name = "no-op handler"
	return result, err
}

// startPinglake starts the binary on an empty folder.
func startPinglake(o options, env ...string) (*server, string, error) {
	data, err := os.MkdirTemp("", "pinglake-bench-")
	if err != nil {
		return nil, "", err
	}
	s, err := start(o.binary, []string{"serve", "--data", data, "--edge-addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0"},
		append(env, "PINGLAKE_LOG_FORMAT=json")...)
	if err != nil {
		return nil, "", errors.Join(err, os.RemoveAll(data))
	}
	return s, data, nil
}

// benchEdge measures POSTs answered from disk, with nothing behind the stream.
func benchEdge(o options) (part, error) {
	s, data, err := startPinglake(o, "PINGLAKE_SINK_ENABLED=false")
	if err != nil {
		return part{}, err
	}
	defer os.RemoveAll(data)
	defer s.kill()
	result, err := load(s.edge, o.connections, o.duration)
	result.Name, result.PeakRSS = "durable edge (POST, fsynced)", s.peakRSS()
	return result, err
}

// benchLine measures the whole line under the same load: what is answered while
// everything runs, and what can be queried, from the first POST to the last ping
// in the lake.
func benchLine(o options) ([]part, error) {
	s, data, err := startPinglake(o)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(data)
	defer s.kill()
	began := time.Now()
	edge, err := load(s.edge, o.connections, o.duration)
	if err != nil {
		return nil, err
	}
	stored := 0
	for stored < edge.Count {
		time.Sleep(20 * time.Millisecond) // asking must not cost what is measured
		if stored, err = s.stored(); err != nil {
			return nil, err
		}
	}
	queryable := part{Name: "whole line (POST to Parquet)", Count: stored, Took: time.Since(began), PeakRSS: s.peakRSS()}
	edge.Name = "edge while the whole line runs"
	if err := s.stop(); err != nil {
		return nil, err
	}
	return []part{edge, queryable}, nil
}

// stored is how many pings were published, by the daemon's own counter.
func (s *server) stored() (int, error) {
	response, err := http.Get(s.metrics)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	total := 0
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), "pinglake_ingest_pings_total{"); ok {
			value, err := strconv.ParseFloat(rest[strings.LastIndexByte(rest, ' ')+1:], 64)
			if err != nil {
				return 0, err
			}
			total += int(value)
		}
	}
	return total, lines.Err()
}

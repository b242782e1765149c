package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// binary is the pinglake that all tests run: built once, unless E2E_BINARY names one.
var binary = os.Getenv("E2E_BINARY")

func TestMain(m *testing.M) {
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	if binary != "" {
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "pinglake-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "pinglake")
	build := exec.Command("go", "build", "-o", binary, "pinglake/cmd/pinglake")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build the binary:", err)
		return 1
	}
	return m.Run()
}

// deadline is how long a test waits for what must happen.
const deadline = 60 * time.Second

// daemon is a running pinglake serve.
type daemon struct {
	t     *testing.T
	data  string
	edge  string // http://127.0.0.1:port
	admin string
	cmd   *exec.Cmd
	ended chan error
	log   *syncBuffer
}

// syncBuffer is a buffer that may be read while it is written.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// serve starts the daemon on free ports and waits until it serves.
func serve(t *testing.T, data string, flags ...string) *daemon {
	t.Helper()
	args := append([]string{"serve", "--data", data, "--edge-addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0"}, flags...)
	d := &daemon{t: t, data: data, cmd: exec.Command(binary, args...), ended: make(chan error, 1), log: &syncBuffer{}}
	d.cmd.Env = append(os.Environ(), "PINGLAKE_LOG_FORMAT=json", "PINGLAKE_SINK_BATCH_PERIOD=200ms")
	pipe, err := d.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	serving := make(chan struct{})
	go func() {
		lines := bufio.NewScanner(pipe)
		for lines.Scan() {
			fmt.Fprintln(d.log, lines.Text())
			var line struct{ Msg, Edge, Admin string }
			if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "serving" {
				d.edge, d.admin = "http://"+line.Edge, "http://"+line.Admin
				close(serving)
			}
		}
		d.ended <- d.cmd.Wait()
	}()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the daemon's log:\n%s", d.log)
		}
		_ = d.cmd.Process.Kill() // it may have ended
	})
	select {
	case <-serving:
	case err := <-d.ended:
		t.Fatalf("the daemon ended before it served: %v\n%s", err, d.log)
	case <-time.After(deadline):
		t.Fatalf("the daemon does not serve\n%s", d.log)
	}
	return d
}

// stop ends the daemon by SIGTERM, which must be clean.
func (d *daemon) stop() {
	d.t.Helper()
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		d.t.Fatal(err)
	}
	select {
	case err := <-d.ended:
		if err != nil {
			d.t.Fatalf("the daemon ended with %v\n%s", err, d.log)
		}
	case <-time.After(deadline):
		d.t.Fatalf("the daemon does not stop\n%s", d.log)
	}
}

// post submits a body and returns the status.
func (d *daemon) post(uri string, header http.Header, body []byte) int {
	d.t.Helper()
	request, err := http.NewRequest(http.MethodPost, d.edge+uri, bytes.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	for name, values := range header {
		request.Header[name] = values
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		d.t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		d.t.Fatal(err)
	}
	return response.StatusCode
}

// result is what a run of the binary gave.
type result struct {
	out, err string
	code     int
}

// pinglake runs a command to its end.
func pinglake(t *testing.T, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, args...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{out.String(), errOut.String(), cmd.ProcessState.ExitCode()}
}

// query asks the lake and returns the answer as CSV lines without the header.
func query(t *testing.T, data, sql string) []string {
	t.Helper()
	lines, fault := tryQuery(t, data, sql)
	if fault != "" {
		t.Fatalf("%s\n%s", sql, fault)
	}
	return lines
}

func tryQuery(t *testing.T, data, sql string) (lines []string, fault string) {
	t.Helper()
	r := pinglake(t, "sql", "--data", data, "-csv", "-noheader", "-c", sql)
	if r.code != 0 {
		return nil, fmt.Sprintf("exit %d: %s", r.code, r.err)
	}
	return strings.Fields(strings.ReplaceAll(r.out, " ", "_")), ""
}

// eventually asks until the answer is want. Before that the view may not be there.
func eventually(t *testing.T, data, sql, want string) {
	t.Helper()
	var got []string
	var fault string
	for end := time.Now().Add(deadline); time.Now().Before(end); {
		if got, fault = tryQuery(t, data, sql); fault == "" && strings.Join(got, " ") == want {
			return
		}
	}
	t.Fatalf("%s\n got %q %s\nwant %q", sql, got, fault, want)
}

// shared finds a folder of outside test data beside the project, or skips.
func shared(t *testing.T, path ...string) string {
	t.Helper()
	at := filepath.Join(append([]string{"..", "..", "shared"}, path...)...)
	if _, err := os.Stat(at); err != nil {
		t.Skipf("outside test data is not here: %v", err)
	}
	return at
}

// baseline is a small baseline ping of one client.
func baseline(client string) []byte {
	return fmt.Appendf(nil, `{"ping_info":{"seq":0,"start_time":"2026-01-01T00:00+00:00","end_time":"2026-01-01T00:01+00:00"},`+
		`"client_info":{"telemetry_sdk_build":"1.0.0","client_id":%q,"os":"Linux","app_channel":"release","app_build":"1",`+
		`"app_display_version":"1.0","architecture":"x86_64","os_version":"6.1","first_run_date":"2026-01-01+00:00"}}`, client)
}

func decodeJSON(t *testing.T, text string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
}

// awaitMetric waits until the daemon's metrics have a line.
func (d *daemon) awaitMetric(line string) {
	d.t.Helper()
	var text string
	for end := time.Now().Add(deadline); time.Now().Before(end); {
		response, err := http.Get(d.admin + "/metrics")
		if err != nil {
			d.t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil {
			d.t.Fatal(err)
		}
		if text = string(body); strings.Contains("\n"+text, "\n"+line+"\n") {
			return
		}
	}
	d.t.Fatalf("no metric %s in\n%s", line, text)
}

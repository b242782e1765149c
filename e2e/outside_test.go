package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is how long a browser may take for what it does in seconds on a
// machine that has nothing else to do.
const patience = 3 * time.Minute

// look is how often something is looked at that nobody tells of.
const look = 200 * time.Millisecond

// program is an outside program in a process group of its own, so that all that
// it starts ends with it.
type program struct {
	t     *testing.T
	cmd   *exec.Cmd
	log   string        // a file
	ended chan struct{} // closed when it has ended
	err   error         // how; read it after ended
}

// start runs a program with an empty folder for all it keeps. It is gone when the test ends,
// and its output is shown if the test failed.
func start(t *testing.T, name string, args ...string) *program {
	t.Helper()
	dir := t.TempDir()
	p := &program{t: t, cmd: exec.Command(name, args...), log: filepath.Join(dir, "log"), ended: make(chan struct{})}
	// A file and no pipe: a grandchild that lives on keeps a pipe open.
	log, err := os.Create(p.log)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.Env = append(os.Environ(), "HOME="+dir, "TMPDIR="+dir, "XDG_CONFIG_HOME="+dir, "XDG_CACHE_HOME="+dir)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) // all may have ended
		<-p.ended
		if t.Failed() {
			t.Logf("the output of %s:\n%s", filepath.Base(name), p.output())
		}
	})
	return p
}

// maxOutput bounds what is shown of a program's output, in bytes.
const maxOutput = 64 << 10

func (p *program) output() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-maxOutput):])
}

// wait waits until the program has ended and returns how.
func (p *program) wait() error {
	p.t.Helper()
	select {
	case <-p.ended:
		return p.err
	case <-time.After(patience):
		p.t.Fatalf("%s does not end", filepath.Base(p.cmd.Path))
		return nil
	}
}

// until looks again and again until done. What stood in the way last is told when
// that takes too long or the program that should bring it about has ended.
func (p *program) until(what string, done func() (standing string, done bool)) {
	p.t.Helper()
	ticks := time.NewTicker(look)
	defer ticks.Stop()
	for end := time.After(patience); ; {
		standing, ok := done()
		if ok {
			return
		}
		select {
		case <-ticks.C:
			if p.t.Failed() { // somebody else knows why
				p.t.FailNow()
			}
		case <-p.ended:
			p.t.Fatalf("%s: %s ended before: %v\n%s", what, filepath.Base(p.cmd.Path), p.err, standing)
		case <-end:
			p.t.Fatalf("%s: not within %v\n%s", what, patience, standing)
		}
	}
}

// untilRows waits for the answer of a lake that the program sends pings to.
func (p *program) untilRows(data, sql, want string) {
	p.t.Helper()
	p.until(sql, func() (string, bool) {
		lines, fault := tryQuery(p.t, data, sql)
		got := strings.Join(lines, " ")
		return fmt.Sprintf(" got %q %s\nwant %q", got, fault, want), fault == "" && got == want
	})
}

// lookFor finds an outside program or skips.
func lookFor(t *testing.T, name, install string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("no %s here: %s", name, install)
	}
	return path
}

// noRejects fails if a ping was refused. A client that missed our answer sends
// again, so duplicates are no fault.
func noRejects(t *testing.T, data string) {
	t.Helper()
	for _, family := range []string{"structured", "telemetry", "stub_installer"} {
		for _, line := range query(t, data, "SELECT reason, uri, error_message FROM payload_bytes_error."+family+" WHERE reason <> 'duplicate' ORDER BY ALL") {
			t.Errorf("refused: %s", line)
		}
	}
}

package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"
)

// marionette is the remote control of a Firefox that was started with --marionette.
// A message is the length of a JSON text, a colon and the text.
type marionette struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
	sent int
}

// marionetteAddr is where Firefox listens unless it is told otherwise.
const marionetteAddr = "127.0.0.1:2828"

// takeControl connects to a Firefox that may still be starting.
func takeControl(firefox *program) *marionette {
	t := firefox.t
	t.Helper()
	m := &marionette{t: t}
	firefox.until("remote control", func() (string, bool) {
		var err error
		if m.conn, err = net.DialTimeout("tcp", marionetteAddr, patience); err != nil {
			return err.Error(), false
		}
		return "", true
	})
	t.Cleanup(func() { _ = m.conn.Close() })
	if err := m.conn.SetDeadline(time.Now().Add(2 * patience)); err != nil {
		t.Fatal(err)
	}
	m.in = bufio.NewReader(m.conn)
	var greeting struct{ MarionetteProtocol int }
	if m.read(&greeting); greeting.MarionetteProtocol != 3 {
		t.Fatalf("this Firefox speaks version %d of marionette, the test 3", greeting.MarionetteProtocol)
	}
	m.call("WebDriver:NewSession", map[string]any{})
	return m
}

func (m *marionette) read(into any) {
	m.t.Helper()
	size, err := m.in.ReadString(':')
	if err != nil {
		m.t.Fatalf("remote control: %v", err)
	}
	n, err := strconv.Atoi(strings.TrimSuffix(size, ":"))
	if err != nil {
		m.t.Fatalf("remote control: %v", err)
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(m.in, text); err != nil {
		m.t.Fatalf("remote control: %v", err)
	}
	decodeJSON(m.t, string(text), into)
}

// call gives an order and waits until it was carried out.
func (m *marionette) call(order string, parameters any) {
	m.t.Helper()
	m.sent++
	text, err := json.Marshal([]any{0, m.sent, order, parameters})
	if err != nil {
		m.t.Fatal(err)
	}
	if _, err := fmt.Fprintf(m.conn, "%d:%s", len(text), text); err != nil {
		m.t.Fatalf("%s: %v", order, err)
	}
	var answer [4]json.RawMessage // 1, the order's number, error, result
	m.read(&answer)
	if string(answer[1]) != strconv.Itoa(m.sent) || string(answer[2]) != "null" {
		m.t.Fatalf("%s: order %s: %s", order, answer[1], answer[2])
	}
}

// setPref changes a preference as a click in the settings does.
func (m *marionette) setPref(name string, value bool) {
	m.t.Helper()
	m.call("Marionette:SetContext", map[string]any{"value": "chrome"})
	m.call("WebDriver:ExecuteScript", map[string]any{
		"script": "Services.prefs.setBoolPref(arguments[0], arguments[1])", "args": []any{name, value},
	})
}

// quit closes the browser as its user does.
func (m *marionette) quit() {
	m.t.Helper()
	m.call("Marionette:Quit", map[string]any{"flags": []string{"eAttemptQuit"}})
}

package e2e

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// ownNetworkEnv is set for a test that runs where there is no network but its own.
const ownNetworkEnv = "E2E_OWN_NETWORK"

// inOwnNetwork runs the rest of the calling test in a network namespace that has
// nothing but a loopback, so that a client with addresses of its own built in
// reaches nobody, and in a process namespace, so that nothing of it outlives the
// test. There it returns true; here it returns false when the test is done there.
func inOwnNetwork(t *testing.T) bool {
	t.Helper()
	if os.Getenv(ownNetworkEnv) != "" {
		return true
	}
	namespaces := permittedNamespaces(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*patience)
	defer cancel()
	args := append(namespaces, "sh", "-c", `ip link set lo up && exec "$0" "$@"`,
		self, "-test.run=^"+t.Name()+"$", "-test.v", "-test.count=1")
	cmd := exec.CommandContext(ctx, "unshare", args...)
	cmd.Env = append(os.Environ(), ownNetworkEnv+"=1", "E2E_BINARY="+binary)
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()+" ") {
		t.Errorf("in a network of its own: %v\n%s", err, out)
	}
	return false
}

// permittedNamespaces are the flags by which unshare gives what inOwnNetwork
// needs, to root or to anybody. Skips if it does not.
func permittedNamespaces(t *testing.T) []string {
	t.Helper()
	lookFor(t, "unshare", "apt-get install util-linux")
	lookFor(t, "ip", "apt-get install iproute2")
	flags := []string{"--net", "--pid", "--fork", "--kill-child", "--mount-proc"}
	var refused []string
	for _, flags := range [][]string{flags, append([]string{"--map-root-user"}, flags...)} {
		out, err := exec.Command("unshare", append(flags, "ip", "link", "set", "lo", "up")...).CombinedOutput()
		if err == nil {
			return flags
		}
		refused = append(refused, strings.TrimSpace(string(out)))
	}
	t.Skipf("no network namespace to be had here: %s", strings.Join(refused, "; "))
	return nil
}

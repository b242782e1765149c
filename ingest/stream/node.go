package stream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	streamName = "raw"
	subject    = "raw"

	startTimeout = 5 * time.Minute // a long stream is scanned after a crash
)

// node is one life of the embedded server: the server, two connections (a long
// read must not hold up an append) and the folders it writes into.
type node struct {
	server    *server.Server
	writing   *nats.Conn
	reading   *nats.Conn
	publisher jetstream.JetStream
	stream    jetstream.Stream

	// layoutMu keeps Trim, which may replace the folder of packs, away from
	// syncing that folder.
	layoutMu    sync.Mutex
	packsSynced time.Time // modification time of the folder when last synced
	packsDir    string
}

func openNode(ctx context.Context, o Options) (*node, error) {
	packsDir := filepath.Join(o.Dir, "jetstream", "$G", "streams", streamName, "msgs")
	n := &node{packsDir: packsDir}
	if err := n.start(ctx, o); err != nil {
		n.close()
		return nil, err
	}
	return n, nil
}

func (n *node) start(ctx context.Context, o Options) error {
	s, err := server.NewServer(&server.Options{
		ServerName:             "pinglake",
		DontListen:             true,
		NoSigs:                 true,
		NoLog:                  true,
		NoSystemAccount:        true,
		DisableJetStreamBanner: true,
		JetStream:              true,
		StoreDir:               o.Dir,
		SyncAlways:             true,
		// Explicit, because the server would otherwise take a share of the free
		// disk as the limit and refuse to start on a full one.
		JetStreamMaxStore:  1 << 61,
		JetStreamMaxMemory: 64 << 20,
		MaxPayload:         int32(frameLimit(o.MaxBody)),
	})
	if err != nil {
		return fmt.Errorf("set up the embedded server: %w", err)
	}
	n.server = s
	fatal := make(chan string, 1)
	s.SetLoggerV2(serverLog{o.Logger, fatal}, false, false, false)
	s.Start()
	// After a fatal error the server never becomes ready. To wait for it would make
	// minutes of a reason that may pass at once, such as too many open files.
	select {
	case reason := <-fatal:
		return fmt.Errorf("start the embedded server: %s", reason)
	default:
	}
	if err := waitReady(ctx, s); err != nil {
		return err
	}
	if n.writing, err = connect(s, o.Logger); err != nil {
		return err
	}
	if n.reading, err = connect(s, o.Logger); err != nil {
		return err
	}
	return n.openStream(ctx, o)
}

func waitReady(ctx context.Context, s *server.Server) error {
	ready := make(chan bool, 1)
	go func() { ready <- s.ReadyForConnections(startTimeout) }()
	select {
	case ok := <-ready:
		if !ok {
			return fmt.Errorf("start the embedded server: not ready after %s", startTimeout)
		}
		if !s.JetStreamEnabled() {
			return errors.New("start the embedded server: no JetStream, see the warnings before this line")
		}
		return nil
	case <-ctx.Done():
		s.Shutdown()
		<-ready
		return fmt.Errorf("start the embedded server: %w", ctx.Err())
	}
}

func connect(s *server.Server, log *slog.Logger) (*nats.Conn, error) {
	faults := func(_ *nats.Conn, _ *nats.Subscription, err error) {
		log.Warn("embedded nats: connection", "error", err)
	}
	nc, err := nats.Connect("", nats.InProcessServer(s), nats.NoReconnect(), nats.ErrorHandler(faults))
	if err != nil {
		return nil, fmt.Errorf("connect to the embedded server: %w", err)
	}
	return nc, nil
}

func (n *node) openStream(ctx context.Context, o Options) error {
	js, err := jetstream.New(n.reading)
	if err != nil {
		return fmt.Errorf("open jetstream: %w", err)
	}
	if n.publisher, err = jetstream.New(n.writing); err != nil {
		return fmt.Errorf("open jetstream: %w", err)
	}
	n.stream, err = js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name:        streamName,
		Subjects:    []string{subject},
		Retention:   jetstream.LimitsPolicy,
		Storage:     jetstream.FileStorage,
		Discard:     jetstream.DiscardNew,
		MaxBytes:    o.MaxBytes,
		MaxMsgs:     -1,
		Replicas:    1,
		AllowDirect: true,
		// No message carries an id, so the window holds nothing; the smallest allowed.
		Duplicates: 100 * time.Millisecond,
	})
	if err != nil {
		return fmt.Errorf("open stream %q: %w", streamName, err)
	}
	for dir := n.packsDir; len(dir) >= len(filepath.Clean(o.Dir)); dir = filepath.Dir(dir) {
		if err := syncDir(dir); err != nil {
			return err
		}
	}
	return nil
}

// state is what the server says of the stream; gaps are the sequences missing
// between first and last.
func (n *node) state(ctx context.Context) (state State, gaps []uint64, err error) {
	info, err := n.stream.Info(ctx, jetstream.WithDeletedDetails(true))
	if err != nil {
		return State{}, nil, fmt.Errorf("ask for the state of the stream: %w", err)
	}
	state = State{
		Packs:    info.State.Msgs,
		Bytes:    int64(info.State.Bytes),
		MaxBytes: info.Config.MaxBytes,
		First:    info.State.FirstSeq,
		Last:     info.State.LastSeq,
	}
	if state.Packs == 0 {
		state.First = state.Last + 1
	}
	return state, info.State.Deleted, nil
}

// beginAfter makes the next pack of an empty stream after+1.
func (n *node) beginAfter(ctx context.Context, after uint64) (State, error) {
	if err := n.purge(ctx, after); err != nil {
		return State{}, fmt.Errorf("begin the empty stream at pack %d: %w", after+1, err)
	}
	state, _, err := n.state(ctx)
	if err == nil && state.Last != after {
		err = fmt.Errorf("begin the empty stream at pack %d: its last pack is %d", after+1, state.Last)
	}
	return state, err
}

// syncPacks makes the names of new files durable: the server syncs the files
// themselves but not their folder. It costs one stat when nothing is new.
func (n *node) syncPacks() error {
	n.layoutMu.Lock()
	defer n.layoutMu.Unlock()
	info, err := os.Stat(n.packsDir)
	if err != nil {
		return fmt.Errorf("look at the folder of packs: %w", err)
	}
	if info.ModTime().Equal(n.packsSynced) {
		return nil
	}
	if err := syncDir(n.packsDir); err != nil {
		return err
	}
	n.packsSynced = info.ModTime()
	return nil
}

// purge forgets packs up to and including pack. Past the last pack it moves the
// numbering on.
func (n *node) purge(ctx context.Context, pack uint64) error {
	n.layoutMu.Lock()
	defer n.layoutMu.Unlock()
	if err := n.stream.Purge(ctx, jetstream.WithPurgeSequence(pack+1)); err != nil {
		return err
	}
	return syncDir(filepath.Dir(n.packsDir))
}

func (n *node) close() {
	if n.writing != nil {
		n.writing.Close()
	}
	if n.reading != nil {
		n.reading.Close()
	}
	if n.server != nil {
		n.server.Shutdown()
		n.server.WaitForShutdown()
	}
}

func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open folder to sync it: %w", err)
	}
	if err := errors.Join(dir.Sync(), dir.Close()); err != nil {
		return fmt.Errorf("sync folder %s: %w", path, err)
	}
	return nil
}

// serverLog passes the embedded server's lines on: what it warns of as warnings,
// everything else for debugging.
type serverLog struct {
	log   *slog.Logger
	fatal chan<- string // gets the first fatal error
}

func (l serverLog) line(level slog.Level, format string, args []any) {
	if l.log.Enabled(context.Background(), level) {
		l.log.Log(context.Background(), level, "embedded nats: "+fmt.Sprintf(format, args...))
	}
}

// Warnf passes a warning on. The size of a payload is ours to choose, so the one
// about it, printed at every start, is not a warning.
func (l serverLog) Warnf(format string, args ...any) {
	level := slog.LevelWarn
	if strings.HasPrefix(format, "Maximum payloads over") {
		level = slog.LevelDebug
	}
	l.line(level, format, args)
}

// Errorf passes an error on as a warning: the call that met it returns it.
func (l serverLog) Errorf(format string, args ...any) { l.line(slog.LevelWarn, format, args) }

// Fatalf passes a fatal error on; the embedded server never ends the process.
func (l serverLog) Fatalf(format string, args ...any) {
	l.line(slog.LevelError, format, args)
	select {
	case l.fatal <- fmt.Sprintf(format, args...):
	default: // the first one tells why
	}
}

// Noticef passes a notice on.
func (l serverLog) Noticef(format string, args ...any) { l.line(slog.LevelDebug, format, args) }

// Debugf passes a debug line on.
func (l serverLog) Debugf(format string, args ...any) { l.line(slog.LevelDebug, format, args) }

// Tracef passes a trace line on.
func (l serverLog) Tracef(format string, args ...any) { l.line(slog.LevelDebug, format, args) }

package edge

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// The routes that load balancers and operators ask, as Dockerflow has them.
const (
	pathLBHeartbeat = "/__lbheartbeat__"
	pathHeartbeat   = "/__heartbeat__"
	pathVersion     = "/__version__"
)

func isStatus(uri string) bool {
	return uri == pathLBHeartbeat || uri == pathHeartbeat || uri == pathVersion
}

// checkTimeout bounds all checks of one heartbeat together.
const checkTimeout = 5 * time.Second

// VersionInfo is what /__version__ tells about the program.
type VersionInfo struct {
	Build   string `json:"build"`
	Commit  string `json:"commit"`
	Source  string `json:"source"`
	Version string `json:"version"`
}

func (v VersionInfo) json() ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("write the version as JSON: %w", err)
	}
	return append(text, '\n'), nil
}

type heartbeat struct {
	Status  string            `json:"status"` // of the worst check
	Checks  map[string]string `json:"checks"`
	Details map[string]detail `json:"details"` // of the checks that are not well
}

type detail struct {
	Status   string            `json:"status"` // of the worst finding
	Level    Level             `json:"level"`
	Messages map[string]string `json:"messages"` // by the finding's id
}

// status answers the status routes.
func (h *handler) status(w http.ResponseWriter, r *http.Request, uri string) int {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return notAllowed(w, "GET, HEAD")
	}
	switch uri {
	case pathVersion:
		return answerJSON(w, http.StatusOK, h.version)
	case pathHeartbeat:
		return h.heartbeat(w, r)
	}
	w.WriteHeader(http.StatusOK)
	return http.StatusOK
}

func (h *handler) heartbeat(w http.ResponseWriter, r *http.Request) int {
	ctx, cancel := context.WithTimeout(r.Context(), checkTimeout)
	defer cancel()
	beat := heartbeat{Checks: map[string]string{}, Details: map[string]detail{}}
	worst := LevelOK
	for _, check := range h.checks {
		level := LevelOK
		messages := map[string]string{}
		for _, finding := range check.within(ctx) {
			level = max(level, finding.Level)
			messages[finding.ID] = finding.Message
		}
		beat.Checks[check.Name] = level.String()
		if level > LevelOK {
			beat.Details[check.Name] = detail{Status: level.String(), Level: level, Messages: messages}
		}
		worst = max(worst, level)
	}
	beat.Status = worst.String()
	text, err := json.Marshal(beat)
	if err != nil {
		h.log.warn("heartbeat not answered", err)
		return unavailable(w, http.StatusServiceUnavailable)
	}
	code := http.StatusOK
	if worst >= LevelError {
		code = http.StatusInternalServerError
	}
	return answerJSON(w, code, append(text, '\n'))
}

// within runs the check, which may be stuck and must not stick the heartbeat.
func (c Check) within(ctx context.Context) []Finding {
	found := make(chan []Finding, 1)
	go func() { found <- c.Run(ctx) }()
	select {
	case findings := <-found:
		return findings
	case <-ctx.Done():
		return []Finding{{idCheckLate, LevelError, "the check did not end in time"}}
	}
}

func answerJSON(w http.ResponseWriter, code int, text []byte) int {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = w.Write(text) // fails only when the client is gone
	return code
}

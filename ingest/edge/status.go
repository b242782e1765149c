package edge

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

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

// Check is one thing that has to be well for the edge to serve.
type Check struct {
	Name string
	Run  func(context.Context) error // nil: well
}

const (
	levelOK    = "ok"
	levelError = "error"
)

type heartbeat struct {
	Status  string            `json:"status"`
	Checks  map[string]string `json:"checks"`
	Details map[string]detail `json:"details"` // of the checks that are not well
}

type detail struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

// status answers the three routes that load balancers and operators ask.
func (h *handler) status(w http.ResponseWriter, r *http.Request, uri string) int {
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
	beat := heartbeat{Status: levelOK, Checks: map[string]string{}, Details: map[string]detail{}}
	code := http.StatusOK
	for _, check := range h.checks {
		beat.Checks[check.Name] = levelOK
		if err := check.Run(ctx); err != nil {
			beat.Checks[check.Name] = levelError
			beat.Details[check.Name] = detail{Status: levelError, Message: err.Error()}
			beat.Status, code = levelError, http.StatusInternalServerError
		}
	}
	text, err := json.Marshal(beat)
	if err != nil {
		h.log.warn("heartbeat not answered", err)
		return unavailable(w, http.StatusServiceUnavailable)
	}
	return answerJSON(w, code, append(text, '\n'))
}

func answerJSON(w http.ResponseWriter, code int, text []byte) int {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = w.Write(text) // fails only when the client is gone
	return code
}

package simulator

// A vCenter that restarts: its proxy answers for it meanwhile, and what only lived in its memory is gone.

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/vmware/govmomi/simulator/internal"
	"github.com/vmware/govmomi/vim25/types"
)

// LabRestart says how: for AwayMs nobody is served, for LoginMs more nobody is let in.
type LabRestart struct {
	AwayMs  int  `json:"awayMs"`
	LoginMs int  `json:"loginMs,omitempty"` // the single sign-on comes up later than the rest
	RestMs  int  `json:"restMs,omitempty"`  // the REST endpoint comes up later than the rest
	Close   bool `json:"close,omitempty"`   // connections are closed, in place of status 503
	Lost    bool `json:"lost,omitempty"`    // tasks that run are never ended; without it hosts end them
}

var labDown struct {
	sync.Mutex
	how               LabRestart
	back, login, rest time.Time
	times             int // restarts so far
	serving           map[net.Conn]bool
	tokens            map[string]int // REST session: the restart it was first seen after
}

type labConn struct{}

// LabGate stands in front of everything but the lab's own addresses.
func LabGate(s *internal.Server) {
	labDown.serving, labDown.tokens = make(map[net.Conn]bool), make(map[string]int)
	s.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		return context.WithValue(ctx, labConn{}, c)
	}
	inner := s.Config.Handler
	s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/lab/") {
			inner.ServeHTTP(w, r)
			return
		}
		if labTurnedAway(w, r) {
			return
		}
		conn, _ := r.Context().Value(labConn{}).(net.Conn)
		labServing(conn, true)
		defer labServing(conn, false)
		inner.ServeHTTP(w, r)
	})
}

func labServing(conn net.Conn, is bool) {
	labDown.Lock()
	defer labDown.Unlock()
	if is {
		labDown.serving[conn] = true
	} else {
		delete(labDown.serving, conn)
	}
}

// labTurnedAway answers for a vCenter that is not there, or for one that no longer knows a session.
func labTurnedAway(w http.ResponseWriter, r *http.Request) bool {
	labDown.Lock()
	defer labDown.Unlock()
	rest := strings.HasPrefix(r.URL.Path, "/api") || strings.HasPrefix(r.URL.Path, "/rest")
	now := time.Now()
	if now.Before(labDown.back) || (rest && now.Before(labDown.rest)) {
		if labDown.how.Close {
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("Content-Type", "text/plain")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = fmt.Fprintf(w, "503 Service Unavailable (Failed to connect to endpoint: %s)", r.URL.Path)
		return true
	}
	if token := r.Header.Get("vmware-api-session-id"); token != "" {
		if _, ok := labDown.tokens[token]; !ok {
			labDown.tokens[token] = labDown.times
		}
		if labDown.tokens[token] != labDown.times {
			w.WriteHeader(http.StatusUnauthorized)
			return true
		}
	}
	return false
}

// labRestart ends sessions, with their views, filters and collectors, forgets tasks and breaks off every call.
func labRestart(how LabRestart) {
	labDown.Lock()
	labDown.how = how
	labDown.times++
	labDown.back = time.Now().Add(time.Duration(how.AwayMs) * time.Millisecond)
	labDown.login = labDown.back.Add(time.Duration(how.LoginMs) * time.Millisecond)
	labDown.rest = labDown.back.Add(time.Duration(how.RestMs) * time.Millisecond)
	broken := labDown.serving
	labDown.serving = make(map[net.Conn]bool)
	labDown.Unlock()

	sessionMutex.Lock()
	Map.SessionManager().sessions = make(map[string]Session)
	sessionMutex.Unlock()

	tasks := Map.Get(*Map.content().TaskManager).(*TaskManager)
	tasks.Lock()
	Map.Update(tasks, []types.PropertyChange{{Name: "recentTask", Val: []types.ManagedObjectReference{}}})
	tasks.Unlock()
	for _, ref := range labTasks() {
		Map.Remove(ref)
	}
	for conn := range broken {
		if conn != nil {
			_ = conn.Close()
		}
	}
}

func labTasks() (found []types.ManagedObjectReference) {
	Map.m.Lock()
	defer Map.m.Unlock()
	for ref := range Map.objects {
		if ref.Type == "Task" {
			found = append(found, ref)
		}
	}
	return found
}

// labForgotten says whether a restart lost a task that began after so many of them.
func labForgotten(times int) bool {
	labDown.Lock()
	defer labDown.Unlock()
	return labDown.times != times && labDown.how.Lost
}

func labTimes() int {
	labDown.Lock()
	defer labDown.Unlock()
	return labDown.times
}

// labNoLogin returns the fault that a login meets before the single sign-on is back.
func labNoLogin(method string) types.BaseMethodFault {
	labDown.Lock()
	defer labDown.Unlock()
	if !strings.HasPrefix(method, "Login") || !time.Now().Before(labDown.login) {
		return nil
	}
	return &types.SystemError{Reason: "Authorize Exception"}
}

// LabRestarts: PUT = restart now (a LabRestart), GET = how often it has.
func LabRestarts(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPut {
		var how LabRestart
		body := json.NewDecoder(r.Body)
		body.DisallowUnknownFields()
		if err := body.Decode(&how); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		labRestart(how)
	}
	_ = json.NewEncoder(w).Encode(labTimes())
}

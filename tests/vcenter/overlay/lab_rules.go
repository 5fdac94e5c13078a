package simulator

// Rules that make chosen calls fail, late, cut short or expire: PUT /lab/rules with a JSON list.

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// LabRule is matched by the method (or the task's name) and, where given, by the object's name or moref value.
type LabRule struct {
	Method string `json:"method"`           // "PowerOnVM_Task", "folder:GET", "*" = any
	Object string `json:"object,omitempty"` // name or moref value; "" = any
	Kind   string `json:"kind,omitempty"`   // managed object type; "" = any
	Skip   int    `json:"skip,omitempty"`   // let the first N pass
	Count  int    `json:"count,omitempty"`  // fire at most N times; 0 = for ever
	// one effect:
	Fault     string   `json:"fault,omitempty"`     // vim type: the call answers with this fault
	TaskFault string   `json:"taskFault,omitempty"` // the call is accepted, its task ends in this fault
	Expire    bool     `json:"expire,omitempty"`    // the session ends; the call answers NotAuthenticated
	Drop      bool     `json:"drop,omitempty"`      // not executed, connection closed without an answer
	DropAfter bool     `json:"dropAfter,omitempty"` // executed, connection closed without an answer
	Half      bool     `json:"half,omitempty"`      // executed, connection closed after half of the answer
	Status    int      `json:"status,omitempty"`    // HTTP status for /folder
	DelayMs   int      `json:"delayMs,omitempty"`   // the call is answered late
	TaskMs    int      `json:"taskMs,omitempty"`    // its task runs this long, in 10 steps of progress
	Missing   []string `json:"missing,omitempty"`   // property paths answered NoPermission; "*" = all
	Privilege string   `json:"privilege,omitempty"` // that NoPermission names; "System.Read" by default
	Hide      bool     `json:"hide,omitempty"`      // the object is not seen by any collector
	Deny      string   `json:"deny,omitempty"`      // the account is told that it lacks this privilege
	Fired     int      `json:"fired"`

	Restart      *LabRestart `json:"restart,omitempty"`      // not executed, the vCenter restarts
	RestartAfter *LabRestart `json:"restartAfter,omitempty"` // executed, not answered, the vCenter restarts

	seen int
}

var lab struct {
	sync.Mutex
	rules []*LabRule
	auth  bool // /folder asks for a session
	veils int32
}

// labNorm lets "PowerOnVM_Task" match the task named "PowerOn".
func labNorm(s string) string {
	return strings.TrimSuffix(strings.TrimSuffix(strings.ToLower(s), "_task"), "vm")
}

func (r *LabRule) about(ref types.ManagedObjectReference) bool {
	if r.Kind != "" && r.Kind != ref.Type {
		return false
	}
	if r.Object == "" || r.Object == ref.Value {
		return true
	}
	e, ok := Map.Get(ref).(mo.Entity)
	return ok && labName(e) == r.Object
}

// labName is entityName without its panic.
func labName(e mo.Entity) string {
	if e.Entity().Name != "" {
		return e.Entity().Name
	}
	switch getManagedObject(e).Addr().Interface().(type) {
	case *mo.Network, *mo.DistributedVirtualSwitch, *mo.DistributedVirtualPortgroup, *mo.OpaqueNetwork:
		return entityName(e)
	}
	return ""
}

func labMatch(method string, ref types.ManagedObjectReference, want func(*LabRule) bool) *LabRule {
	lab.Lock()
	defer lab.Unlock()
	for _, r := range lab.rules {
		if (r.Method != "*" && labNorm(r.Method) != labNorm(method)) || !want(r) || !r.about(ref) {
			continue
		}
		r.seen++
		if r.seen <= r.Skip || (r.Count > 0 && r.Fired >= r.Count) {
			continue
		}
		r.Fired++
		return r
	}
	return nil
}

// LabRules: GET = rules, PUT = replace them (JSON list), DELETE = none. ?auth=1 makes /folder ask for a session.
func LabRules(w http.ResponseWriter, r *http.Request) {
	lab.Lock()
	defer lab.Unlock()
	switch r.Method {
	case http.MethodPut:
		var rules []*LabRule
		body := json.NewDecoder(r.Body)
		body.DisallowUnknownFields() // a rule that is misspelt would never fire
		if err := body.Decode(&rules); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		for _, rule := range rules {
			if rule.Method == "" && len(rule.Missing) == 0 && !rule.Hide && rule.Deny == "" {
				http.Error(w, "a rule without a method would never fire", http.StatusBadRequest)
				return
			}
		}
		lab.rules = rules
	case http.MethodDelete:
		lab.rules = nil
	}
	veils := 0
	for _, rule := range lab.rules {
		if len(rule.Missing) > 0 || rule.Hide || rule.Deny != "" {
			veils++
		}
	}
	atomic.StoreInt32(&lab.veils, int32(veils))
	if a := r.URL.Query().Get("auth"); a != "" {
		lab.auth = a == "1"
	}
	_ = json.NewEncoder(w).Encode(lab.rules)
}

// labHidden says whether no collector may see the object.
func labHidden(ref types.ManagedObjectReference) bool {
	return labVeil(ref, func(r *LabRule) bool { return r.Hide }) != nil
}

// labMissing returns the fault a property is answered with, nil = it may be read.
func labMissing(ref types.ManagedObjectReference, path string) types.BaseMethodFault {
	rule := labVeil(ref, func(r *LabRule) bool {
		for _, p := range r.Missing {
			if p == "*" || p == path || strings.HasPrefix(path, p+".") {
				return true
			}
		}
		return false
	})
	if rule == nil {
		return nil
	}
	privilege := rule.Privilege
	if privilege == "" {
		privilege = "System.Read"
	}
	return &types.NoPermission{Object: ref, PrivilegeId: privilege}
}

func labVeil(ref types.ManagedObjectReference, want func(*LabRule) bool) *LabRule {
	if atomic.LoadInt32(&lab.veils) == 0 {
		return nil
	}
	return labMatch("", ref, func(r *LabRule) bool { return (len(r.Missing) > 0 || r.Hide || r.Deny != "") && want(r) })
}

func labSleep(ms int) {
	time.Sleep(time.Duration(ms) * time.Millisecond)
}

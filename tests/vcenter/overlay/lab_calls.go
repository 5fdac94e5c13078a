package simulator

// How often each method was called over the wire: GET /lab/calls, DELETE sets all to zero.

import (
	"encoding/json"
	"net/http"
	"sync"

	"github.com/vmware/govmomi/vim25"
)

var labCalls = struct {
	sync.Mutex
	served map[string]int
}{served: make(map[string]int)}

func labCount(method string) {
	labCalls.Lock()
	labCalls.served[method]++
	labCalls.Unlock()
}

// LabCalls answers with the counts; with DELETE they start again afterwards.
func LabCalls(w http.ResponseWriter, r *http.Request) {
	labCalls.Lock()
	defer labCalls.Unlock()
	_ = json.NewEncoder(w).Encode(labCalls.served)
	if r.Method == http.MethodDelete {
		labCalls.served = make(map[string]int)
	}
}

// LabInstance returns the vCenter's instance UUID, after setting it where one is given.
func LabInstance(id string) string {
	about := &Map.Get(vim25.ServiceInstance).(*ServiceInstance).Content.About
	if id != "" {
		about.InstanceUuid = id
	}
	return about.InstanceUuid
}

package simulator

// How often each method was called over the wire: GET /lab/calls, DELETE sets all to zero.

import (
	"encoding/json"
	"net/http"
	"sync"
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

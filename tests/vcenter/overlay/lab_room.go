package simulator

// How much room a datastore has: PUT /lab/room says it, and it is seen once somebody has it counted anew
// (RefreshDatastore), as at a real vCenter, which counts by itself every few minutes only.

import (
	"encoding/json"
	"net/http"
	"sync"
)

// LabRoom is what PUT /lab/room sets, of the datastores with that name.
type LabRoom struct {
	Name     string `json:"name"`
	Free     int64  `json:"free"`
	Capacity int64  `json:"capacity"`
}

var labRooms = struct {
	sync.Mutex
	of map[string]LabRoom
}{of: make(map[string]LabRoom)}

// LabStore sets the room of a datastore.
func LabStore(w http.ResponseWriter, r *http.Request) {
	var said LabRoom
	body := json.NewDecoder(r.Body)
	body.DisallowUnknownFields()
	if err := body.Decode(&said); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	labRooms.Lock()
	defer labRooms.Unlock()
	labRooms.of[said.Name] = said
	_ = json.NewEncoder(w).Encode(said)
}

// labCounted counts the room of a datastore anew; false where nobody said anything of it.
func labCounted(ds *Datastore) bool {
	labRooms.Lock()
	defer labRooms.Unlock()
	said, known := labRooms.of[ds.Name]
	if known {
		ds.Summary.FreeSpace, ds.Summary.Capacity = said.Free, said.Capacity
		ds.Info.GetDatastoreInfo().FreeSpace = said.Free
	}
	return known
}

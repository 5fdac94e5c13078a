package simulator

// Ways in which change tracking has lied: PUT /lab/tracking says which one is told from now on, docs/change-tracking.md
// where each is from. A lie leaves changed grains out of an answer; nothing else of it is different.

import (
	"encoding/json"
	"fmt"
	"math/rand"
	"net/http"
	"strconv"
	"strings"

	"github.com/vmware/govmomi/vim25/types"
)

// LabLie is what PUT /lab/tracking sets; every field is set anew each time.
type LabLie struct {
	// grown, consolidation, silent, late, reverted, order, other-disks, whole, counter, patched, unallocated
	Lie      string `json:"lie"`
	Seed     int64  `json:"seed"`     // of those that leave out some
	Boundary int64  `json:"boundary"` // bytes; of grown, 128 GiB by default
	Build    string `json:"build"`    // every host has this build from now on
	Crash    bool   `json:"crash"`    // the hosts lose power now: tracking begins anew, with its old name under "counter"
}

var labLie LabLie // guarded by labTracked

// labLies is what lies need to know of a disk; the numbers are counters of change ids.
type labLies struct {
	late    bool              // tracked since a time when the VM had a snapshot
	patched int               // the last one before the hosts were patched
	sizes   map[int]int64     // capacity by number
	open    []labHash         // how the disk was when a window opened whose changes get lost
	lost    map[int][]labHash // such windows by the number that closed them
}

// LabTracking sets the lie, and what happens to the hosts at once.
func LabTracking(w http.ResponseWriter, r *http.Request) {
	var said LabLie
	body := json.NewDecoder(r.Body)
	body.DisallowUnknownFields()
	if err := body.Decode(&said); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if said.Boundary == 0 {
		said.Boundary = 128 << 30
	}
	if said.Build != "" {
		for _, e := range Map.All("HostSystem") {
			host := e.(*HostSystem)
			Map.WithLock(host, func() { host.Config.Product.Build = said.Build })
		}
	}
	labTracked.Lock()
	defer labTracked.Unlock()
	labLie = said
	for disk, h := range labTracked.disks {
		if said.Build != "" {
			h.patched = h.last
		}
		if said.Crash && said.Lie == "counter" {
			h.last = 0
		} else if said.Crash {
			delete(labTracked.disks, disk)
		}
	}
	_ = json.NewEncoder(w).Encode(labLie)
}

// taken closes the window that is open: the disk has just got this number.
func (h *labLies) taken(number int, capacity int64) {
	if h.sizes == nil {
		h.sizes, h.lost = make(map[int]int64), make(map[int][]labHash)
	}
	h.sizes[number] = capacity
	if h.open != nil {
		h.lost[number] = h.open
		h.open = nil
	}
}

// labBeforeChange opens a window where a lie loses what is written around a call.
func labBeforeChange(m *Method) {
	s, ok := Map.Get(m.This).(*VirtualMachineSnapshot)
	if !ok {
		return
	}
	vm := Map.Get(s.Vm).(*VirtualMachine)
	labTracked.Lock()
	defer labTracked.Unlock()
	removes, reverts := m.Name == "RemoveSnapshot_Task", m.Name == "RevertToSnapshot_Task"
	newer := vm.Snapshot != nil && vm.Snapshot.CurrentSnapshot != nil && *vm.Snapshot.CurrentSnapshot != s.Self
	for _, d := range s.Config.Hardware.Device {
		disk, ok := d.(*types.VirtualDisk)
		if !ok {
			continue
		}
		b, ok := disk.Backing.(*types.VirtualDiskFlatVer2BackingInfo)
		if !ok || labTracked.disks[b.Uuid] == nil {
			continue
		}
		h := labTracked.disks[b.Uuid]
		switch {
		case labLie.Lie == "consolidation" && removes, labLie.Lie == "reverted" && reverts:
			h.open = labHashes(labFlat(vm, b.FileName))
		case labLie.Lie == "order" && removes && newer:
			h.lost[h.last] = h.maps[b.ChangeId]
		}
	}
}

// told returns the state of a disk as the lie has it: grains that it leaves out are as they were.
func (h *labHistory) told(since string, old, now []labHash, number int, capacity int64) []labHash {
	from, _ := strconv.Atoi(since[strings.LastIndex(since, "/")+1:]) // 0 for "*"
	some := rand.New(rand.NewSource(labLie.Seed))
	hides := func(int, labHash) bool { return false }
	begun := false
	half := func(int, labHash) bool { // at least one: the first
		hidden := !begun || some.Intn(2) == 0
		begun = true
		return hidden
	}
	all := func(int, labHash) bool { return true }
	switch labLie.Lie {
	case "silent":
		hides = half
	case "late":
		if h.late {
			hides = half
		}
	case "unallocated":
		if since == "*" {
			hides = half
		}
	case "other-disks":
		if number > 0 {
			hides = all
		}
	case "patched":
		if from <= h.patched {
			hides = all
		}
	case "grown":
		if edge := (h.sizes[from]/labLie.Boundary + 1) * labLie.Boundary; capacity >= edge {
			hides = func(grain int, _ labHash) bool { return int64(grain)*labGrain >= h.sizes[from] }
		}
	case "consolidation", "reverted", "order":
		hides = func(grain int, was labHash) bool {
			for closed, opened := range h.lost {
				if closed > from && labGrainOf(opened, grain) == was {
					closing := h.maps[fmt.Sprintf("%s/%d", h.id, closed)]
					if labGrainOf(closing, grain) == now[grain] {
						return true
					}
				}
			}
			return false
		}
	}
	told := make([]labHash, len(now))
	for i := range now {
		told[i] = now[i]
		if was := labGrainOf(old, i); now[i] != was && hides(i, was) {
			told[i] = was
		}
	}
	return told
}

func labGrainOf(hashes []labHash, grain int) labHash {
	if grain < len(hashes) {
		return hashes[grain]
	}
	return labHash{}
}

// labDiskNumber returns how many disks of a VM come before this one.
func labDiskNumber(vm *VirtualMachine, disk *types.VirtualDisk) int {
	number := 0
	for _, d := range vm.Config.Hardware.Device {
		if other, ok := d.(*types.VirtualDisk); ok && other.Key < disk.Key {
			number++
		}
	}
	return number
}

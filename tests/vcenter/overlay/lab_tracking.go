package simulator

// Changed block tracking: a snapshot remembers a hash for each 64 KiB of each disk under a change id of that disk.

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/google/uuid"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

const (
	labGrain      = 64 << 10
	labMaxExtents = 2000 // in one answer, as a real one; the caller goes on behind startOffset + length
)

type labHash = [sha256.Size]byte

type labHistory struct {
	id   string
	last int
	maps map[string][]labHash // change id -> hash of each grain; zero = never written
	labLies
}

var labTracked = struct {
	sync.Mutex
	disks map[string]*labHistory // disk uuid
}{disks: make(map[string]*labHistory)}

// labNextChange takes down the state of a disk and returns its change id.
func labNextChange(disk, file string, capacity int64, first bool) string {
	hashes := labHashes(file)
	labTracked.Lock()
	defer labTracked.Unlock()
	h := labTracked.disks[disk]
	if h == nil {
		h = &labHistory{id: uuid.New().String(), maps: make(map[string][]labHash)}
		h.late = !first
		labTracked.disks[disk] = h
	}
	h.last++
	id := fmt.Sprintf("%s/%d", h.id, h.last)
	h.maps[id] = hashes
	h.taken(h.last, capacity)
	return id
}

func labHashes(name string) []labHash {
	f, err := os.Open(name)
	if err != nil {
		return nil
	}
	defer f.Close()
	var res []labHash
	buf := make([]byte, labGrain)
	for {
		n, err := io.ReadFull(f, buf)
		if n > 0 {
			var h labHash
			for _, c := range buf[:n] {
				if c != 0 {
					h = sha256.Sum256(buf[:n])
					break
				}
			}
			res = append(res, h)
		}
		if err != nil {
			return res
		}
	}
}

// labSnapshot gives the snapshot its own copy of the disks and, where tracking is on, their change ids.
func labSnapshot(vm *VirtualMachine, s *VirtualMachineSnapshot) {
	first := vm.Snapshot == nil || len(vm.Snapshot.RootSnapshotList) == 0
	devices := make([]types.BaseVirtualDevice, len(vm.Config.Hardware.Device))
	copy(devices, vm.Config.Hardware.Device)
	for i, d := range devices {
		disk, ok := d.(*types.VirtualDisk)
		if !ok {
			continue
		}
		b, ok := disk.Backing.(*types.VirtualDiskFlatVer2BackingInfo)
		if !ok || !isTrue(vm.Config.ChangeTrackingEnabled) {
			continue
		}
		b.ChangeId = labNextChange(b.Uuid, labFlat(vm, b.FileName), disk.CapacityInBytes, first)
		backing, kept := *b, *disk
		kept.Backing = &backing
		devices[i] = &kept
	}
	s.Config.Hardware.Device = devices
}

// labChanged returns the areas from start on whose hashes differ: at most labMaxExtents, and how far they reach.
func labChanged(old, now []labHash, start, capacity int64) types.DiskChangeInfo {
	info := types.DiskChangeInfo{StartOffset: start, Length: capacity - start}
	for i := range now {
		var before labHash
		if i < len(old) {
			before = old[i]
		}
		from := int64(i) * labGrain
		to := from + labGrain
		if to > capacity {
			to = capacity
		}
		if now[i] == before || to <= start {
			continue
		}
		if from < start {
			from = start
		}
		n := len(info.ChangedArea)
		if n > 0 && info.ChangedArea[n-1].Start+info.ChangedArea[n-1].Length == from {
			info.ChangedArea[n-1].Length += to - from
			continue
		}
		if n == labMaxExtents {
			info.Length = from - start
			break
		}
		info.ChangedArea = append(info.ChangedArea, types.DiskChangeExtent{Start: from, Length: to - from})
	}
	return info
}

// QueryChangedDiskAreas compares the disk as the snapshot holds it, without one as it is now, with a change id
// ("*" = what was ever written).
func (vm *VirtualMachine) QueryChangedDiskAreas(ctx *Context, req *types.QueryChangedDiskAreas) soap.HasFault {
	body := new(methods.QueryChangedDiskAreasBody)
	bad := func(p string) soap.HasFault {
		body.Fault_ = Fault("", &types.InvalidArgument{InvalidProperty: p})
		return body
	}
	devices := vm.Config.Hardware.Device
	if req.Snapshot != nil {
		s, ok := Map.Get(*req.Snapshot).(*VirtualMachineSnapshot)
		if !ok {
			return bad("snapshot")
		}
		devices = s.Config.Hardware.Device
	}
	for _, d := range devices {
		disk, ok := d.(*types.VirtualDisk)
		if !ok || disk.Key != req.DeviceKey {
			continue
		}
		b, ok := disk.Backing.(*types.VirtualDiskFlatVer2BackingInfo)
		if !ok || b.ChangeId == "" {
			body.Fault_ = Fault("", &types.FileFault{File: "change tracking is not enabled"})
			return body
		}
		if req.StartOffset < 0 || req.StartOffset >= disk.CapacityInBytes {
			return bad("startOffset")
		}
		labTracked.Lock()
		defer labTracked.Unlock()
		h := labTracked.disks[b.Uuid]
		if h == nil {
			return bad("changeId")
		}
		now, ok := h.maps[b.ChangeId]
		if !ok {
			return bad("changeId")
		}
		if req.Snapshot == nil {
			now = labHashes(labFlat(vm, b.FileName))
		}
		var old []labHash
		if req.ChangeId != "*" {
			if old, ok = h.maps[req.ChangeId]; !ok {
				return bad("changeId")
			}
		}
		if labLie.Lie == "whole" {
			all := types.DiskChangeExtent{Start: req.StartOffset, Length: disk.CapacityInBytes - req.StartOffset}
			body.Res = &types.QueryChangedDiskAreasResponse{Returnval: types.DiskChangeInfo{
				StartOffset: all.Start, Length: all.Length, ChangedArea: []types.DiskChangeExtent{all},
			}}
			return body
		}
		told := h.told(req.ChangeId, old, now, labDiskNumber(vm, disk), disk.CapacityInBytes)
		body.Res = &types.QueryChangedDiskAreasResponse{
			Returnval: labChanged(old, told, req.StartOffset, disk.CapacityInBytes),
		}
		return body
	}
	return bad("deviceKey")
}

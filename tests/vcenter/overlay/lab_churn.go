package simulator

// Write rates: the real-time counters of a VM whose document states its daily churn say just that.

import (
	"fmt"

	"github.com/vmware/govmomi/vim25/types"
)

var labChurn = make(map[types.ManagedObjectReference]int64) // bytes a day

// labRates returns the series of a write counter in KB/s, one for each disk where "*" is asked for; nil = not stated.
func labRates(entity types.ManagedObjectReference, counter types.PerfCounterInfo, id types.PerfMetricId, samples int32) []types.BasePerfMetricSeries {
	churn, ok := labChurn[entity]
	vm, isVM := Map.Get(entity).(*VirtualMachine)
	group := counter.GroupInfo.GetElementDescription().Key
	name := counter.NameInfo.GetElementDescription().Key
	if !ok || !isVM || name != "write" || counter.RollupType != types.PerfSummaryTypeAverage || (group != "virtualDisk" && group != "disk") {
		return nil
	}
	rate := churn / 86400 / 1024
	series := func(instance string, share int64) types.BasePerfMetricSeries {
		s := &types.PerfMetricIntSeries{Value: make([]int64, samples)}
		s.Id = types.PerfMetricId{CounterId: id.CounterId, Instance: instance}
		for i := range s.Value {
			s.Value[i] = share
		}
		return s
	}
	if group == "disk" {
		return []types.BasePerfMetricSeries{series("", rate)}
	}
	controllers := make(map[int32]types.BaseVirtualController)
	var disks []*types.VirtualDisk
	for _, d := range vm.Config.Hardware.Device {
		if c, ok := d.(types.BaseVirtualController); ok {
			controllers[d.GetVirtualDevice().Key] = c
		}
		if disk, ok := d.(*types.VirtualDisk); ok {
			disks = append(disks, disk)
		}
	}
	var all []types.BasePerfMetricSeries
	for i, disk := range disks {
		bus, short := int32(0), "scsi"
		if c := controllers[disk.ControllerKey]; c != nil {
			bus = c.GetVirtualController().BusNumber
			switch c.(type) {
			case *types.VirtualIDEController:
				short = "ide"
			case *types.VirtualAHCIController:
				short = "sata"
			case *types.VirtualNVMEController:
				short = "nvme"
			}
		}
		share := rate / int64(len(disks))
		if i == 0 {
			share += rate % int64(len(disks))
		}
		instance := fmt.Sprintf("%s%d:%d", short, bus, *disk.UnitNumber)
		if id.Instance == "*" || id.Instance == instance {
			all = append(all, series(instance, share))
		}
	}
	return all
}

package simulator

// What VMs go through in a move: hardware upgrades, consolidation, settings told twice, names, rights and events.

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// labUpgrade takes the virtual hardware to a version, "" = the newest that the VM's host runs.
func labUpgrade(vm *VirtualMachine, version string) types.BaseMethodFault {
	if vm.Runtime.PowerState != types.VirtualMachinePowerStatePoweredOff {
		return &types.InvalidPowerState{
			RequestedState: types.VirtualMachinePowerStatePoweredOff, ExistingState: vm.Runtime.PowerState,
		}
	}
	newest := labNewest[*vm.Runtime.Host]
	if newest == 0 {
		newest = labOldest
	}
	wanted := newest
	if version != "" {
		wanted, _ = strconv.Atoi(strings.TrimPrefix(version, "vmx-"))
	}
	has, _ := strconv.Atoi(strings.TrimPrefix(vm.Config.Version, "vmx-"))
	switch {
	case wanted > newest || wanted == 0:
		return new(types.NotSupported)
	case wanted <= has:
		return new(types.AlreadyUpgraded)
	}
	Map.Update(vm, []types.PropertyChange{{Name: "config.version", Val: fmt.Sprintf("vmx-%02d", wanted)}})
	return nil
}

// ConsolidateVMDisksTask merges what no snapshot needs: here there is only the flag to take down.
func (vm *VirtualMachine) ConsolidateVMDisksTask(req *types.ConsolidateVMDisks_Task) soap.HasFault {
	task := CreateTask(vm, "consolidateVMDisks", func(t *Task) (types.AnyType, types.BaseMethodFault) {
		Map.Update(vm, []types.PropertyChange{{Name: "runtime.consolidationNeeded", Val: false}})
		return nil, nil
	})
	return &methods.ConsolidateVMDisks_TaskBody{Res: &types.ConsolidateVMDisks_TaskResponse{Returnval: task.Run()}}
}

// labSetExtra sets one option: a key is there once, and "" takes it away.
func labSetExtra(vm *VirtualMachine, option types.BaseOptionValue) {
	said := option.GetOptionValue()
	var kept []types.BaseOptionValue
	for _, o := range vm.Config.ExtraConfig {
		if o.GetOptionValue().Key != said.Key {
			kept = append(kept, o)
		}
	}
	if said.Value != "" {
		kept = append(kept, option)
	}
	vm.Config.ExtraConfig = kept
}

// labSetField sets one custom value: a key is there once.
func labSetField(entity *mo.ManagedEntity, value *types.CustomFieldStringValue) {
	set := func(values []types.BaseCustomFieldValue) []types.BaseCustomFieldValue {
		var kept []types.BaseCustomFieldValue
		for _, v := range values {
			if v.GetCustomFieldValue().Key != value.Key {
				kept = append(kept, v)
			}
		}
		return append(kept, value)
	}
	entity.CustomValue = set(entity.CustomValue)
	entity.Value = set(entity.Value)
}

// labFillNets gives every adapter a place in what the guest reports: a customisation is held against adapters.
func labFillNets(vm *VirtualMachine) {
	known := make(map[int32]bool)
	for _, net := range vm.Guest.Net {
		known[net.DeviceConfigId] = true
	}
	for _, d := range vm.Config.Hardware.Device {
		card, ok := d.(types.BaseVirtualEthernetCard)
		if !ok || known[d.GetVirtualDevice().Key] {
			continue
		}
		mac := card.GetVirtualEthernetCard().MacAddress
		vm.Guest.Net = append(vm.Guest.Net, types.GuestNicInfo{DeviceConfigId: d.GetVirtualDevice().Key, MacAddress: mac})
	}
}

// labTaken refuses a second VM of a name in a folder, as a real vCenter does.
func labTaken(f *mo.Folder, name string) types.BaseMethodFault {
	if child := Map.FindByName(name, f.ChildEntity); child != nil {
		return &types.DuplicateName{Name: name, Object: child.Reference()}
	}
	return nil
}

// labGranted says whether the account holds a privilege: all but those that a rule denies.
func labGranted(ref types.ManagedObjectReference, privilege string) bool {
	return labVeil(ref, func(r *LabRule) bool { return r.Deny == privilege }) == nil
}

// LogUserEvent records what somebody says of an object.
func (m *EventManager) LogUserEvent(ctx *Context, req *types.LogUserEvent) soap.HasFault {
	event := &types.GeneralUserEvent{GeneralEvent: types.GeneralEvent{Message: req.Msg}}
	if vm, ok := Map.Get(req.Entity).(*VirtualMachine); ok {
		event.Event = vm.event().Event
	}
	m.PostEvent(ctx, &types.PostEvent{This: m.Self, EventToPost: event})
	return &methods.LogUserEventBody{Res: new(types.LogUserEventResponse)}
}

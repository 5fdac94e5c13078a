package simulator

// Standard switches and port groups that are made at run time: what they are made of is kept, hosts and
// clusters reach their networks, and one that a VM is plugged into is not removed.

import (
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// labSwitch is a switch with its specification and the adapters that it has as uplinks.
func labSwitch(c *types.AddVirtualSwitch) types.HostVirtualSwitch {
	made := types.HostVirtualSwitch{Name: c.VswitchName, Key: "key-vim.host.VirtualSwitch-" + c.VswitchName}
	if c.Spec != nil {
		made.Spec = *c.Spec
		if bond, ok := c.Spec.Bridge.(*types.HostVirtualSwitchBondBridge); ok {
			made.Pnic = bond.NicDevice
		}
	}
	return made
}

// labReach lets a host and its cluster reach a network.
func labReach(host *mo.HostSystem, network *mo.Network) {
	ref := network.Self
	network.Host = append(network.Host, host.Self)
	host.Network = append(host.Network, ref)
	if compute := hostParent(host); FindReference(compute.Network, ref) == nil {
		compute.Network = append(compute.Network, ref)
	}
}

// labUnreach takes a network from a host, unless a VM is plugged into it.
func labUnreach(host *mo.HostSystem, ref types.ManagedObjectReference) types.BaseMethodFault {
	for _, vm := range host.Vm {
		if FindReference(Map.Get(vm).(*VirtualMachine).Network, ref) != nil {
			return &types.ResourceInUse{Type: ref.Type, Name: ref.Value}
		}
	}
	RemoveReference(&host.Network, ref)
	RemoveReference(&hostParent(host).Network, ref)
	return nil
}

package simulator

// What the guest and its tools report, by an inventory document.

import (
	"net"
	"strconv"

	"github.com/vmware/govmomi/vim25/types"
)

// labTools translates the summary word into the two that replaced it.
var labTools = map[string][2]string{
	"toolsOk":           {"guestToolsRunning", "guestToolsCurrent"},
	"toolsOld":          {"guestToolsRunning", "guestToolsNeedUpgrade"},
	"toolsNotRunning":   {"guestToolsNotRunning", "guestToolsCurrent"},
	"toolsNotInstalled": {"guestToolsNotRunning", "guestToolsNotInstalled"},
}

func labGuestInfo(d *labVM, vm *VirtualMachine) *types.GuestInfo {
	words := labTools[d.Tools]
	guest := &types.GuestInfo{
		ToolsStatus: types.VirtualMachineToolsStatus(d.Tools), ToolsRunningStatus: words[0], ToolsVersionStatus: words[1],
		ToolsVersionStatus2: words[1], ToolsVersion: d.Guest.ToolsVersion, HostName: d.DNSName,
		GuestFullName: d.Guest.RunningOS, GuestState: string(types.VirtualMachineGuestStateNotRunning),
	}
	if vm.Runtime.PowerState == types.VirtualMachinePowerStatePoweredOn && words[0] == "guestToolsRunning" {
		guest.GuestState = string(types.VirtualMachineGuestStateRunning)
		guest.GuestId = vm.Config.GuestId
		guest.GuestFamily = guestFamily(vm.Config.GuestId)
	}
	for i := range d.NICs {
		nic := &d.NICs[i]
		if len(nic.Addresses) == 0 && nic.DHCP == nil {
			continue
		}
		info := types.GuestNicInfo{
			Network: nic.Network, MacAddress: nic.MAC, IpAddress: nic.Addresses, Connected: true, DeviceConfigId: labNICKey + int32(i),
			IpConfig: &types.NetIpConfigInfo{},
		}
		for _, address := range nic.Addresses {
			if guest.IpAddress == "" {
				guest.IpAddress = address
			}
			info.IpConfig.IpAddress = append(info.IpConfig.IpAddress, types.NetIpConfigInfoIpAddress{
				IpAddress: address, PrefixLength: labPrefix(address, nic.Subnets), State: "preferred",
			})
		}
		if nic.DHCP != nil {
			info.IpConfig.Dhcp = &types.NetDhcpConfigInfo{Ipv4: &types.NetDhcpConfigInfoDhcpOptions{Enable: *nic.DHCP}}
		}
		guest.Net = append(guest.Net, info)
	}
	for _, p := range d.Guest.Partitions {
		info := types.GuestDiskInfo{DiskPath: p.Path, Capacity: p.CapacityBytes, FreeSpace: p.FreeBytes}
		if key, err := strconv.Atoi(p.Disk); err == nil {
			info.Mappings = []types.GuestInfoVirtualDiskMapping{{Key: int32(key)}}
		}
		guest.Disk = append(guest.Disk, info)
	}
	return guest
}

// labPrefix returns the length of the subnet the address is in; 0 = the document does not say.
func labPrefix(address string, subnets []string) int32 {
	ip := net.ParseIP(address)
	for _, subnet := range subnets {
		if _, n, err := net.ParseCIDR(subnet); err == nil && ip != nil && n.Contains(ip) {
			ones, _ := n.Mask.Size()
			return int32(ones)
		}
	}
	return 0
}

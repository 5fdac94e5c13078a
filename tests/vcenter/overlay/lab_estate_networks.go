package simulator

// Networks of an inventory document: port groups of hosts, and distributed port groups with their switches.

import (
	"strconv"
	"strings"

	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// network returns a network by its name; one that the document does not list is a standard port group.
func (e *labEstate) network(dc, name string) mo.Entity {
	if n := e.networks[labKey(dc, name)]; n != nil {
		return n
	}
	return e.addNetwork(&labNet{Name: name, Datacenter: dc})
}

func (e *labEstate) addNetwork(d *labNet) mo.Entity {
	folder := &e.folder(d.Datacenter, "network", "", "").Folder
	var made mo.Entity
	switch {
	case d.Kind == "opaque":
		made = labOpaque(d)
	case d.Kind == "distributed" || (d.Kind == "" && d.Key != ""):
		made = e.portgroup(d)
	default:
		net := &mo.Network{Name: d.Name}
		net.Self = labMoRef("Network", d.ID)
		net.Entity().Name = d.Name
		made = net
	}
	folderPutChild(internalContext, folder, made)
	net := labNetworkOf(made)
	for _, host := range e.hostsOf(d.Datacenter) {
		host.Network = append(host.Network, made.Reference())
		net.Host = append(net.Host, host.Self)
		compute := hostParent(&host.HostSystem)
		if FindReference(compute.Network, made.Reference()) == nil {
			compute.Network = append(compute.Network, made.Reference())
		}
		if made.Reference().Type == "Network" {
			labPortGroups(host, d)
		}
	}
	if pg, ok := made.(*DistributedVirtualPortgroup); ok {
		dvs := e.dvs(d.Datacenter, d.Switch)
		if pg.Key == "" {
			pg.Key = pg.Self.Value
		}
		pg.Config.Key = pg.Key
		pg.Config.DistributedVirtualSwitch = &dvs.Self
		dvs.Portgroup = append(dvs.Portgroup, pg.Self)
		dvs.Summary.PortgroupName = append(dvs.Summary.PortgroupName, pg.Name)
		if isTrue(d.Uplink) {
			config := dvs.Config.(*types.VMwareDVSConfigInfo)
			config.UplinkPortgroup = append(config.UplinkPortgroup, pg.Self)
		}
	}
	e.networks[labKey(d.Datacenter, d.Name)] = made
	return made
}

func labNetworkOf(net mo.Entity) *mo.Network {
	switch n := net.(type) {
	case *DistributedVirtualPortgroup:
		return &n.Network
	case *mo.OpaqueNetwork:
		return &n.Network
	default:
		return net.(*mo.Network)
	}
}

// hostsOf returns the hosts of a datacenter in the order of the document.
func (e *labEstate) hostsOf(dc string) []*HostSystem {
	var hosts []*HostSystem
	for i := range e.doc.Hosts {
		if d := &e.doc.Hosts[i]; d.Datacenter == dc {
			hosts = append(hosts, e.hosts[d.Name])
		}
	}
	return hosts
}

func labOpaque(d *labNet) *mo.OpaqueNetwork {
	net := new(mo.OpaqueNetwork)
	net.Self = labMoRef("OpaqueNetwork", d.ID)
	net.Network.Name = d.Name
	net.Entity().Name = d.Name
	net.Summary = &types.OpaqueNetworkSummary{
		NetworkSummary:    types.NetworkSummary{Network: &net.Self, Name: d.Name, Accessible: true},
		OpaqueNetworkId:   newUUID(d.Name),
		OpaqueNetworkType: "nsx.LogicalSwitch",
	}
	return net
}

func (e *labEstate) portgroup(d *labNet) *DistributedVirtualPortgroup {
	pg := &DistributedVirtualPortgroup{}
	pg.Self = labMoRef("DistributedVirtualPortgroup", d.ID)
	pg.Name = d.Name
	pg.Entity().Name = d.Name
	pg.Key = d.Key
	binding := map[string]string{
		"static": "earlyBinding", "dynamic": "lateBinding", "ephemeral": "ephemeral",
	}[d.Binding]
	if binding == "" {
		binding = "earlyBinding"
	}
	setting := &types.VMwareDVSPortSetting{Vlan: labVLAN(d.VLAN)}
	if d.Promiscuous != nil || d.ForgedTransmits != nil || d.MACChanges != nil {
		setting.SecurityPolicy = &types.DVSSecurityPolicy{
			AllowPromiscuous: &types.BoolPolicy{Value: d.Promiscuous},
			MacChanges:       &types.BoolPolicy{Value: d.MACChanges},
			ForgedTransmits:  &types.BoolPolicy{Value: d.ForgedTransmits},
		}
	}
	pg.Config = types.DVPortgroupConfigInfo{
		Name: d.Name, Type: binding, NumPorts: 8, Uplink: d.Uplink, DefaultPortConfig: setting,
		Policy: &types.VMwareDVSPortgroupPolicy{}, BackingType: "standard",
	}
	return pg
}

// labVLAN reads "10", "10,20-30", "0-4094", "pvlan 101"; nothing is VLAN 0.
func labVLAN(vlan string) types.BaseVmwareDistributedVirtualSwitchVlanSpec {
	text := strings.TrimSpace(strings.ToLower(vlan))
	if number := strings.TrimLeft(strings.TrimPrefix(text, "pvlan"), " :"); number != text {
		id, _ := strconv.Atoi(number)
		return &types.VmwareDistributedVirtualSwitchPvlanSpec{PvlanId: int32(id)}
	}
	if id, err := strconv.Atoi(text); err == nil {
		return &types.VmwareDistributedVirtualSwitchVlanIdSpec{VlanId: int32(id)}
	}
	trunk := &types.VmwareDistributedVirtualSwitchTrunkVlanSpec{}
	for _, part := range strings.Split(text, ",") {
		ends := strings.SplitN(strings.TrimSpace(part), "-", 2)
		from, err := strconv.Atoi(strings.TrimSpace(ends[0]))
		if err != nil {
			continue
		}
		to := from
		if len(ends) == 2 {
			to, _ = strconv.Atoi(strings.TrimSpace(ends[1]))
		}
		trunk.VlanId = append(trunk.VlanId, types.NumericRange{Start: int32(from), End: int32(to)})
	}
	if len(trunk.VlanId) == 0 {
		return &types.VmwareDistributedVirtualSwitchVlanIdSpec{}
	}
	return trunk
}

func (e *labEstate) dvs(dc, name string) *DistributedVirtualSwitch {
	if name == "" {
		name = "dvs-" + dc
	}
	key := labKey(dc, name)
	if s := e.switches[key]; s != nil {
		return s
	}
	s := &DistributedVirtualSwitch{}
	s.Self = types.ManagedObjectReference{Type: "VmwareDistributedVirtualSwitch"}
	s.Name = name
	s.Entity().Name = name
	s.Uuid = newUUID(key)
	s.Summary = types.DVSSummary{Name: name, Uuid: s.Uuid}
	s.Config = &types.VMwareDVSConfigInfo{DVSConfigInfo: types.DVSConfigInfo{
		Uuid: s.Uuid, Name: name, DefaultPortConfig: &types.VMwareDVSPortSetting{}, UplinkPortPolicy: &types.DVSNameArrayUplinkPortPolicy{},
	}}
	s.Config.GetDVSConfigInfo().Policy = &types.DVSPolicy{}
	folderPutChild(internalContext, &e.folder(dc, "network", "", "").Folder, s)
	for _, host := range e.hostsOf(dc) {
		s.Summary.HostMember = append(s.Summary.HostMember, host.Self)
	}
	e.switches[key] = s
	return s
}

// labPortGroups adds a standard port group to what the host says of its network; nil takes all away.
func labPortGroups(host *HostSystem, d *labNet) {
	info := host.Config.Network
	if d == nil {
		info.Portgroup = nil
		for i := range info.Vswitch {
			info.Vswitch[i].Portgroup = nil
		}
		return
	}
	name := d.Switch
	if name == "" {
		name = "vSwitch0"
	}
	vlan, _ := strconv.Atoi(d.VLAN)
	security := &types.HostNetworkSecurityPolicy{
		AllowPromiscuous: d.Promiscuous, MacChanges: d.MACChanges, ForgedTransmits: d.ForgedTransmits,
	}
	key := "key-vim.host.PortGroup-" + d.Name
	at := -1
	for i := range info.Vswitch {
		if info.Vswitch[i].Name == name {
			at = i
		}
	}
	if at < 0 {
		at = len(info.Vswitch)
		fresh := types.HostVirtualSwitch{Name: name, Key: "key-vim.host.VirtualSwitch-" + name, NumPorts: 1536, Mtu: 1500}
		if len(info.Vswitch) > 0 {
			fresh.Spec = info.Vswitch[0].Spec
		}
		info.Vswitch = append(info.Vswitch, fresh)
	}
	info.Vswitch[at].Portgroup = append(info.Vswitch[at].Portgroup, key)
	info.Portgroup = append(info.Portgroup, types.HostPortGroup{
		Key: key, Vswitch: info.Vswitch[at].Key,
		ComputedPolicy: types.HostNetworkPolicy{Security: security},
		Spec: types.HostPortGroupSpec{
			Name: d.Name, VlanId: int32(vlan), VswitchName: name, Policy: types.HostNetworkPolicy{Security: security},
		},
	})
}

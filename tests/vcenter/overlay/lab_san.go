package simulator

// A SAN: LUNs that hosts share, seen through Fibre Channel and iSCSI adapters over several paths.

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/vmware/govmomi/simulator/esx"
	"github.com/vmware/govmomi/vim25/types"
)

const labSector = 512

var labUsualHBAs = []labHBA{
	{Device: "vmhba2", Kind: "fc", Status: "online", Model: "LightPulse LPe32000 PCIe Fibre Channel Adapter"},
	{Device: "vmhba3", Kind: "fc", Status: "online", Model: "LightPulse LPe32000 PCIe Fibre Channel Adapter"},
	{Device: "vmhba64", Kind: "iscsi", Status: "online", Model: "iSCSI Software Adapter"},
}

// labLUNUuid returns what vSphere calls the uuid of a LUN: the same on every host that sees it.
func labLUNUuid(lun *labLUN) string {
	if lun.UUID != "" {
		return lun.UUID
	}
	id := strings.TrimPrefix(lun.Name, "naa.")
	if _, err := hex.DecodeString(id); err != nil {
		id = hex.EncodeToString([]byte(id))
	}
	return "0200000000" + id + hex.EncodeToString([]byte(fmt.Sprintf("%-6.6s", lun.Model)))
}

// labSetStorage gives the host these adapters and LUNs besides its local disk.
func labSetStorage(host *HostSystem, adapters []labHBA, luns []*labLUN) {
	device := new(types.HostStorageDeviceInfo)
	deepCopy(&esx.HostStorageDeviceInfo, device)
	if adapters == nil {
		adapters = labUsualHBAs
	}
	device.HostBusAdapter = nil
	device.PlugStoreTopology = nil
	device.ScsiTopology.Adapter = nil
	for i := range adapters {
		device.HostBusAdapter = append(device.HostBusAdapter, labAdapter(host, i, &adapters[i]))
		device.ScsiTopology.Adapter = append(device.ScsiTopology.Adapter, types.HostScsiTopologyInterface{
			Key:     "key-vim.host.ScsiTopology.Interface-" + adapters[i].Device,
			Adapter: device.HostBusAdapter[i].GetHostHostBusAdapter().Key,
		})
	}
	for number, lun := range luns {
		labAddLUN(device, adapters, number, lun)
	}
	device.SoftwareInternetScsiEnabled = true
	host.Config.StorageDevice = device
	host.Summary.Hardware.NumHBAs = int32(len(device.HostBusAdapter))
	if system, ok := Map.Get(*host.ConfigManager.StorageSystem).(*HostStorageSystem); ok {
		system.StorageDeviceInfo = device
		system.HBA = device.HostBusAdapter
	}
}

func labAdapter(host *HostSystem, number int, d *labHBA) types.BaseHostHostBusAdapter {
	common := types.HostHostBusAdapter{
		Device: d.Device, Bus: int32(number), Status: d.Status, Model: d.Model, Driver: "nmp", Pci: fmt.Sprintf("0000:%02x:00.0", number+3),
	}
	if common.Status == "" {
		common.Status = "unknown"
	}
	key := func(kind string) { common.Key = "key-vim.host." + kind + "-" + d.Device }
	switch strings.ToLower(d.Kind) {
	case "fc":
		key("FibreChannelHba")
		port := labWWN(d.WWN)
		if port == 0 {
			port = labWWN("20" + strings.ReplaceAll(newUUID(host.Name+d.Device), "-", "")[:14])
		}
		return &types.HostFibreChannelHba{
			HostHostBusAdapter: common, PortWorldWideName: port, NodeWorldWideName: port &^ (1 << 60),
			PortType: types.FibreChannelPortTypeFabric, Speed: 32,
		}
	case "iscsi":
		key("InternetScsiHba")
		name := d.WWN
		if name == "" {
			name = "iqn.1998-01.com.vmware:" + host.Name
		}
		return &types.HostInternetScsiHba{HostHostBusAdapter: common, IsSoftwareBased: true, IScsiName: name, MaxSpeedMb: 10000}
	case "sas":
		key("SerialAttachedHba")
		return &types.HostSerialAttachedHba{HostHostBusAdapter: common, NodeWorldWideName: d.WWN}
	default:
		key("BlockHba")
		return &types.HostBlockHba{HostHostBusAdapter: common}
	}
}

// labWWN reads "20:00:00:25:b5:00:00:01"; vSphere keeps it as a signed 64 bit number.
func labWWN(text string) int64 {
	n, _ := strconv.ParseUint(strings.NewReplacer(":", "", "-", "", " ", "").Replace(text), 16, 64)
	return int64(n)
}

func labAddLUN(device *types.HostStorageDeviceInfo, adapters []labHBA, number int, lun *labLUN) {
	id := labLUNUuid(lun)
	model, vendor, serial := lun.Model, lun.Vendor, lun.Serial
	if serial == "" {
		serial = "unavailable"
	}
	disk := &types.HostScsiDisk{
		ScsiLun: types.ScsiLun{
			HostDevice:    types.HostDevice{DeviceName: "/vmfs/devices/disks/" + lun.Name, DeviceType: "disk"},
			Key:           "key-vim.host.ScsiDisk-" + id,
			Uuid:          id,
			Descriptor:    []types.ScsiLunDescriptor{{Quality: "highQuality", Id: lun.Name}, {Quality: "highQuality", Id: "vml." + id}},
			CanonicalName: lun.Name,
			DisplayName:   fmt.Sprintf("%s disk (%s)", vendor, lun.Name),
			LunType:       "disk",
			Vendor:        fmt.Sprintf("%-8s", vendor), // padded, as SCSI says it
			Model:         fmt.Sprintf("%-16s", model),
			Revision:      "0001", ScsiLevel: 6, SerialNumber: serial, QueueDepth: 64,
			OperationalState: []string{"ok"}, VStorageSupport: "vStorageSupported", ProtocolEndpoint: types.NewBool(false),
		},
		Capacity:   types.HostDiskDimensionsLba{BlockSize: labSector, Block: lun.SizeBytes / labSector},
		DevicePath: "/vmfs/devices/disks/" + lun.Name,
		Ssd:        types.NewBool(false), LocalDisk: types.NewBool(false), ScsiDiskType: "native512",
	}
	device.ScsiLun = append(device.ScsiLun, disk)
	unit := types.HostMultipathInfoLogicalUnit{
		Key: "key-vim.host.MultipathInfo.LogicalUnit-" + id, Id: id, Lun: disk.Key,
		Policy:                 &types.HostMultipathInfoLogicalUnitPolicy{Policy: "VMW_PSP_RR"},
		StorageArrayTypePolicy: &types.HostMultipathInfoLogicalUnitStorageArrayTypePolicy{Policy: "VMW_SATP_ALUA"},
	}
	for i, adapter := range device.HostBusAdapter {
		kind := strings.ToLower(adapters[i].Kind)
		if kind != "fc" && kind != "iscsi" {
			continue
		}
		at := adapter.GetHostHostBusAdapter()
		name := fmt.Sprintf("%s:C0:T0:L%d", at.Device, number)
		transport := types.BaseHostTargetTransport(&types.HostFibreChannelTargetTransport{
			PortWorldWideName: 0x500a098000000001, NodeWorldWideName: 0x500a098000000000,
		})
		if kind == "iscsi" {
			transport = &types.HostInternetScsiTargetTransport{IScsiName: "iqn.1992-08.test.example:array", Address: []string{"192.0.2.10:3260"}}
		}
		unit.Path = append(unit.Path, types.HostMultipathInfoPath{
			Key: "key-vim.host.MultipathInfo.Path-" + name, Name: name, PathState: "active", State: "active",
			IsWorkingPath: types.NewBool(true), Adapter: at.Key, Lun: unit.Key, Transport: transport,
		})
		side := &device.ScsiTopology.Adapter[i]
		if len(side.Target) == 0 {
			side.Target = []types.HostScsiTopologyTarget{{
				Key: fmt.Sprintf("key-vim.host.ScsiTopology.Target-%s:0:0", at.Device), Transport: transport,
			}}
		}
		side.Target[0].Lun = append(side.Target[0].Lun, types.HostScsiTopologyLun{
			Key: "key-vim.host.ScsiTopology.Lun-" + id, Lun: int32(number), ScsiLun: disk.Key,
		})
	}
	device.MultipathInfo.Lun = append(device.MultipathInfo.Lun, unit)
}

// labTargetDisks offers the LUNs a raw device mapping could be made of: no VMFS on them, no mapping yet.
func labTargetDisks(target *types.ConfigTarget, host *HostSystem) {
	taken := make(map[string]bool)
	for _, ref := range host.Datastore {
		if ds, ok := Map.Get(ref).(*Datastore); ok {
			if info, ok := ds.Info.(*types.VmfsDatastoreInfo); ok {
				for _, extent := range info.Vmfs.Extent {
					taken[extent.DiskName] = true
				}
			}
		}
	}
	for _, d := range target.ScsiDisk {
		taken[d.Disk.CanonicalName] = true
	}
	for _, e := range Map.All("VirtualMachine") {
		vm, ok := e.(*VirtualMachine)
		if !ok || vm.Config == nil {
			continue
		}
		for _, d := range vm.Config.Hardware.Device {
			if disk, ok := d.(*types.VirtualDisk); ok {
				if b, ok := disk.Backing.(*types.VirtualDiskRawDiskMappingVer1BackingInfo); ok {
					taken[b.LunUuid] = true
				}
			}
		}
	}
	for i, l := range host.Config.StorageDevice.ScsiLun {
		disk, ok := l.(*types.HostScsiDisk)
		if !ok || isTrue(disk.LocalDisk) || taken[disk.CanonicalName] || taken[disk.Uuid] {
			continue
		}
		target.ScsiDisk = append(target.ScsiDisk, types.VirtualMachineScsiDiskDeviceInfo{
			VirtualMachineDiskDeviceInfo: types.VirtualMachineDiskDeviceInfo{
				VirtualMachineTargetInfo: types.VirtualMachineTargetInfo{Name: disk.DevicePath},
				Capacity:                 disk.Capacity.Block * labSector,
			},
			Disk: disk, LunNumber: int32(i),
		})
	}
}

// LabPlainSAN gives every host of each datacenter of a model made by flags the same n LUNs of 16 GiB;
// the first of them carry its datastores, the rest are free.
func LabPlainSAN(n int) {
	for at, dc := range Map.All("Datacenter") {
		name := dc.Entity().Name
		var luns []*labLUN
		for i := 0; i < n; i++ {
			id := strings.ReplaceAll(newUUID(fmt.Sprintf("%s lun %d", name, i)), "-", "")
			luns = append(luns, &labLUN{
				Name: "naa.6" + id[:31], Vendor: "NETAPP", Model: "LUN C-Mode", Serial: fmt.Sprintf("%d-%d", at, i), SizeBytes: 16 << 30,
			})
		}
		next := 0
		for _, ref := range dc.(*Datacenter).Datastore {
			ds := Map.Get(ref).(*Datastore)
			if next == n {
				break
			}
			ds.Info = &types.VmfsDatastoreInfo{DatastoreInfo: *ds.Info.GetDatastoreInfo(), Vmfs: &types.HostVmfsVolume{
				HostFileSystemVolume: types.HostFileSystemVolume{Type: "VMFS", Name: ds.Name, Capacity: ds.Summary.Capacity},
				MajorVersion:         6, Version: "6.82", Uuid: newUUID(ds.Name), BlockSizeMb: 1,
				Extent: []types.HostScsiDiskPartition{{DiskName: luns[next].Name, Partition: 1}},
			}}
			ds.Summary.Type = "VMFS"
			ds.Summary.MultipleHostAccess = types.NewBool(true)
			ds.Capability.RawDiskMappingsSupported = true
			next++
		}
		for _, e := range Map.All("HostSystem") {
			host := e.(*HostSystem)
			if Map.getEntityDatacenter(host) == dc.(*Datacenter) {
				labSetStorage(host, nil, luns)
			}
		}
	}
}

// attachLUNs gives every host its adapters and LUNs, those too that only disks or datastores name.
func (e *labEstate) attachLUNs() {
	known := make(map[string]*labLUN)
	seen := make(map[*HostSystem][]*labLUN)
	has := make(map[string]bool)
	see := func(host *HostSystem, lun *labLUN) {
		if key := labKey(host.Self.Value, lun.Name); !has[key] {
			has[key] = true
			seen[host] = append(seen[host], lun)
		}
	}
	for i := range e.doc.LUNs {
		lun := &e.doc.LUNs[i]
		known[lun.Name] = lun
		for _, id := range lun.Hosts {
			if host := e.hosts[id]; host != nil {
				see(host, lun)
			}
		}
	}
	named := func(name string, size int64) *labLUN {
		if known[name] == nil {
			known[name] = &labLUN{Name: name, SizeBytes: size}
		}
		return known[name]
	}
	for i := range e.doc.Datastores {
		d := &e.doc.Datastores[i]
		for _, name := range d.Extents {
			lun := named(name, d.CapacityBytes)
			if len(lun.Hosts) > 0 {
				continue
			}
			for _, mount := range e.stores[labKey(d.Datacenter, d.Name)].Host {
				see(Map.Get(mount.Key).(*HostSystem), lun)
			}
		}
	}
	for i := range e.doc.VMs {
		vm := &e.doc.VMs[i]
		for j := range vm.Disks {
			if vm.Disks[j].LUN == "" {
				continue
			}
			lun := named(vm.Disks[j].LUN, vm.Disks[j].SizeBytes)
			if len(lun.Hosts) > 0 {
				continue
			}
			host := e.hosts[vm.Host]
			for _, ref := range hostParent(&host.HostSystem).Host {
				see(Map.Get(ref).(*HostSystem), lun)
			}
		}
	}
	for i := range e.doc.Hosts {
		d := &e.doc.Hosts[i]
		labSetStorage(e.hosts[d.Name], d.HBAs, seen[e.hosts[d.Name]])
	}
}

// lunUuid returns the uuid of a LUN that a disk maps.
func (e *labEstate) lunUuid(name string) string {
	if len(e.uuids) == 0 {
		for i := range e.doc.LUNs {
			e.uuids[e.doc.LUNs[i].Name] = labLUNUuid(&e.doc.LUNs[i])
		}
		e.uuids[""] = ""
	}
	if id, ok := e.uuids[name]; ok {
		return id
	}
	return labLUNUuid(&labLUN{Name: name})
}

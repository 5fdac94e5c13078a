package simulator

// Virtual devices of an inventory document: controllers, disks, adapters, drives and what resists a move.

import (
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/vmware/govmomi/simulator/esx"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

const (
	labNICKey = 4000
	labCDKey  = 3000
)

// labBuses are the kinds of controllers: their short name, first key and number of units.
var labBuses = map[string]struct {
	short string
	key   int32
	units int32
}{
	"pvscsi": {"scsi", 1000, 16}, "lsilogic": {"scsi", 1000, 16}, "lsisas": {"scsi", 1000, 16}, "buslogic": {"scsi", 1000, 16},
	"ide": {"ide", 200, 2}, "sata": {"sata", 15000, 30}, "nvme": {"nvme", 31000, 15},
}

func labControllerKind(d *labDisk) string {
	if _, ok := labBuses[d.ControllerKind]; ok {
		return d.ControllerKind
	}
	label := strings.ToLower(d.Controller)
	for _, kind := range []string{"ide", "sata", "nvme"} {
		if strings.Contains(label, kind) {
			return kind
		}
	}
	return "pvscsi"
}

func labControllerShort(d *labDisk) string { return labBuses[labControllerKind(d)].short }

// labRack hands out controllers, keys and unit numbers of one VM.
type labRack struct {
	devices     []types.BaseVirtualDevice
	controllers map[int32]*types.VirtualController
	used        map[int32]bool
}

func (r *labRack) add(d types.BaseVirtualDevice) { r.devices = append(r.devices, d) }

// key returns a key that is free, the wanted one if it can be.
func (r *labRack) key(wanted int32) int32 {
	for r.used[wanted] {
		wanted++
	}
	r.used[wanted] = true
	return wanted
}

func (e *labEstate) devices(d *labVM, vm *VirtualMachine, host *HostSystem) ([]types.BaseVirtualDevice, error) {
	rack := &labRack{controllers: make(map[int32]*types.VirtualController), used: make(map[int32]bool)}
	for _, usual := range esx.VirtualDevice {
		if ide, ok := usual.(*types.VirtualIDEController); ok {
			own := *ide
			own.Device = nil
			rack.controllers[own.Key] = &own.VirtualController
			usual = &own
		}
		rack.used[usual.GetVirtualDevice().Key] = true
		rack.add(usual)
	}
	for i := range d.Disks {
		disk, err := e.disk(d, &d.Disks[i], i, rack, vm)
		if err != nil {
			return nil, err
		}
		rack.add(disk)
	}
	for i := range d.NICs {
		rack.add(e.nic(d, &d.NICs[i], int32(i), vm))
	}
	for i := range d.CDROMs {
		rack.add(labCDROM(&d.CDROMs[i], int32(i), rack))
	}
	for i := range d.Devices {
		rack.add(labOther(&d.Devices[i], rack))
	}
	vm.Config.BootOptions.BootOrder = labBootOrder(d, rack)
	return rack.devices, nil
}

func labDescription(label string) *types.Description {
	return &types.Description{Label: label, Summary: label}
}

func (r *labRack) controller(d *labDisk) *types.VirtualController {
	kind := labControllerKind(d)
	bus := int32(0)
	if d.Bus != nil {
		bus = *d.Bus
	}
	key := labBuses[kind].key + bus
	if c := r.controllers[key]; c != nil {
		return c
	}
	label := d.Controller
	if label == "" {
		label = fmt.Sprintf("%s controller %d", strings.ToUpper(labBuses[kind].short), bus)
	}
	common := types.VirtualController{BusNumber: bus, VirtualDevice: types.VirtualDevice{
		Key: key, ControllerKey: 100, DeviceInfo: labDescription(label),
	}}
	scsi := types.VirtualSCSIController{
		VirtualController: common, SharedBus: types.VirtualSCSISharing(d.BusSharing), ScsiCtlrUnitNumber: 7, HotAddRemove: types.NewBool(true),
	}
	if scsi.SharedBus == "" {
		scsi.SharedBus = types.VirtualSCSISharingNoSharing
	}
	var made types.BaseVirtualDevice
	var c *types.VirtualController
	switch kind {
	case "lsilogic":
		x := &types.VirtualLsiLogicController{VirtualSCSIController: scsi}
		made, c = x, &x.VirtualController
	case "lsisas":
		x := &types.VirtualLsiLogicSASController{VirtualSCSIController: scsi}
		made, c = x, &x.VirtualController
	case "buslogic":
		x := &types.VirtualBusLogicController{VirtualSCSIController: scsi}
		made, c = x, &x.VirtualController
	case "ide":
		x := &types.VirtualIDEController{VirtualController: common}
		made, c = x, &x.VirtualController
	case "sata":
		x := &types.VirtualAHCIController{VirtualSATAController: types.VirtualSATAController{VirtualController: common}}
		made, c = x, &x.VirtualController
	case "nvme":
		x := &types.VirtualNVMEController{VirtualController: common}
		made, c = x, &x.VirtualController
	default:
		x := &types.ParaVirtualSCSIController{VirtualSCSIController: scsi}
		made, c = x, &x.VirtualController
	}
	r.used[key] = true
	r.controllers[key] = c
	r.add(made)
	return c
}

func (e *labEstate) disk(d *labVM, s *labDisk, number int, r *labRack, vm *VirtualMachine) (*types.VirtualDisk, error) {
	controller := r.controller(s)
	unit := int32(len(controller.Device))
	if s.Unit != nil {
		unit = *s.Unit
	} else if labControllerShort(s) == "scsi" && unit >= 7 {
		unit++ // 7 is the controller's own
	}
	wanted := 2000 + controller.BusNumber*16 + unit
	if key, err := strconv.ParseInt(s.Key, 10, 32); err == nil {
		wanted = int32(key)
	}
	disk := &types.VirtualDisk{CapacityInBytes: s.SizeBytes, CapacityInKB: s.SizeBytes / 1024}
	disk.Key = r.key(wanted)
	disk.ControllerKey, disk.UnitNumber = controller.Key, &unit
	controller.Device = append(controller.Device, disk.Key)
	disk.DeviceInfo = labDescription(s.Label)
	disk.Iofilter = s.Filters
	if s.IOPSLimit != nil {
		disk.StorageIOAllocation = &types.StorageIOAllocationInfo{Limit: s.IOPSLimit}
	}
	if isTrue(s.FlashCache) {
		disk.VFlashCacheConfigInfo = &types.VirtualDiskVFlashCacheConfigInfo{VFlashModule: "vfc", ReservationInMB: 1024}
	}
	file := s.Path
	if file == "" {
		p, _ := parseDatastorePath(d.VMXPath)
		file = fmt.Sprintf("[%s] %s_%d.vmdk", p.Datastore, strings.TrimSuffix(p.Path, path.Ext(p.Path)), number)
	}
	ds, _, err := e.place(d.Datacenter, file)
	if err != nil {
		return nil, fmt.Errorf("vm %q: %w", d.Name, err)
	}
	e.useStore(vm, ds)
	disk.Backing = e.diskBacking(s, types.VirtualDeviceFileBackingInfo{FileName: file, Datastore: &ds.Self})
	labInitDisk(disk)
	return disk, nil
}

func (e *labEstate) diskBacking(s *labDisk, file types.VirtualDeviceFileBackingInfo) types.BaseVirtualDeviceBackingInfo {
	mode, sharing := s.Mode, ""
	if mode == "" {
		mode = string(types.VirtualDiskModePersistent)
	}
	if s.MultiWriter != nil {
		sharing = string(types.VirtualDiskSharingSharingNone)
		if *s.MultiWriter {
			sharing = string(types.VirtualDiskSharingSharingMultiWriter)
		}
	}
	var key *types.CryptoKeyId
	if isTrue(s.Encrypted) {
		key = labKeyID
	}
	parent := types.VirtualDeviceFileBackingInfo{FileName: s.Parent, Datastore: file.Datastore}
	switch {
	case s.Backing == "rdm-physical" || s.Backing == "rdm-virtual":
		id := e.lunUuid(s.LUN)
		compatibility := map[string]string{"rdm-physical": "physicalMode", "rdm-virtual": "virtualMode"}[s.Backing]
		return &types.VirtualDiskRawDiskMappingVer1BackingInfo{
			VirtualDeviceFileBackingInfo: file, LunUuid: id, DeviceName: "vml." + id, CompatibilityMode: compatibility,
			DiskMode: mode, Uuid: s.UUID, Sharing: sharing,
		}
	case s.Format == "sesparse":
		b := &types.VirtualDiskSeSparseBackingInfo{VirtualDeviceFileBackingInfo: file, DiskMode: mode, Uuid: s.UUID, KeyId: key}
		if s.Parent != "" {
			b.Parent = &types.VirtualDiskSeSparseBackingInfo{VirtualDeviceFileBackingInfo: parent, DiskMode: mode}
		}
		return b
	case s.Format == "sparse":
		b := &types.VirtualDiskSparseVer2BackingInfo{VirtualDeviceFileBackingInfo: file, DiskMode: mode, Uuid: s.UUID, KeyId: key}
		if s.Parent != "" {
			b.Parent = &types.VirtualDiskSparseVer2BackingInfo{VirtualDeviceFileBackingInfo: parent, DiskMode: mode}
		}
		return b
	case s.Format == "pmem":
		return &types.VirtualDiskLocalPMemBackingInfo{VirtualDeviceFileBackingInfo: file, DiskMode: mode, Uuid: s.UUID}
	}
	b := &types.VirtualDiskFlatVer2BackingInfo{
		VirtualDeviceFileBackingInfo: file, DiskMode: mode, ThinProvisioned: s.Thin, Uuid: s.UUID, Sharing: sharing, KeyId: key,
	}
	if s.Parent != "" {
		b.Parent = &types.VirtualDiskFlatVer2BackingInfo{VirtualDeviceFileBackingInfo: parent, DiskMode: mode}
	}
	return b
}

func (e *labEstate) nic(d *labVM, s *labNIC, number int32, vm *VirtualMachine) types.BaseVirtualDevice {
	card := types.VirtualEthernetCard{MacAddress: s.MAC, AddressType: s.MACType, UptCompatibilityEnabled: s.DirectPath}
	card.Key = labNICKey + number
	card.ControllerKey = 100
	unit := 7 + number
	card.UnitNumber = &unit
	card.DeviceInfo = labDescription(s.Label)
	card.Connectable = labConnect(s.Connected, s.StartsConnected)
	if card.AddressType == "" {
		card.AddressType = string(types.VirtualEthernetCardMacTypeAssigned)
	}
	if s.Network != "" {
		net := e.network(d.Datacenter, s.Network)
		if ref := net.Reference(); FindReference(vm.Network, ref) == nil {
			vm.Network = append(vm.Network, ref)
		}
		card.Backing = labCardBacking(net)
	}
	switch strings.ToLower(s.Adapter) {
	case "e1000":
		return &types.VirtualE1000{VirtualEthernetCard: card}
	case "e1000e":
		return &types.VirtualE1000e{VirtualEthernetCard: card}
	case "pcnet32", "flexible":
		return &types.VirtualPCNet32{VirtualEthernetCard: card}
	case "vmxnet":
		return &types.VirtualVmxnet{VirtualEthernetCard: card}
	case "vmxnet2":
		return &types.VirtualVmxnet2{VirtualVmxnet: types.VirtualVmxnet{VirtualEthernetCard: card}}
	case "sriov", "sriovethernetcard":
		return &types.VirtualSriovEthernetCard{VirtualEthernetCard: card}
	}
	return &types.VirtualVmxnet3{VirtualVmxnet: types.VirtualVmxnet{VirtualEthernetCard: card}}
}

func labCardBacking(net mo.Entity) types.BaseVirtualDeviceBackingInfo {
	switch n := net.(type) {
	case *DistributedVirtualPortgroup:
		dvs := Map.Get(*n.Config.DistributedVirtualSwitch).(*DistributedVirtualSwitch)
		return &types.VirtualEthernetCardDistributedVirtualPortBackingInfo{
			Port: types.DistributedVirtualSwitchPortConnection{SwitchUuid: dvs.Uuid, PortgroupKey: n.Key},
		}
	case *mo.OpaqueNetwork:
		summary := n.Summary.(*types.OpaqueNetworkSummary)
		return &types.VirtualEthernetCardOpaqueNetworkBackingInfo{
			OpaqueNetworkId: summary.OpaqueNetworkId, OpaqueNetworkType: summary.OpaqueNetworkType,
		}
	}
	ref := net.Reference()
	return &types.VirtualEthernetCardNetworkBackingInfo{
		VirtualDeviceDeviceBackingInfo: types.VirtualDeviceDeviceBackingInfo{DeviceName: entityName(net)}, Network: &ref,
	}
}

func labConnect(connected, starts *bool) *types.VirtualDeviceConnectInfo {
	info := &types.VirtualDeviceConnectInfo{Connected: isTrue(connected), StartConnected: isTrue(starts), AllowGuestControl: true, Status: "ok"}
	if starts == nil {
		info.StartConnected = info.Connected
	}
	return info
}

func labBootOrder(d *labVM, r *labRack) []types.BaseVirtualMachineBootOptionsBootableDevice {
	var order []types.BaseVirtualMachineBootOptionsBootableDevice
	for _, word := range d.Compute.BootOrder {
		switch word {
		case "disk":
			for _, device := range r.devices {
				if disk, ok := device.(*types.VirtualDisk); ok {
					order = append(order, &types.VirtualMachineBootOptionsBootableDiskDevice{DeviceKey: disk.Key})
					break
				}
			}
		case "net":
			order = append(order, &types.VirtualMachineBootOptionsBootableEthernetDevice{DeviceKey: labNICKey})
		case "cdrom":
			order = append(order, &types.VirtualMachineBootOptionsBootableCdromDevice{})
		case "floppy":
			order = append(order, &types.VirtualMachineBootOptionsBootableFloppyDevice{})
		}
	}
	return order
}

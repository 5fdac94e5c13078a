package simulator

// VMs of an inventory document: place, configuration, runtime, snapshots, custom attributes and tags.

import (
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

func (e *labEstate) addVM(d *labVM) error {
	vm := &VirtualMachine{}
	vm.Self = labMoRef("VirtualMachine", d.MoRef)
	if vm.Self.Value == "" {
		vm.Self = labMoRef("VirtualMachine", d.ID)
	}
	vm.Name = d.Name
	host := e.hosts[d.Host]
	home, file, err := e.home(d)
	if err != nil {
		return err
	}
	d.VMXPath = "[" + home.Name + "] " + file
	vm.Config = e.vmConfig(d)
	vm.Config.Hardware.Device, err = e.devices(d, vm, host)
	if err != nil {
		return err
	}
	e.describe(d, vm, host)
	vm.uid, _ = uuid.Parse(vm.Config.Uuid)
	folderPutChild(internalContext, &e.folder(d.Datacenter, "vm", d.Folder, "").Folder, vm)
	vm.Summary.Vm = &vm.Self

	vm.Runtime.Host = &host.Self
	vm.Summary.Runtime = vm.Runtime
	host.Vm = append(host.Vm, vm.Self)
	vm.EnvironmentBrowser = *hostParent(&host.HostSystem).EnvironmentBrowser
	if !d.Template {
		e.enter(d, vm, host)
	}
	e.useStore(vm, home)
	for _, ref := range vm.Datastore {
		ds := Map.Get(ref).(*Datastore)
		ds.Vm = append(ds.Vm, vm.Self)
	}
	for _, ref := range vm.Network {
		net := labNetworkOf(Map.Get(ref).(mo.Entity))
		net.Vm = append(net.Vm, vm.Self)
	}
	e.files(d, vm, home, file)
	e.snapshots(d, vm)
	e.attributes(d, vm)
	if d.ChurnBytesDay != nil {
		labChurn[vm.Self] = *d.ChurnBytesDay
	}
	e.vms[d.ID] = vm
	return nil
}

// home returns where the vmx lies; a VM whose document does not say lies on a datastore of its own disks.
func (e *labEstate) home(d *labVM) (*Datastore, string, error) {
	file := d.VMXPath
	for i := 0; file == "" && i < len(d.Disks); i++ {
		if p, fault := parseDatastorePath(d.Disks[i].Path); fault == nil {
			file = "[" + p.Datastore + "] " + path.Join(path.Dir(p.Path), d.Name+".vmx")
		}
	}
	if file == "" {
		file = "[datastore1] " + d.Name + "/" + d.Name + ".vmx"
	}
	return e.place(d.Datacenter, file)
}

// enter puts the VM into its resource pool or vApp.
func (e *labEstate) enter(d *labVM, vm *VirtualMachine, host *HostSystem) {
	owner := hostParent(&host.HostSystem)
	at := e.pool(owner.Self, labPoolSteps(d.ResourcePool), nil)
	if d.VApp != "" {
		at = e.pool(owner.Self, append(labPoolSteps(d.ResourcePool), labSteps(d.VApp)...), &labPool{VApp: true})
	}
	ref := at.Reference()
	vm.ResourcePool = &ref
	if ref.Type == "VirtualApp" {
		vm.ParentVApp = &ref
	}
	pool := labPoolOf(at)
	pool.Vm = append(pool.Vm, vm.Self)
}

func (e *labEstate) useStore(vm *VirtualMachine, ds *Datastore) {
	if FindReference(vm.Datastore, ds.Self) == nil {
		vm.Datastore = append(vm.Datastore, ds.Self)
	}
}

func (e *labEstate) vmConfig(d *labVM) *types.VirtualMachineConfigInfo {
	c, dir := &d.Compute, path.Dir(d.VMXPath)+"/"
	config := &types.VirtualMachineConfigInfo{
		Name: d.Name, GuestFullName: d.GuestOS, GuestId: d.Guest.GuestID, Annotation: d.Annotation,
		Uuid: d.BIOSUUID, InstanceUuid: d.InstanceUUID, Firmware: d.Firmware, Template: d.Template,
		Version: fmt.Sprintf("vmx-%02d", d.HWVersion), Modified: time.Now(), ChangeVersion: "2026-01-01T00:00:00.000000Z", LocationId: newUUID(d.VMXPath),
		ChangeTrackingEnabled: d.CBT, CpuHotAddEnabled: c.CPUHotAdd, MemoryHotAddEnabled: c.MemoryHotAdd,
		NestedHVEnabled: c.NestedVirtualisation, MemoryReservationLockedToMax: c.MemoryLocked, SevEnabled: c.SEV,
		Files: types.VirtualMachineFileInfo{
			VmPathName: d.VMXPath, SnapshotDirectory: dir, SuspendDirectory: dir, LogDirectory: dir,
		},
		Tools:       &types.ToolsConfigInfo{SyncTimeWithHost: d.Guest.TimeSync},
		BootOptions: &types.VirtualMachineBootOptions{EfiSecureBootEnabled: c.SecureBoot},
		Flags:       types.VirtualMachineFlagInfo{VbsEnabled: c.VBS, VvtdEnabled: c.IOMMU, DiskUuidEnabled: c.EnableUUID},
	}
	if d.HWVersion == 0 {
		config.Version = "vmx-19"
	}
	if config.GuestId == "" {
		config.GuestId = "otherGuest64"
	}
	if _, err := uuid.Parse(d.ID); err == nil && config.InstanceUuid == "" {
		config.InstanceUuid = d.ID
	}
	if config.InstanceUuid == "" {
		config.InstanceUuid = newUUID("instance " + d.ID)
	}
	if config.Uuid == "" {
		config.Uuid = newUUID("bios " + d.ID)
	}
	config.Hardware = types.VirtualHardware{NumCPU: d.CPUs, NumCoresPerSocket: 1, MemoryMB: int32(d.MemoryBytes >> 20)}
	cpu := labAllocation(c.CPUReservationMHz, c.CPULimitMHz)
	memory := labAllocation(labMB(c.MemoryReservationBytes), labMB(c.MemoryLimitBytes))
	config.CpuAllocation, config.MemoryAllocation = &cpu, &memory
	level := c.LatencySensitivity
	if level == "" {
		level = string(types.LatencySensitivitySensitivityLevelNormal)
	}
	config.LatencySensitivity = &types.LatencySensitivity{Level: types.LatencySensitivitySensitivityLevel(level)}
	if c.Affinity {
		config.CpuAffinity = &types.VirtualMachineAffinityInfo{AffinitySet: []int32{0, 1}}
	}
	if c.SGX {
		config.SgxInfo = &types.VirtualMachineSgxInfo{EpcSize: 64, FlcMode: "unlocked"}
	}
	if c.Encrypted {
		config.KeyId = labKeyID
	}
	if c.NPIV {
		config.NpivNodeWorldWideName = []int64{labWWN("28:2c:00:0c:29:00:00:01")}
	}
	version, _ := strconv.Atoi(d.Guest.ToolsVersion)
	config.Tools.ToolsVersion = int32(version)
	config.ExtraConfig = labExtra(d)
	e.tie(d, config)
	return config
}

var labKeyID = &types.CryptoKeyId{KeyId: "wherry", ProviderId: &types.KeyProviderId{Id: "test"}}

// tie names who else holds a string on the VM.
func (e *labEstate) tie(d *labVM, config *types.VirtualMachineConfigInfo) {
	m := &d.Management
	if m.ManagedBy != "" {
		config.ManagedBy = &types.ManagedByInfo{ExtensionKey: m.ManagedBy, Type: "vm"}
	}
	if d.Placeholder {
		config.ManagedBy = &types.ManagedByInfo{ExtensionKey: "com.vmware.vcDr", Type: "placeholderVm"}
	}
	if m.Replication == "vsphere-replication" {
		config.RepConfig = &types.ReplicationConfigSpec{VmReplicationId: "GID-" + config.Uuid, Destination: "192.0.2.20", Port: 31031, Rpo: 15}
	}
	switch m.FaultToleranceRole {
	case "primary":
		config.FtInfo = &types.FaultToleranceConfigInfo{Role: 1, InstanceUuids: []string{config.InstanceUuid}, ConfigPaths: []string{d.VMXPath}}
	case "secondary":
		config.FtInfo = &types.FaultToleranceConfigInfo{Role: 2, InstanceUuids: []string{config.InstanceUuid}, ConfigPaths: []string{d.VMXPath}}
	}
}

func labExtra(d *labVM) []types.BaseOptionValue {
	extra := []types.BaseOptionValue{&types.OptionValue{Key: "nvram", Value: d.Name + ".nvram"}}
	set := func(key, value string) { extra = append(extra, &types.OptionValue{Key: key, Value: value}) }
	truth := func(key string, value *bool) {
		if value != nil {
			set(key, strings.ToUpper(strconv.FormatBool(*value)))
		}
	}
	truth("disk.EnableUUID", d.Compute.EnableUUID)
	truth("ctkEnabled", d.CBT)
	for i := range d.Disks {
		disk := &d.Disks[i]
		if disk.CBT != nil && disk.Bus != nil && disk.Unit != nil {
			truth(fmt.Sprintf("%s%d:%d.ctkEnabled", labControllerShort(disk), *disk.Bus, *disk.Unit), disk.CBT)
		}
	}
	if d.Management.Replication == "vsphere-replication" {
		set("hbr_filter.gid", "GID-"+newUUID(d.ID))
	}
	return extra
}

// describe fills in runtime, guest, summary and storage.
func (e *labEstate) describe(d *labVM, vm *VirtualMachine, host *HostSystem) {
	power := types.VirtualMachinePowerState(d.Power)
	if power != types.VirtualMachinePowerStatePoweredOn && power != types.VirtualMachinePowerStateSuspended {
		power = types.VirtualMachinePowerStatePoweredOff
	}
	state := types.VirtualMachineConnectionState(d.ConnectionState)
	if state == "" {
		state = types.VirtualMachineConnectionStateConnected
	}
	vm.Runtime = types.VirtualMachineRuntimeInfo{
		Host: &host.Self, ConnectionState: state, PowerState: power, ConsolidationNeeded: d.ConsolidationNeeded,
		FaultToleranceState: types.VirtualMachineFaultToleranceState(d.FTState), MinRequiredEVCModeKey: d.Compute.EVCMode,
	}
	if power == types.VirtualMachinePowerStatePoweredOn {
		now := time.Now().UTC()
		vm.Runtime.BootTime = &now
	}
	if d.Compute.Encrypted {
		vm.Runtime.CryptoState = "unlocked"
	}
	vm.Guest = labGuestInfo(d, vm)
	vm.GuestHeartbeatStatus = types.ManagedEntityStatus(d.Guest.Heartbeat)
	if vm.GuestHeartbeatStatus == "" {
		vm.GuestHeartbeatStatus = types.ManagedEntityStatusGray
	}
	var disks, nics, size int32 = 0, 0, vm.Config.Hardware.MemoryMB
	provisioned := int64(0)
	for _, device := range vm.Config.Hardware.Device {
		switch x := device.(type) {
		case *types.VirtualDisk:
			disks++
			provisioned += x.CapacityInBytes
		case types.BaseVirtualEthernetCard:
			nics++
		}
	}
	vm.Summary.Config = types.VirtualMachineConfigSummary{
		Name: d.Name, Template: d.Template, VmPathName: d.VMXPath, MemorySizeMB: size, NumCpu: d.CPUs, NumVirtualDisks: disks,
		NumEthernetCards: nics, Uuid: vm.Config.Uuid, InstanceUuid: vm.Config.InstanceUuid, GuestId: vm.Config.GuestId,
		GuestFullName: d.GuestOS, Annotation: d.Annotation, ManagedBy: vm.Config.ManagedBy,
	}
	vm.Summary.Guest = &types.VirtualMachineGuestSummary{
		GuestId: vm.Guest.GuestId, GuestFullName: vm.Guest.GuestFullName, ToolsStatus: vm.Guest.ToolsStatus,
		ToolsVersionStatus2: vm.Guest.ToolsVersionStatus2, ToolsRunningStatus: vm.Guest.ToolsRunningStatus,
		HostName: vm.Guest.HostName, IpAddress: vm.Guest.IpAddress,
	}
	vm.Summary.QuickStats.GuestHeartbeatStatus = vm.GuestHeartbeatStatus
	vm.Summary.OverallStatus = types.ManagedEntityStatusGreen
	committed := int64(0)
	if d.UsedBytes != nil {
		committed = *d.UsedBytes
	}
	uncommitted := provisioned - committed
	if uncommitted < 0 {
		uncommitted = 0
	}
	now := time.Now()
	vm.Summary.Storage = &types.VirtualMachineStorageSummary{Committed: committed, Unshared: committed, Uncommitted: uncommitted, Timestamp: now}
	vm.Storage = &types.VirtualMachineStorageInfo{Timestamp: now}
	for i, ref := range vm.Datastore {
		usage := types.VirtualMachineUsageOnDatastore{Datastore: ref}
		if i == 0 {
			usage.Committed, usage.Unshared, usage.Uncommitted = committed, committed, uncommitted
		}
		vm.Storage.PerDatastoreUsage = append(vm.Storage.PerDatastoreUsage, usage)
	}
	for i := 0; i < d.Management.Permissions; i++ {
		vm.Permission = append(vm.Permission, types.Permission{Principal: fmt.Sprintf("EXAMPLE\\user%d", i), RoleId: -2, Propagate: true})
	}
}

// files lays out what the VM says of its files, and makes them, empty, where they can be.
func (e *labEstate) files(d *labVM, vm *VirtualMachine, home *Datastore, file string) {
	base := strings.TrimSuffix(file, ".vmx")
	vm.Layout = &types.VirtualMachineFileLayout{ConfigFile: []string{path.Base(file)}}
	vm.LayoutEx = &types.VirtualMachineFileLayoutEx{Timestamp: time.Now()}
	add := func(ds *Datastore, where, kind string, size int64) int32 {
		key := int32(len(vm.LayoutEx.File))
		vm.LayoutEx.File = append(vm.LayoutEx.File, types.VirtualMachineFileLayoutExFileInfo{
			Key: key, Name: "[" + ds.Name + "] " + where, Type: kind, Size: size, UniqueSize: size, Accessible: types.NewBool(true),
		})
		labTouch(ds, where)
		return key
	}
	add(home, file, "config", 4096)
	add(home, base+".nvram", "nvram", 8192)
	vm.log = path.Join(home.Info.GetDatastoreInfo().Url, path.Clean("/"+path.Dir(file)+"/vmware.log"))
	disks := 0
	for _, device := range vm.Config.Hardware.Device {
		disk, ok := device.(*types.VirtualDisk)
		if !ok {
			continue
		}
		backing, ok := disk.Backing.(types.BaseVirtualDeviceFileBackingInfo)
		source := &d.Disks[disks]
		disks++
		if !ok {
			continue
		}
		name := backing.GetVirtualDeviceFileBackingInfo().FileName
		ds, where, err := e.place(d.Datacenter, name)
		if err != nil {
			continue
		}
		used := int64(0)
		if source.UsedBytes != nil {
			used = *source.UsedBytes
		}
		extent := strings.TrimSuffix(where, ".vmdk") + "-flat.vmdk"
		if source.LUN != "" {
			extent = strings.TrimSuffix(where, ".vmdk") + "-rdm.vmdk"
		}
		descriptor := used % 1024 // both together are what the document says
		keys := []int32{add(ds, where, "diskDescriptor", descriptor), add(ds, extent, "diskExtent", used-descriptor)}
		vm.Layout.Disk = append(vm.Layout.Disk, types.VirtualMachineFileLayoutDiskLayout{Key: disk.Key, DiskFile: []string{name}})
		vm.LayoutEx.Disk = append(vm.LayoutEx.Disk, types.VirtualMachineFileLayoutExDiskLayout{
			Key: disk.Key, Chain: []types.VirtualMachineFileLayoutExDiskUnit{{FileKey: keys}},
		})
	}
	for i := range d.Snapshots {
		add(home, fmt.Sprintf("%s-Snapshot%d.vmsn", base, i+1), "snapshotData", d.Snapshots[i].SizeBytes)
	}
}

// snapshots makes a chain of them: each is the child of the one before.
func (e *labEstate) snapshots(d *labVM, vm *VirtualMachine) {
	var tree []types.VirtualMachineSnapshotTree
	for i := len(d.Snapshots) - 1; i >= 0; i-- {
		s := &d.Snapshots[i]
		snapshot := &VirtualMachineSnapshot{}
		snapshot.Vm = vm.Self
		snapshot.Config = *vm.Config
		Map.Put(snapshot)
		at, err := time.Parse(time.RFC3339, s.Created)
		if err != nil {
			at = time.Now().UTC()
		}
		tree = []types.VirtualMachineSnapshotTree{{
			Snapshot: snapshot.Self, Vm: vm.Self, Name: s.Name, Description: s.Description, Id: int32(i + 1), CreateTime: at,
			State: types.VirtualMachinePowerStatePoweredOff, Quiesced: s.Quiesced, ChildSnapshotList: tree,
		}}
		if vm.Snapshot == nil {
			vm.Snapshot = &types.VirtualMachineSnapshotInfo{CurrentSnapshot: &snapshot.Self}
		}
		if len(tree[0].ChildSnapshotList) > 0 {
			snapshot.ChildSnapshot = []types.ManagedObjectReference{tree[0].ChildSnapshotList[0].Snapshot}
		}
		key := int32(-1)
		for _, f := range vm.LayoutEx.File {
			if strings.HasSuffix(f.Name, fmt.Sprintf("-Snapshot%d.vmsn", i+1)) {
				key = f.Key
			}
		}
		vm.LayoutEx.Snapshot = append(vm.LayoutEx.Snapshot, types.VirtualMachineFileLayoutExSnapshotLayout{
			Key: snapshot.Self, DataKey: key, MemoryKey: -1,
		})
	}
	if vm.Snapshot != nil {
		vm.Snapshot.RootSnapshotList = tree
		vm.RootSnapshot = []types.ManagedObjectReference{tree[0].Snapshot}
	}
}

// attributes sets the custom attributes; each name is defined once for VMs.
func (e *labEstate) attributes(d *labVM, vm *VirtualMachine) {
	manager := Map.CustomFieldsManager()
	for _, pair := range d.Attributes {
		def, ok := e.fields[pair[0]]
		if !ok {
			manager.nextKey++
			def = types.CustomFieldDef{Key: 100 + manager.nextKey, Name: pair[0], Type: "string", ManagedObjectType: "VirtualMachine"}
			e.fields[pair[0]] = def
			manager.Field = append(manager.Field, def)
		}
		value := &types.CustomFieldStringValue{CustomFieldValue: types.CustomFieldValue{Key: def.Key}, Value: pair[1]}
		vm.CustomValue = append(vm.CustomValue, value)
		vm.Value = append(vm.Value, value)
		vm.Summary.CustomValue = append(vm.Summary.CustomValue, value)
		vm.AvailableField = append(vm.AvailableField, def)
	}
}

package simulator

// Datastores of an inventory document: what they say of themselves, who mounts them, what lies on them.

import (
	"fmt"
	"os"
	"path"
	"sort"
	"strconv"
	"strings"

	"github.com/vmware/govmomi/vim25/types"
)

// labStated holds the datastores whose sizes are the document's, not those of the local file system.
var labStated = make(map[types.ManagedObjectReference]bool)

func (e *labEstate) addStore(d *labStore) error {
	for i := 0; d.Extents == nil && i < len(e.doc.LUNs); i++ {
		if lun := &e.doc.LUNs[i]; lun.Datastore == d.Name {
			d.Extents = append(d.Extents, lun.Name)
		}
	}
	ds, err := e.newStore(d)
	if err != nil {
		return err
	}
	e.stores[labKey(d.Datacenter, d.Name)] = ds
	return nil
}

// store returns a datastore by its name; one that the document does not list is made for it.
func (e *labEstate) store(dc, name string) (*Datastore, error) {
	if ds := e.stores[labKey(dc, name)]; ds != nil {
		return ds, nil
	}
	err := e.addStore(&labStore{Name: name, Datacenter: dc, Kind: "VMFS", CapacityBytes: 1 << 44, FreeBytes: 1 << 43})
	return e.stores[labKey(dc, name)], err
}

func (e *labEstate) newStore(d *labStore) (*Datastore, error) {
	dir, err := e.directory()
	if err != nil {
		return nil, err
	}
	ds := &Datastore{}
	ds.Name = d.Name
	ds.Self = labMoRef("Datastore", d.ID)
	about := types.DatastoreInfo{Name: d.Name, Url: dir, FreeSpace: d.FreeBytes, MaxFileSize: 1 << 46}
	kind := d.Kind
	if kind == "" {
		kind = "VMFS"
	}
	volume := types.HostFileSystemVolume{Type: kind, Name: d.Name, Capacity: d.CapacityBytes}
	switch {
	case kind == "VMFS":
		vmfs := &types.HostVmfsVolume{HostFileSystemVolume: volume, BlockSizeMb: 1, Version: d.Version, Uuid: newUUID(d.Name)}
		if vmfs.Version == "" {
			vmfs.Version = "6.82"
		}
		major, _ := strconv.Atoi(strings.SplitN(vmfs.Version, ".", 2)[0])
		vmfs.MajorVersion = int32(major)
		for _, lun := range d.Extents {
			vmfs.Extent = append(vmfs.Extent, types.HostScsiDiskPartition{DiskName: lun, Partition: 1})
		}
		ds.Info = &types.VmfsDatastoreInfo{DatastoreInfo: about, Vmfs: vmfs}
	case strings.HasPrefix(kind, "NFS"):
		server, folder := d.Address, "/"+d.Name
		if at := strings.IndexAny(d.Address, ":/ "); at > 0 {
			server, folder = d.Address[:at], "/"+strings.TrimLeft(d.Address[at:], ":/ ")
		}
		ds.Info = &types.NasDatastoreInfo{
			DatastoreInfo: about,
			Nas:           &types.HostNasVolume{HostFileSystemVolume: volume, RemoteHost: server, RemotePath: folder},
		}
	default:
		ds.Info = &about
	}
	ds.Capability = types.DatastoreCapability{
		DirectoryHierarchySupported: true, RawDiskMappingsSupported: kind == "VMFS", PerFileThinProvisioningSupported: true,
	}
	ds.Summary = types.DatastoreSummary{
		Name: d.Name, Url: dir, Type: kind, Capacity: d.CapacityBytes, FreeSpace: d.FreeBytes,
		Accessible: d.Accessible == nil || *d.Accessible, MultipleHostAccess: d.MultipleHosts,
		MaintenanceMode: string(types.DatastoreSummaryMaintenanceModeStateNormal),
	}
	if isTrue(d.Maintenance) {
		ds.Summary.MaintenanceMode = string(types.DatastoreSummaryMaintenanceModeStateInMaintenance)
	}
	if d.ProvisionedBytes != nil {
		// provisioned = capacity - free + uncommitted, as vSphere's own client adds it up
		if n := *d.ProvisionedBytes - d.CapacityBytes + d.FreeBytes; n > 0 {
			ds.Summary.Uncommitted = n
		}
	}
	browser := &HostDatastoreBrowser{}
	ds.Browser = Map.Put(browser).Reference()
	folderPutChild(internalContext, &e.folder(d.Datacenter, "datastore", "", "").Folder, ds)
	browser.Datastore = []types.ManagedObjectReference{ds.Self}
	ds.Summary.Datastore = &ds.Self
	labStated[ds.Self] = true
	return ds, nil
}

// mount lets the hosts see the datastores: those that run VMs there, then others up to the stated number.
func (e *labEstate) mount() {
	users := make(map[types.ManagedObjectReference][]*HostSystem)
	seen := make(map[string]bool)
	use := func(ds *Datastore, host *HostSystem) {
		if key := labKey(ds.Self.Value, host.Self.Value); !seen[key] {
			seen[key] = true
			users[ds.Self] = append(users[ds.Self], host)
		}
	}
	for i := range e.doc.VMs {
		vm := e.vms[e.doc.VMs[i].ID]
		for _, ref := range vm.Datastore {
			use(Map.Get(ref).(*Datastore), Map.Get(*vm.Runtime.Host).(*HostSystem))
		}
	}
	carried := make(map[string]*labLUN)
	for i := range e.doc.LUNs {
		carried[e.doc.LUNs[i].Name] = &e.doc.LUNs[i]
	}
	stated := make(map[types.ManagedObjectReference]*labStore)
	for i := range e.doc.Datastores {
		d := &e.doc.Datastores[i]
		stated[e.stores[labKey(d.Datacenter, d.Name)].Self] = d
	}
	for _, key := range labSorted(e.stores) {
		ds, dc := e.stores[key], strings.SplitN(key, "\x00", 2)[0]
		d := stated[ds.Self]
		if d != nil {
			for _, name := range d.Extents {
				if lun := carried[name]; lun != nil {
					for _, id := range lun.Hosts {
						if host := e.hosts[id]; host != nil {
							use(ds, host)
						}
					}
				}
			}
		}
		most := -1
		if d != nil && d.Hosts != nil {
			most = *d.Hosts
		}
		for _, host := range e.hostsOf(dc) {
			if most < 0 || len(users[ds.Self]) < most {
				use(ds, host)
			}
		}
		for _, host := range users[ds.Self] {
			ds.Host = append(ds.Host, labMount(host, ds))
			host.Datastore = append(host.Datastore, ds.Self)
			compute := hostParent(&host.HostSystem)
			if FindReference(compute.Datastore, ds.Self) == nil {
				compute.Datastore = append(compute.Datastore, ds.Self)
			}
			if system, ok := Map.Get(*host.ConfigManager.DatastoreSystem).(*HostDatastoreSystem); ok {
				system.Datastore = append(system.Datastore, ds.Self)
			}
		}
	}
}

func labSorted[T any](m map[string]T) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}

func labMount(host *HostSystem, ds *Datastore) types.DatastoreHostMount {
	return types.DatastoreHostMount{Key: host.Self, MountInfo: types.HostMountInfo{
		Path: ds.Summary.Url, AccessMode: string(types.HostMountModeReadWrite),
		Mounted: types.NewBool(true), Accessible: types.NewBool(ds.Summary.Accessible),
	}}
}

// place returns the datastore a path like "[name] folder/file" is on and the path within it.
func (e *labEstate) place(dc, file string) (*Datastore, string, error) {
	p, fault := parseDatastorePath(file)
	if fault != nil {
		return nil, "", fmt.Errorf("%q is not a datastore path", file)
	}
	ds, err := e.store(dc, p.Datastore)
	return ds, p.Path, err
}

// LabFiles says whether the files of an estate's VMs are made, empty; without them 10,000 VMs start in a third of the time.
var LabFiles = true

// labTouch makes an empty local file for a path of a datastore; a name no file system takes has none.
func labTouch(ds *Datastore, file string) {
	if !LabFiles {
		return
	}
	name := path.Join(ds.Info.GetDatastoreInfo().Url, path.Clean("/"+file))
	if os.MkdirAll(path.Dir(name), 0700) == nil {
		if f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY, 0600); err == nil {
			_ = f.Close()
		}
	}
}

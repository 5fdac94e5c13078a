package simulator

// Virtual disks: identity and capacity as a real vCenter fills them in, and where their bytes lie.

import (
	"path"
	"strings"

	"github.com/google/uuid"
	"github.com/vmware/govmomi/vim25/types"
)

// labRef keeps a nil reference out of a property change.
func labRef(ref *types.ManagedObjectReference) types.AnyType {
	if ref == nil {
		return types.ManagedObjectReference{}
	}
	return ref
}

// labInitDisk completes the capacity, in both units, and the uuid of a disk.
func labInitDisk(d *types.VirtualDisk) {
	if d.CapacityInBytes == 0 {
		d.CapacityInBytes = d.CapacityInKB * 1024
	} else if d.CapacityInKB == 0 {
		d.CapacityInKB = d.CapacityInBytes / 1024
	}
	switch b := d.Backing.(type) {
	case *types.VirtualDiskFlatVer2BackingInfo:
		if b.Uuid == "" {
			b.Uuid = uuid.New().String()
		}
	case *types.VirtualDiskRawDiskMappingVer1BackingInfo:
		if b.Uuid == "" {
			b.Uuid = uuid.New().String()
		}
	}
}

// labFlat returns the local file that holds the bytes of a disk named "[datastore] folder/name.vmdk".
func labFlat(vm *VirtualMachine, file string) string {
	p, f := parseDatastorePath(file)
	if f != nil {
		return ""
	}
	ds := vm.findDatastore(p.Datastore)
	if ds == nil {
		return ""
	}
	return path.Join(ds.Info.GetDatastoreInfo().Url, strings.TrimSuffix(p.Path, ".vmdk")+"-flat.vmdk")
}

package simulator

// Descriptors of virtual disks: what a disk that is made says of itself, and what one that is attached says.

import (
	"encoding/hex"
	"fmt"
	"io/ioutil"
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/vmware/govmomi/vim25/types"
)

type labDescriptor struct {
	kind      string // vmfs, vmfsRawDeviceMap, vmfsPassthroughRawDeviceMap
	sizeBytes int64
	uuid      string
	thin      bool
}

var (
	labExtentLine = regexp.MustCompile(`(?m)^RW (\d+) (\w+) "`)
	labKindLine   = regexp.MustCompile(`(?m)^createType="(\w+)"`)
	labUuidLine   = regexp.MustCompile(`(?m)^ddb\.uuid = "([^"]+)"`)
)

// labRead returns what the descriptor in a local file says; nothing of one that is empty or missing.
func labRead(file string) (d labDescriptor) {
	body, err := ioutil.ReadFile(file)
	if err != nil {
		return
	}
	if m := labKindLine.FindSubmatch(body); m != nil {
		d.kind = string(m[1])
	}
	if m := labExtentLine.FindSubmatch(body); m != nil {
		n, _ := strconv.ParseInt(string(m[1]), 10, 64)
		d.sizeBytes = n * labSector
	}
	if m := labUuidLine.FindSubmatch(body); m != nil {
		d.uuid = string(m[1])
	}
	return
}

func (d labDescriptor) write(file string) {
	extent, ending := "VMFS", "-flat"
	switch d.kind {
	case "vmfsRawDeviceMap":
		extent, ending = "VMFSRDM", "-rdm"
	case "vmfsPassthroughRawDeviceMap":
		extent, ending = "VMFSRDM", "-rdmp"
	}
	name := file[strings.LastIndex(file, "/")+1:]
	thin := ""
	if d.thin {
		thin = "ddb.thinProvisioned = \"1\"\n"
	}
	text := fmt.Sprintf("# Disk DescriptorFile\nversion=1\nencoding=\"UTF-8\"\nCID=fffffffe\nparentCID=ffffffff\n"+
		"createType=%q\n\n# Extent description\nRW %d %s %q\n\n# The Disk Data Base\n#DDB\n\n"+
		"ddb.adapterType = \"lsilogic\"\nddb.uuid = %q\n%sddb.virtualHWVersion = \"13\"\n",
		d.kind, d.sizeBytes/labSector, extent, strings.TrimSuffix(name, ".vmdk")+ending+".vmdk", d.uuid, thin)
	_ = ioutil.WriteFile(file, []byte(text), 0600)
}

// labSpaced writes a uuid as descriptors have it: "60 00 c2 9a 12 34 56 78-9a bc de f0 12 34 56 78".
func labSpaced(id string) string {
	raw, err := hex.DecodeString(strings.ReplaceAll(id, "-", ""))
	if err != nil || len(raw) != 16 {
		return id
	}
	pairs := make([]string, len(raw))
	for i, b := range raw {
		pairs[i] = fmt.Sprintf("%02x", b)
	}
	return strings.Join(pairs[:8], " ") + "-" + strings.Join(pairs[8:], " ")
}

// labKind returns the type of descriptor that a compatibility mode or disk type makes.
func labKind(mode string) string {
	switch mode {
	case "physicalMode", "rdmp":
		return "vmfsPassthroughRawDeviceMap"
	case "virtualMode", "rdm":
		return "vmfsRawDeviceMap"
	}
	return "vmfs"
}

// labMayBack refuses a mapping of a device that no host has.
func labMayBack(req *types.CreateVirtualDisk_Task) types.BaseMethodFault {
	if spec, ok := req.Spec.(*types.DeviceBackedVirtualDiskSpec); ok && labDeviceBytes(spec.Device) == 0 {
		return new(types.InvalidDeviceBacking)
	}
	return nil
}

func labDeviceBytes(path string) int64 {
	for _, e := range Map.All("HostSystem") {
		for _, l := range e.(*HostSystem).Config.StorageDevice.ScsiLun {
			if disk, ok := l.(*types.HostScsiDisk); ok && disk.DevicePath == path {
				return disk.Capacity.Block * int64(disk.Capacity.BlockSize)
			}
		}
	}
	return 0
}

// labCreated describes a disk that the disk manager has made, and gives its data file its size.
func labCreated(req *types.CreateVirtualDisk_Task) types.BaseMethodFault {
	file, fault := Map.FileManager().resolve(req.Datacenter, req.Name)
	if fault != nil {
		return fault
	}
	d := labDescriptor{uuid: labSpaced("6000c29" + strings.ReplaceAll(uuid.New().String(), "-", "")[7:])}
	switch spec := req.Spec.(type) {
	case *types.FileBackedVirtualDiskSpec:
		d.kind, d.sizeBytes, d.thin = "vmfs", spec.CapacityKb*1024, spec.DiskType == "thin"
		if err := os.Truncate(vdmNames(file)[0], d.sizeBytes); err != nil {
			return new(types.CannotCreateFile)
		}
	case *types.DeviceBackedVirtualDiskSpec:
		d.kind, d.sizeBytes = labKind(spec.DiskType), labDeviceBytes(spec.Device)
	default:
		return nil
	}
	d.write(file)
	return nil
}

// labDescribe completes a disk of a VM: one that is attached is what its descriptor says, a new one is described.
func labDescribe(vm *VirtualMachine, spec *types.VirtualDeviceConfigSpec, d *types.VirtualDisk) {
	b, ok := d.Backing.(types.BaseVirtualDeviceFileBackingInfo)
	if !ok {
		labInitDisk(d)
		return
	}
	file := strings.Replace(labFlat(vm, b.GetVirtualDeviceFileBackingInfo().FileName), "-flat.vmdk", ".vmdk", 1)
	known := labRead(file)
	attached := spec.Operation == types.VirtualDeviceConfigSpecOperationAdd && spec.FileOperation == ""
	mode := ""
	var id *string
	switch b := d.Backing.(type) {
	case *types.VirtualDiskFlatVer2BackingInfo:
		id = &b.Uuid
	case *types.VirtualDiskRawDiskMappingVer1BackingInfo:
		id, mode = &b.Uuid, b.CompatibilityMode
	}
	if id != nil && attached && known.uuid != "" {
		raw := strings.NewReplacer(" ", "", "-", "").Replace(known.uuid)
		if len(raw) == 32 {
			*id = fmt.Sprintf("%s-%s-%s-%s-%s", raw[:8], raw[8:12], raw[12:16], raw[16:20], raw[20:])
		}
		d.CapacityInBytes, d.CapacityInKB = known.sizeBytes, known.sizeBytes/1024
	}
	labInitDisk(d)
	if id != nil && file != "" && (known.uuid == "" || !attached) && d.CapacityInBytes > 0 {
		labDescriptor{kind: labKind(mode), sizeBytes: d.CapacityInBytes, uuid: labSpaced(*id)}.write(file)
	}
}

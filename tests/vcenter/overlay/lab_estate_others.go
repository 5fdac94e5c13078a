package simulator

// CD drives and the devices besides disks and adapters that an inventory document may name.

import (
	"strings"

	"github.com/vmware/govmomi/vim25/types"
)

func labCDROM(s *labCD, number int32, r *labRack) types.BaseVirtualDevice {
	cd := &types.VirtualCdrom{}
	cd.Key = r.key(labCDKey + number)
	cd.DeviceInfo = labDescription(s.Label)
	cd.Connectable = labConnect(s.Connected, s.StartsConnected)
	ide := r.controllers[201-number%2]
	unit := number / 2 % 2
	cd.ControllerKey, cd.UnitNumber = ide.Key, &unit
	ide.Device = append(ide.Device, cd.Key)
	switch {
	case strings.HasPrefix(s.Media, "["):
		cd.Backing = &types.VirtualCdromIsoBackingInfo{
			VirtualDeviceFileBackingInfo: types.VirtualDeviceFileBackingInfo{FileName: s.Media},
		}
	case s.Media == "":
		cd.Backing = &types.VirtualCdromRemotePassthroughBackingInfo{Exclusive: false}
	default:
		cd.Backing = &types.VirtualCdromAtapiBackingInfo{VirtualDeviceDeviceBackingInfo: labHostDevice(s.Media)}
	}
	return cd
}

func labHostDevice(name string) types.VirtualDeviceDeviceBackingInfo {
	return types.VirtualDeviceDeviceBackingInfo{DeviceName: name}
}

// labOther makes the device of a kind; its key is the first of the kind that is free.
func labOther(s *labDevice, r *labRack) types.BaseVirtualDevice {
	d := types.VirtualDevice{DeviceInfo: labDescription(s.Label), ControllerKey: 100}
	if s.Connected != nil {
		d.Connectable = labConnect(s.Connected, nil)
	}
	at := func(key int32) types.VirtualDevice {
		d.Key = r.key(key)
		return d
	}
	controller := func(key int32) types.VirtualController {
		return types.VirtualController{VirtualDevice: at(key)}
	}
	switch s.Kind {
	case "passthrough":
		d.Backing = &types.VirtualPCIPassthroughDeviceBackingInfo{
			VirtualDeviceDeviceBackingInfo: labHostDevice(s.Detail), Id: "0000:3b:00.0", DeviceId: "1eb8", SystemId: "host", VendorId: 0x10de,
		}
		return &types.VirtualPCIPassthrough{VirtualDevice: at(13000)}
	case "vgpu":
		d.Backing = &types.VirtualPCIPassthroughVmiopBackingInfo{Vgpu: s.Detail}
		return &types.VirtualPCIPassthrough{VirtualDevice: at(13000)}
	case "sriov":
		return &types.VirtualSriovEthernetCard{VirtualEthernetCard: types.VirtualEthernetCard{VirtualDevice: at(labNICKey + 50), AddressType: "assigned"}}
	case "usb":
		d.Backing = &types.VirtualUSBUSBBackingInfo{VirtualDeviceDeviceBackingInfo: labHostDevice(s.Detail)}
		return &types.VirtualUSB{VirtualDevice: at(18000), Connected: s.Connected == nil || *s.Connected}
	case "usb-controller":
		if strings.Contains(strings.ToLower(s.Label), "xhci") {
			return &types.VirtualUSBXHCIController{VirtualController: controller(14000)}
		}
		return &types.VirtualUSBController{VirtualController: controller(7000), EhciEnabled: types.NewBool(true)}
	case "serial":
		d.ControllerKey = 400
		switch {
		case strings.HasPrefix(s.Detail, "["):
			d.Backing = &types.VirtualSerialPortFileBackingInfo{
				VirtualDeviceFileBackingInfo: types.VirtualDeviceFileBackingInfo{FileName: s.Detail},
			}
		case strings.Contains(s.Detail, "://"):
			d.Backing = &types.VirtualSerialPortURIBackingInfo{
				VirtualDeviceURIBackingInfo: types.VirtualDeviceURIBackingInfo{ServiceURI: s.Detail, Direction: "server"},
			}
		default:
			d.Backing = &types.VirtualSerialPortDeviceBackingInfo{VirtualDeviceDeviceBackingInfo: labHostDevice(s.Detail)}
		}
		return &types.VirtualSerialPort{VirtualDevice: at(9000)}
	case "parallel":
		d.ControllerKey = 400
		d.Backing = &types.VirtualParallelPortDeviceBackingInfo{VirtualDeviceDeviceBackingInfo: labHostDevice(s.Detail)}
		return &types.VirtualParallelPort{VirtualDevice: at(10000)}
	case "floppy":
		d.ControllerKey = 400
		if strings.HasPrefix(s.Detail, "[") {
			d.Backing = &types.VirtualFloppyImageBackingInfo{
				VirtualDeviceFileBackingInfo: types.VirtualDeviceFileBackingInfo{FileName: s.Detail},
			}
		} else {
			d.Backing = &types.VirtualFloppyRemoteDeviceBackingInfo{
				VirtualDeviceRemoteDeviceBackingInfo: types.VirtualDeviceRemoteDeviceBackingInfo{DeviceName: s.Detail},
			}
		}
		return &types.VirtualFloppy{VirtualDevice: at(8000)}
	case "tpm":
		return &types.VirtualTPM{VirtualDevice: at(11000)}
	case "nvdimm":
		return &types.VirtualNVDIMM{VirtualDevice: at(30000), CapacityInMB: 1024}
	case "precision-clock":
		return &types.VirtualPrecisionClock{VirtualDevice: at(19000)}
	case "watchdog":
		return &types.VirtualWDT{VirtualDevice: at(18500)}
	default: // sound
		return &types.VirtualHdAudioCard{VirtualSoundCard: types.VirtualSoundCard{VirtualDevice: at(5000)}}
	}
}

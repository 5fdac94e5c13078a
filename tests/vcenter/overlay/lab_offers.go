package simulator

// What hosts of an inventory document offer and hold: virtual hardware versions and licences.

import (
	"fmt"
	"sort"

	"github.com/vmware/govmomi/vim25/types"
)

var labNewest = make(map[types.ManagedObjectReference]int) // the newest virtual hardware of a host

// labOldest is the first version every host offers besides its newest.
const labOldest = 13

// labDescriptors returns one descriptor for each version with the hosts that support it; none = not stated.
func labDescriptors(hosts []types.ManagedObjectReference) []types.VirtualMachineConfigOptionDescriptor {
	supporters := make(map[int][]types.ManagedObjectReference)
	for _, host := range hosts {
		if newest := labNewest[host]; newest > 0 {
			for version := labOldest; version < newest; version++ {
				supporters[version] = append(supporters[version], host)
			}
			supporters[newest] = append(supporters[newest], host)
		}
	}
	var versions []int
	for version := range supporters {
		versions = append(versions, version)
	}
	sort.Ints(versions)
	var all []types.VirtualMachineConfigOptionDescriptor
	for i, version := range versions {
		key := fmt.Sprintf("vmx-%02d", version)
		all = append(all, types.VirtualMachineConfigOptionDescriptor{
			Key: key, Description: key, Host: supporters[version], CreateSupported: types.NewBool(true),
			DefaultConfigOption: types.NewBool(i == len(versions)-1), RunSupported: types.NewBool(true), UpgradeSupported: types.NewBool(true),
		})
	}
	return all
}

type labAssignment struct{ entity, name, licence string }

var labAssigned []labAssignment

// labAssignments returns the licences of one entity, "" = of all.
func labAssignments(entity string) []types.LicenseAssignmentManagerLicenseAssignment {
	var all []types.LicenseAssignmentManagerLicenseAssignment
	for _, a := range labAssigned {
		if entity == "" || entity == a.entity {
			all = append(all, types.LicenseAssignmentManagerLicenseAssignment{
				EntityId: a.entity, EntityDisplayName: a.name,
				AssignedLicense: types.LicenseManagerLicenseInfo{Name: a.licence, EditionKey: "esx.enterprisePlus", CostUnit: "cpuPackage"},
			})
		}
	}
	return all
}

package simulator

// The nouns of an inventory document (format wherry.inventory/1) as far as a vCenter can show them.
// A pointer that is nil means that the document does not say. Fields not named here are ignored.

import (
	"encoding/json"
	"fmt"
	"os"
)

type labDocument struct {
	Schema        string
	VMs           []labVM `json:"vms"`
	Hosts         []labHost
	Clusters      []labCluster
	Datastores    []labStore
	Networks      []labNet
	VCenters      []labVCenter `json:"vcenters"`
	LUNs          []labLUN     `json:"luns"`
	ResourcePools []labPool    `json:"resource_pools"`
	Folders       []labFolderNoun
	Licences      []labLicence
}

type labVCenter struct {
	ID             string
	Name           string
	Version        string
	Build          string
	APIVersion     string `json:"api_version"`
	Extensions     []string
	ScheduledTasks int `json:"scheduled_tasks"`
}

type labHBA struct{ Device, Kind, WWN, Model, Status string }

type labHost struct {
	ID, Name, Cluster, Datacenter, Version, Build, VCenter string
	CPUs                                                   int16  `json:"cpus"`
	MemoryBytes                                            int64  `json:"memory_bytes"`
	CPUModel                                               string `json:"cpu_model"`
	CPUMHz                                                 int32  `json:"cpu_mhz"`
	EVCMode                                                string `json:"evc_mode"`
	EVCMax                                                 string `json:"evc_max"`
	Maintenance                                            bool
	Lockdown                                               *bool
	ConnectionState                                        string `json:"connection_state"`
	VMotion                                                *bool
	NTPServers                                             []string `json:"ntp_servers"`
	NTPRunning                                             *bool    `json:"ntp_running"`
	CertificateExpires                                     string   `json:"certificate_expires"`
	Vendor, Model                                          string
	HBAs                                                   []labHBA `json:"hbas"`
	Licence                                                string
	SupportedHWVersion                                     int      `json:"supported_hw_version"`
	VMKernelNetworks                                       []string `json:"vmkernel_networks"`
}

type labLUN struct {
	Name, UUID, Vendor, Model, Serial, Datastore, VCenter string
	SizeBytes                                             int64 `json:"size_bytes"`
	Hosts                                                 []string
}

type labGroup struct {
	Name    string
	OfHosts bool `json:"of_hosts"`
	Members []string
}

type labRule struct {
	Name, Kind         string
	VMs                []string `json:"vms"`
	Enabled, Mandatory *bool
	VMGroup            string `json:"vm_group"`
	HostGroup          string `json:"host_group"`
	Affine             *bool
}

type labCluster struct {
	ID, Name, VCenter, Datacenter string
	HA, DRS                       *bool
	DRSMode                       string `json:"drs_mode"`
	EVCMode                       string `json:"evc_mode"`
	VSAN                          *bool  `json:"vsan"`
	AdmissionControl              *bool  `json:"admission_control"`
	Rules                         []labRule
	Groups                        []labGroup
}

type labPool struct {
	ID, Name, Path, Cluster, VCenter string
	VApp                             bool
	CPUReservationMHz                *int64 `json:"cpu_reservation_mhz"`
	CPULimitMHz                      *int64 `json:"cpu_limit_mhz"`
	MemoryReservationBytes           *int64 `json:"memory_reservation_bytes"`
	MemoryLimitBytes                 *int64 `json:"memory_limit_bytes"`
}

type labFolderNoun struct{ ID, Name, Path, Datacenter, VCenter, Kind string }

type labStore struct {
	ID, Name, Kind, VCenter, Datacenter, Version, Address string
	CapacityBytes                                         int64  `json:"capacity_bytes"`
	FreeBytes                                             int64  `json:"free_bytes"`
	ProvisionedBytes                                      *int64 `json:"provisioned_bytes"`
	Accessible, Maintenance                               *bool
	Hosts                                                 *int
	MultipleHosts                                         *bool `json:"multiple_hosts"`
	Extents                                               []string
}

type labNet struct {
	ID, Name, VLAN, Switch, VCenter, Datacenter, Kind, Key, Binding string
	Promiscuous                                                     *bool
	ForgedTransmits                                                 *bool `json:"forged_transmits"`
	MACChanges                                                      *bool `json:"mac_changes"`
	Uplink                                                          *bool
}

type labLicence struct {
	Name, Key, Expires, VCenter string
	Total, Used                 int32
}

type labDisk struct {
	Key, Label, Backing, Path, LUN, Mode, Controller, UUID, Format string
	SizeBytes                                                      int64  `json:"size_bytes"`
	UsedBytes                                                      *int64 `json:"used_bytes"`
	Thin                                                           *bool
	MultiWriter                                                    *bool `json:"multi_writer"`
	Bus, Unit                                                      *int32
	BusSharing                                                     string `json:"bus_sharing"`
	ControllerKind                                                 string `json:"controller_kind"`
	Parent                                                         string
	CBT, Encrypted                                                 *bool
	Filters                                                        []string
	FlashCache                                                     *bool  `json:"flash_cache"`
	IOPSLimit                                                      *int64 `json:"iops_limit"`
}

type labNIC struct {
	Label, Network, MAC, Adapter string
	Connected                    *bool
	Addresses, Subnets           []string
	StartsConnected              *bool  `json:"starts_connected"`
	MACType                      string `json:"mac_type"`
	DHCP                         *bool
	DirectPath                   *bool `json:"direct_path"`
}

type labSnap struct {
	Name, Created, Description string
	SizeBytes                  int64 `json:"size_bytes"`
	Quiesced                   bool
}

type labCD struct {
	Label, Media    string
	Connected       *bool
	StartsConnected *bool `json:"starts_connected"`
}

type labDevice struct {
	Kind, Label, Detail string
	Connected           *bool
}

type labPartition struct {
	Path, Disk    string
	CapacityBytes int64 `json:"capacity_bytes"`
	FreeBytes     int64 `json:"free_bytes"`
}

type labGuest struct {
	GuestID      string `json:"guest_id"`
	RunningOS    string `json:"running_os"`
	ToolsVersion string `json:"tools_version"`
	Heartbeat    string
	TimeSync     *bool `json:"time_sync"`
	Partitions   []labPartition
}

type labCompute struct {
	CPUHotAdd              *bool  `json:"cpu_hot_add"`
	MemoryHotAdd           *bool  `json:"memory_hot_add"`
	CPUReservationMHz      *int64 `json:"cpu_reservation_mhz"`
	CPULimitMHz            *int64 `json:"cpu_limit_mhz"`
	MemoryReservationBytes *int64 `json:"memory_reservation_bytes"`
	MemoryLimitBytes       *int64 `json:"memory_limit_bytes"`
	MemoryLocked           *bool  `json:"memory_locked"`
	LatencySensitivity     string `json:"latency_sensitivity"`
	Affinity               bool
	NestedVirtualisation   *bool  `json:"nested_virtualisation"`
	IOMMU                  *bool  `json:"iommu"`
	EVCMode                string `json:"evc_mode"`
	SecureBoot             *bool  `json:"secure_boot"`
	VBS                    *bool  `json:"vbs"`
	SGX                    bool   `json:"sgx"`
	SEV                    *bool  `json:"sev"`
	Encrypted              bool
	EnableUUID             *bool    `json:"enable_uuid"`
	NPIV                   bool     `json:"npiv"`
	BootOrder              []string `json:"boot_order"`
}

type labManagement struct {
	ManagedBy          string `json:"managed_by"`
	Replication        string
	DRSOverride        string `json:"drs_override"`
	RestartPriority    string `json:"restart_priority"`
	FaultToleranceRole string `json:"fault_tolerance_role"`
	Permissions        int
}

type labVM struct {
	ID, Name, VCenter, Power  string
	Template, Placeholder     bool
	GuestOS                   string `json:"guest_os"`
	DNSName                   string `json:"dns_name"`
	CPUs                      int32  `json:"cpus"`
	MemoryBytes               int64  `json:"memory_bytes"`
	Firmware                  string
	HWVersion                 int `json:"hw_version"`
	Host, Cluster, Datacenter string
	Folder                    string
	ResourcePool              string `json:"resource_pool"`
	VApp                      string
	VMXPath                   string `json:"vmx_path"`
	BIOSUUID                  string `json:"bios_uuid"`
	InstanceUUID              string `json:"instance_uuid"`
	MoRef                     string
	Tools                     string
	CBT                       *bool
	ConsolidationNeeded       *bool  `json:"consolidation_needed"`
	FTState                   string `json:"ft_state"`
	ConnectionState           string `json:"connection_state"`
	UsedBytes                 *int64 `json:"used_bytes"`
	ChurnBytesDay             *int64 `json:"churn_bytes_day"`
	Annotation                string
	Disks                     []labDisk
	NICs                      []labNIC `json:"nics"`
	Snapshots                 []labSnap
	CDROMs                    []labCD `json:"cdroms"`
	Devices                   []labDevice
	Guest                     labGuest
	Compute                   labCompute
	Management                labManagement
	Tags, Attributes          [][2]string
}

func labReadDocument(file string) (*labDocument, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	doc := new(labDocument)
	if err := json.NewDecoder(f).Decode(doc); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if doc.Schema != "wherry.inventory/1" {
		return nil, fmt.Errorf("%s is not a wherry.inventory/1 document", file)
	}
	return doc, nil
}

// of leaves in the document only what belongs to one vCenter; "" = that of the first object.
func (d *labDocument) of(vcenter string) string {
	if vcenter == "" && len(d.VCenters) > 0 {
		vcenter = d.VCenters[0].ID
	}
	for i := 0; vcenter == "" && i < len(d.VMs); i++ {
		vcenter = d.VMs[i].VCenter
	}
	d.VMs = labOnly(d.VMs, vcenter, func(v labVM) string { return v.VCenter })
	d.Hosts = labOnly(d.Hosts, vcenter, func(v labHost) string { return v.VCenter })
	d.Clusters = labOnly(d.Clusters, vcenter, func(v labCluster) string { return v.VCenter })
	d.Datastores = labOnly(d.Datastores, vcenter, func(v labStore) string { return v.VCenter })
	d.Networks = labOnly(d.Networks, vcenter, func(v labNet) string { return v.VCenter })
	d.VCenters = labOnly(d.VCenters, vcenter, func(v labVCenter) string { return v.ID })
	d.LUNs = labOnly(d.LUNs, vcenter, func(v labLUN) string { return v.VCenter })
	d.ResourcePools = labOnly(d.ResourcePools, vcenter, func(v labPool) string { return v.VCenter })
	d.Folders = labOnly(d.Folders, vcenter, func(v labFolderNoun) string { return v.VCenter })
	d.Licences = labOnly(d.Licences, vcenter, func(v labLicence) string { return v.VCenter })
	return vcenter
}

// labOnly keeps what is of the vCenter or of none.
func labOnly[T any](all []T, vcenter string, of func(T) string) []T {
	kept := all[:0]
	for _, item := range all {
		if id := of(item); id == "" || id == vcenter {
			kept = append(kept, item)
		}
	}
	return kept
}

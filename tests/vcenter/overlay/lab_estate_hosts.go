package simulator

// Clusters, hosts and resource pools of an inventory document.

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"time"

	"github.com/vmware/govmomi/simulator/esx"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

func (e *labEstate) cluster(dc, name string) *ClusterComputeResource {
	key := labKey(dc, name)
	if c := e.clusters[key]; c != nil {
		return c
	}
	c := &ClusterComputeResource{}
	c.EnvironmentBrowser = newEnvironmentBrowser()
	c.Name = name
	summary := &types.ClusterComputeResourceSummary{UsageSummary: new(types.ClusterUsageSummary)}
	config := &types.ClusterConfigInfoEx{}
	config.VmSwapPlacement = string(types.VirtualMachineConfigInfoSwapPlacementTypeVmDirectory)
	for i := range e.doc.Clusters {
		d := &e.doc.Clusters[i]
		if d.Name != name || d.Datacenter != dc {
			continue
		}
		c.Self = labMoRef("ClusterComputeResource", d.ID)
		config.DasConfig.Enabled = d.HA
		config.DasConfig.AdmissionControlEnabled = d.AdmissionControl
		config.DrsConfig.Enabled = d.DRS
		config.DrsConfig.DefaultVmBehavior = types.DrsBehavior(d.DRSMode)
		if d.VSAN != nil {
			config.VsanConfigInfo = &types.VsanClusterConfigInfo{Enabled: d.VSAN}
		}
		summary.CurrentEVCModeKey = d.EVCMode
	}
	c.Summary = summary
	c.ConfigurationEx = config
	folderPutChild(internalContext, &e.folder(dc, "host", "", "").Folder, c)
	c.ResourcePool = e.rootPool(c, c.Self)
	e.clusters[key] = c
	return c
}

// rootPool makes the hidden pool "Resources" that every compute resource has.
func (e *labEstate) rootPool(parent mo.Entity, owner types.ManagedObjectReference) *types.ManagedObjectReference {
	pool := labNewPool("Resources", owner)
	Map.PutEntity(parent, Map.NewEntity(pool))
	pool.Config.Entity = &pool.Self
	e.pools[labKey(owner.Value, "")] = pool
	return &pool.Self
}

func labNewPool(name string, owner types.ManagedObjectReference) *ResourcePool {
	pool := NewResourcePool()
	pool.Name = name
	pool.Owner = owner
	pool.ResourcePool.ResourcePool, pool.Vm = nil, nil
	pool.Config = types.ResourceConfigSpec{CpuAllocation: labAllocation(nil, nil), MemoryAllocation: labAllocation(nil, nil)}
	pool.Summary = &types.ResourcePoolSummary{Name: name, Config: pool.Config}
	return pool
}

// labAllocation returns an allocation; nil limits are none.
func labAllocation(reservation, limit *int64) types.ResourceAllocationInfo {
	if reservation == nil {
		reservation = types.NewInt64(0)
	}
	if limit == nil {
		limit = types.NewInt64(-1)
	}
	return types.ResourceAllocationInfo{
		Reservation: reservation, Limit: limit, ExpandableReservation: types.NewBool(true),
		Shares: &types.SharesInfo{Level: types.SharesLevelNormal, Shares: 4000},
	}
}

// labMB converts bytes to MB, keeping -1.
func labMB(bytes *int64) *int64 {
	if bytes == nil || *bytes < 0 {
		return bytes
	}
	return types.NewInt64(*bytes >> 20)
}

func (e *labEstate) addPool(d *labPool) {
	for _, key := range labSorted(e.clusters) {
		if c := e.clusters[key]; c.Name == d.Cluster {
			where := d.Path
			if where == "" {
				where = d.Name
			}
			e.pool(c.Self, labPoolSteps(where), d)
			return
		}
	}
}

// labPoolSteps returns the steps behind "Resources" of a pool's path.
func labPoolSteps(where string) []string {
	steps := labSteps(where)
	for i, step := range steps {
		if step == "Resources" {
			return steps[i+1:]
		}
	}
	return steps
}

// pool returns the pool or vApp at a path below an owner, making what is missing.
func (e *labEstate) pool(owner types.ManagedObjectReference, steps []string, d *labPool) mo.Entity {
	at := e.pools[labKey(owner.Value, "")]
	where := ""
	for i, name := range steps {
		where += "/" + name
		key := labKey(owner.Value, where)
		next := e.pools[key]
		if next == nil {
			fresh := labNewPool(name, owner)
			last := i == len(steps)-1 && d != nil
			if last {
				fresh.Config.CpuAllocation = labAllocation(d.CPUReservationMHz, d.CPULimitMHz)
				fresh.Config.MemoryAllocation = labAllocation(labMB(d.MemoryReservationBytes), labMB(d.MemoryLimitBytes))
				fresh.Summary.GetResourcePoolSummary().Config = fresh.Config
			}
			if last && d.VApp {
				vapp := &VirtualApp{}
				vapp.ResourcePool = fresh.ResourcePool
				vapp.Self = labMoRef("VirtualApp", d.ID)
				vapp.VAppConfig = &types.VAppConfigInfo{}
				next = vapp
			} else {
				fresh.Self = types.ManagedObjectReference{Type: "ResourcePool"}
				if last {
					fresh.Self = labMoRef("ResourcePool", d.ID)
				}
				next = fresh
			}
			Map.PutEntity(at, next)
			children := labPoolOf(at)
			children.ResourcePool = append(children.ResourcePool, next.Reference())
			e.pools[key] = next
		}
		at = next
	}
	return at
}

func labPoolOf(pool mo.Entity) *mo.ResourcePool {
	if vapp, ok := pool.(*VirtualApp); ok {
		return &vapp.ResourcePool
	}
	return &pool.(*ResourcePool).ResourcePool
}

func (e *labEstate) addHost(d *labHost) *HostSystem {
	host := NewHostSystem(esx.HostSystem)
	host.configure(types.HostConnectSpec{HostName: d.Name}, true)
	host.Self = labMoRef("HostSystem", d.ID)
	var parent mo.Entity
	var compute *mo.ComputeResource
	if d.Cluster != "" {
		c := e.cluster(d.Datacenter, d.Cluster)
		parent, compute = c, &c.ComputeResource
	} else {
		compute = &mo.ComputeResource{
			ConfigurationEx:    &types.ComputeResourceConfigInfo{},
			Summary:            new(types.ComputeResourceSummary),
			EnvironmentBrowser: newEnvironmentBrowser(),
		}
		compute.Name = d.Name
		parent = compute
		folderPutChild(internalContext, &e.folder(d.Datacenter, "host", "", "").Folder, compute)
		compute.ResourcePool = e.rootPool(compute, compute.Self)
	}
	Map.PutEntity(parent, host)
	host.Summary.Host = &host.Self
	host.Config.Host = host.Self
	host.Network, host.Datastore, host.Vm = nil, nil, nil
	compute.Host = append(compute.Host, host.Self)
	labDescribeHost(host, d)
	addComputeResource(compute.Summary.GetComputeResourceSummary(), host)
	if d.Licence != "" {
		labAssigned = append(labAssigned, labAssignment{host.Self.Value, d.Name, d.Licence})
	}
	if d.SupportedHWVersion > 0 {
		labNewest[host.Self] = d.SupportedHWVersion
	}
	e.hosts[d.Name] = host
	if d.ID != "" {
		e.hosts[d.ID] = host
	}
	return host
}

func labDescribeHost(host *HostSystem, d *labHost) {
	hw := host.Summary.Hardware
	labSetString(&hw.Vendor, d.Vendor)
	labSetString(&hw.Model, d.Model)
	labSetString(&hw.CpuModel, d.CPUModel)
	if d.CPUMHz > 0 {
		hw.CpuMhz = d.CPUMHz
		host.Hardware.CpuInfo.Hz = int64(d.CPUMHz) * 1000000
	}
	if d.CPUs > 0 {
		hw.NumCpuCores, hw.NumCpuThreads, hw.NumCpuPkgs = d.CPUs, d.CPUs*2, 1
		if d.CPUs > 1 {
			hw.NumCpuPkgs = 2
		}
		info := &host.Hardware.CpuInfo
		info.NumCpuCores, info.NumCpuThreads, info.NumCpuPackages = hw.NumCpuCores, hw.NumCpuThreads, hw.NumCpuPkgs
	}
	if d.MemoryBytes > 0 {
		hw.MemorySize = d.MemoryBytes
		host.Hardware.MemorySize = d.MemoryBytes
	}
	host.Hardware.SystemInfo.Vendor, host.Hardware.SystemInfo.Model = hw.Vendor, hw.Model

	product := host.Config.Product
	labSetString(&product.Version, d.Version)
	labSetString(&product.Build, d.Build)
	product.FullName = fmt.Sprintf("VMware ESXi %s build-%s", product.Version, product.Build)
	host.Config.Product = product
	host.Summary.Config.Product = &product

	host.Runtime.InMaintenanceMode = d.Maintenance
	if d.ConnectionState != "" {
		host.Runtime.ConnectionState = types.HostSystemConnectionState(d.ConnectionState)
	}
	host.Summary.CurrentEVCModeKey, host.Summary.MaxEVCModeKey = d.EVCMode, d.EVCMax
	if d.Lockdown != nil {
		host.Config.LockdownMode = types.HostLockdownModeLockdownDisabled
		if *d.Lockdown {
			host.Config.LockdownMode = types.HostLockdownModeLockdownNormal
		}
	}
	if d.VMotion != nil {
		host.Summary.Config.VmotionEnabled = *d.VMotion
	}
	host.Config.DateTimeInfo = &types.HostDateTimeInfo{
		TimeZone:  types.HostDateTimeSystemTimeZone{Key: "UTC", Name: "UTC", Description: "UTC"},
		NtpConfig: &types.HostNtpConfig{Server: d.NTPServers},
	}
	if d.NTPRunning != nil && host.Config.Service != nil {
		for i := range host.Config.Service.Service {
			if s := &host.Config.Service.Service[i]; s.Key == "ntpd" {
				s.Running = *d.NTPRunning
			}
		}
	}
	if at, err := time.Parse(time.RFC3339, d.CertificateExpires); err == nil {
		host.Config.Certificate = labCertificate(d.Name, at)
	}
	if d.VMKernelNetworks != nil {
		labKernelAdapters(host.Config.Network, d.VMKernelNetworks)
	}
	labPortGroups(host, nil)
}

func labSetString(to *string, from string) {
	if from != "" {
		*to = from
	}
}

// labKernelAdapters gives the host one kernel adapter for each of the port groups.
func labKernelAdapters(network *types.HostNetworkInfo, groups []string) {
	usual := network.Vnic
	network.Vnic = nil
	for i, group := range groups {
		var nic types.HostVirtualNic
		if len(usual) > 0 {
			nic = usual[0]
		}
		nic.Device = fmt.Sprintf("vmk%d", i)
		nic.Key = "key-vim.host.VirtualNic-" + nic.Device
		nic.Portgroup, nic.Spec.Portgroup = group, group
		network.Vnic = append(network.Vnic, nic)
	}
}

var labHostKey, _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)

// ArrayOfByte is the array as vSphere writes it: one signed number in each element.
type ArrayOfByte struct {
	Byte []int8 `xml:"byte"`
}

// labCertificate returns a PEM certificate that ends at a given time.
func labCertificate(name string, until time.Time) []int8 {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(until.Unix()), NotBefore: until.AddDate(-5, 0, 0), NotAfter: until, DNSNames: []string{name},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &labHostKey.PublicKey, labHostKey)
	if err != nil {
		return nil
	}
	var signed []int8
	for _, b := range pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}) {
		signed = append(signed, int8(b))
	}
	return signed
}

package simulator

// A vCenter built from an inventory document. Objects are put into the registry directly: 10,000 VMs in seconds.

import (
	"fmt"
	"os"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// labEstate knows what has been built, by the names and ids of the document.
type labEstate struct {
	doc      *labDocument
	model    *Model
	centers  map[string]*Datacenter
	folders  map[string]*Folder                   // datacenter, kind and path, joined by NUL
	clusters map[string]*ClusterComputeResource   // datacenter, name
	hosts    map[string]*HostSystem               // by name and by id
	pools    map[string]mo.Entity                 // owner's moref, path
	stores   map[string]*Datastore                // datacenter, name
	networks map[string]mo.Entity                 // datacenter, name
	switches map[string]*DistributedVirtualSwitch // datacenter, name
	vms      map[string]*VirtualMachine           // by id
	fields   map[string]types.CustomFieldDef
	uuids    map[string]string // LUN name -> uuid
}

func labKey(parts ...string) string { return strings.Join(parts, "\x00") }

var labMoRefShape = regexp.MustCompile(`^[a-z][a-z-]*-[a-z]?[0-9]+$`)

// labMoRef returns the document's id where it is a moref, else one of the registry's making.
func labMoRef(kind, id string) types.ManagedObjectReference {
	ref := types.ManagedObjectReference{Type: kind}
	if labMoRefShape.MatchString(id) && Map.Get(types.ManagedObjectReference{Type: kind, Value: id}) == nil {
		ref.Value = id
	}
	return ref
}

// LabLoad fills the model with the objects of one vCenter of the document; returns that vCenter's id.
func LabLoad(m *Model, file, vcenter string) (string, error) {
	doc, err := labReadDocument(file)
	if err != nil {
		return "", err
	}
	id := doc.of(vcenter)
	m.Service = New(NewServiceInstance(m.ServiceContent, m.RootFolder))
	Map.counter = 1000000 // generated morefs stay away from those of the document
	e := &labEstate{
		doc: doc, model: m,
		centers: make(map[string]*Datacenter), folders: make(map[string]*Folder),
		clusters: make(map[string]*ClusterComputeResource), hosts: make(map[string]*HostSystem),
		pools: make(map[string]mo.Entity), stores: make(map[string]*Datastore),
		networks: make(map[string]mo.Entity), switches: make(map[string]*DistributedVirtualSwitch),
		vms: make(map[string]*VirtualMachine), fields: make(map[string]types.CustomFieldDef),
		uuids: make(map[string]string),
	}
	e.identify(m)
	e.settle()
	for _, f := range doc.Folders {
		if dc := f.Datacenter; dc != "" {
			e.folder(dc, f.Kind, f.Path, f.ID)
		}
	}
	for i := range doc.Clusters {
		e.cluster(doc.Clusters[i].Datacenter, doc.Clusters[i].Name)
	}
	for i := range doc.Hosts {
		e.addHost(&doc.Hosts[i])
	}
	for i := range doc.ResourcePools {
		e.addPool(&doc.ResourcePools[i])
	}
	for i := range doc.Networks {
		e.addNetwork(&doc.Networks[i])
	}
	for i := range doc.Datastores {
		if err := e.addStore(&doc.Datastores[i]); err != nil {
			return "", err
		}
	}
	for i := range doc.VMs {
		if err := e.addVM(&doc.VMs[i]); err != nil {
			return "", err
		}
	}
	e.mount()
	e.attachLUNs()
	for i := range doc.Clusters {
		e.ruleCluster(&doc.Clusters[i])
	}
	e.override()
	e.license()
	m.Service.delay = &m.DelayConfig
	if _, err := uuid.Parse(id); err != nil {
		id = ""
	}
	return id, nil
}

// identify gives the vCenter its version, extensions and scheduled tasks.
func (e *labEstate) identify(m *Model) {
	si := Map.Get(vim25.ServiceInstance).(*ServiceInstance)
	for _, v := range e.doc.VCenters {
		about := &si.Content.About
		for _, f := range []struct {
			to   *string
			from string
		}{{&about.Version, v.Version}, {&about.Build, v.Build}, {&about.ApiVersion, v.APIVersion}} {
			if f.from != "" {
				*f.to = f.from
			}
		}
		about.FullName = fmt.Sprintf("VMware vCenter Server %s build-%s", about.Version, about.Build)
		about.LicenseProductVersion = strings.SplitN(about.Version, ".", 2)[0] + ".0"
		if v.Name != "" {
			settings := Map.OptionManager()
			settings.Setting = append(settings.Setting, &types.OptionValue{Key: "VirtualCenter.FQDN", Value: v.Name})
		}
		if ref := si.Content.ExtensionManager; ref != nil {
			manager := &mo.ExtensionManager{Self: *ref}
			for _, key := range v.Extensions {
				manager.ExtensionList = append(manager.ExtensionList, types.Extension{
					Key: key, Version: "1.0.0", LastHeartbeatTime: time.Now(),
					Description: &types.Description{Label: key, Summary: key},
				})
			}
			Map.Put(manager)
		}
		if ref := si.Content.ScheduledTaskManager; ref != nil {
			manager := &mo.ScheduledTaskManager{Self: *ref}
			for i := 0; i < v.ScheduledTasks; i++ {
				task := types.ManagedObjectReference{Type: "ScheduledTask", Value: fmt.Sprintf("schedule-%d", i+1)}
				manager.ScheduledTask = append(manager.ScheduledTask, task)
			}
			Map.Put(manager)
		}
		break
	}
	m.Service.client.ServiceContent.About = si.Content.About
}

// settle finds out where things are whose datacenter or cluster the document leaves out.
func (e *labEstate) settle() {
	ofCluster, ofHost := make(map[string]string), make(map[string]string)
	note := func(m map[string]string, name, dc string) {
		if name != "" && dc != "" && m[name] == "" {
			m[name] = dc
		}
	}
	first := ""
	for i := range e.doc.Clusters {
		note(ofCluster, e.doc.Clusters[i].Name, e.doc.Clusters[i].Datacenter)
	}
	for i := range e.doc.Hosts {
		note(ofCluster, e.doc.Hosts[i].Cluster, e.doc.Hosts[i].Datacenter)
		note(ofHost, e.doc.Hosts[i].Name, e.doc.Hosts[i].Datacenter)
	}
	for i := range e.doc.VMs {
		vm := &e.doc.VMs[i]
		note(ofCluster, vm.Cluster, vm.Datacenter)
		note(ofHost, vm.Host, vm.Datacenter)
		if first == "" {
			first = vm.Datacenter
		}
	}
	if first == "" {
		first = "DC0"
	}
	pick := func(to *string, maps ...string) {
		for _, dc := range append(maps, first) {
			if *to == "" {
				*to = dc
			}
		}
		e.center(*to)
	}
	known := make(map[string]bool)
	for i := range e.doc.Clusters {
		c := &e.doc.Clusters[i]
		pick(&c.Datacenter, ofCluster[c.Name])
	}
	for i := range e.doc.Hosts {
		h := &e.doc.Hosts[i]
		pick(&h.Datacenter, ofCluster[h.Cluster])
		known[h.Name] = true
	}
	for i := range e.doc.VMs {
		vm := &e.doc.VMs[i]
		pick(&vm.Datacenter, ofCluster[vm.Cluster], ofHost[vm.Host])
		if vm.Host == "" {
			vm.Host = e.someHost(vm.Datacenter, vm.Cluster)
		}
		if !known[vm.Host] {
			known[vm.Host] = true
			e.doc.Hosts = append(e.doc.Hosts, labHost{Name: vm.Host, Cluster: vm.Cluster, Datacenter: vm.Datacenter})
		}
	}
	for i := range e.doc.Datastores {
		pick(&e.doc.Datastores[i].Datacenter, e.dcOfStore(e.doc.Datastores[i].Name))
	}
	for i := range e.doc.Networks {
		pick(&e.doc.Networks[i].Datacenter, e.dcOfNetwork(e.doc.Networks[i].Name))
	}
}

// someHost names a host for a VM whose document names none.
func (e *labEstate) someHost(dc, cluster string) string {
	for i := range e.doc.Hosts {
		if h := &e.doc.Hosts[i]; h.Cluster == cluster && (h.Datacenter == dc || h.Datacenter == "") {
			return h.Name
		}
	}
	return "esx." + path.Join(dc, cluster)
}

func (e *labEstate) dcOfStore(name string) string {
	for i := range e.doc.VMs {
		if strings.HasPrefix(e.doc.VMs[i].VMXPath, "["+name+"]") {
			return e.doc.VMs[i].Datacenter
		}
	}
	return ""
}

func (e *labEstate) dcOfNetwork(name string) string {
	for i := range e.doc.VMs {
		for j := range e.doc.VMs[i].NICs {
			if e.doc.VMs[i].NICs[j].Network == name {
				return e.doc.VMs[i].Datacenter
			}
		}
	}
	return ""
}

func (e *labEstate) center(name string) *Datacenter {
	if dc := e.centers[name]; dc != nil {
		return dc
	}
	root := Map.Get(Map.content().RootFolder).(*Folder)
	dc := NewDatacenter(internalContext, &root.Folder)
	dc.Name = name
	// The default network is only there where the document has it.
	net := Map.Get(dc.NetworkFolder).(*Folder)
	for _, ref := range net.ChildEntity {
		Map.Remove(ref)
	}
	net.ChildEntity, dc.Network = nil, nil
	e.centers[name] = dc
	return dc
}

// folder returns the folder of a kind (vm, host, datastore, network) at a path, making what is missing.
func (e *labEstate) folder(dc, kind, where, id string) *Folder {
	center := e.center(dc)
	if kind == "" {
		kind = "vm"
	}
	roots := map[string]types.ManagedObjectReference{
		"vm": center.VmFolder, "host": center.HostFolder,
		"datastore": center.DatastoreFolder, "network": center.NetworkFolder,
	}
	root, ok := roots[kind]
	if !ok {
		root = center.VmFolder
	}
	at := Map.Get(root).(*Folder)
	steps := labSteps(where, dc, kind)
	for i, name := range steps {
		key := labKey(dc, kind, strings.Join(steps[:i+1], "/"))
		next := e.folders[key]
		if next == nil {
			next = &Folder{}
			next.Name = name
			next.ChildType = at.ChildType
			if i == len(steps)-1 {
				next.Self = labMoRef("Folder", id)
			}
			folderPutChild(internalContext, &at.Folder, next)
			e.folders[key] = next
		}
		at = next
	}
	return at
}

// labSteps splits "/dc/vm/a/b", "vm/a/b" and "a/b" into a and b.
func labSteps(where string, lead ...string) []string {
	var steps []string
	for _, step := range strings.Split(where, "/") {
		if step != "" {
			steps = append(steps, step)
		}
	}
	for _, name := range lead {
		if len(steps) > 0 && steps[0] == name {
			steps = steps[1:]
		}
	}
	return steps
}

// directory makes a private directory for the files of a datastore.
func (e *labEstate) directory() (string, error) {
	dir, err := os.MkdirTemp("", "wherry-datastore-")
	if err == nil {
		e.model.dirs = append(e.model.dirs, dir)
	}
	return dir, err
}

func (e *labEstate) license() {
	manager := Map.Get(*Map.content().LicenseManager).(*LicenseManager)
	if len(e.doc.Licences) > 0 {
		manager.Licenses = nil
	}
	for _, l := range e.doc.Licences {
		info := types.LicenseManagerLicenseInfo{
			LicenseKey: l.Key, Name: l.Name, Total: l.Total, Used: l.Used, EditionKey: "esx.enterprisePlus", CostUnit: "cpuPackage",
		}
		if at, err := time.Parse(time.RFC3339, l.Expires); err == nil {
			info.Properties = append(info.Properties, types.KeyAnyValue{Key: "expirationDate", Value: at})
		}
		manager.Licenses = append(manager.Licenses, info)
	}
}

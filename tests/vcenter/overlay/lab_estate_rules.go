package simulator

// DRS rules, groups and overrides of an inventory document, and its tags.

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/vmware/govmomi/vim25/types"
)

func (e *labEstate) ruleCluster(d *labCluster) {
	c := e.cluster(d.Datacenter, d.Name)
	config := c.ConfigurationEx.(*types.ClusterConfigInfoEx)
	for _, g := range d.Groups {
		info := types.ClusterGroupInfo{Name: g.Name, UserCreated: types.NewBool(true)}
		if g.OfHosts {
			group := &types.ClusterHostGroup{ClusterGroupInfo: info}
			for _, id := range g.Members {
				if host := e.hosts[id]; host != nil {
					group.Host = append(group.Host, host.Self)
				}
			}
			config.Group = append(config.Group, group)
		} else {
			config.Group = append(config.Group, &types.ClusterVmGroup{ClusterGroupInfo: info, Vm: e.refs(g.Members)})
		}
	}
	for _, r := range d.Rules {
		c.ruleKey++
		info := types.ClusterRuleInfo{
			Key: c.ruleKey, Name: r.Name, Enabled: r.Enabled, Mandatory: r.Mandatory, UserCreated: types.NewBool(true),
			RuleUuid: newUUID(d.Name + r.Name), Status: types.ManagedEntityStatusGreen,
		}
		switch r.Kind {
		case "affinity":
			config.Rule = append(config.Rule, &types.ClusterAffinityRuleSpec{ClusterRuleInfo: info, Vm: e.refs(r.VMs)})
		case "anti-affinity":
			config.Rule = append(config.Rule, &types.ClusterAntiAffinityRuleSpec{ClusterRuleInfo: info, Vm: e.refs(r.VMs)})
		case "dependency":
			config.Rule = append(config.Rule, &types.ClusterDependencyRuleInfo{
				ClusterRuleInfo: info, VmGroup: r.VMGroup, DependsOnVmGroup: r.HostGroup,
			})
		default:
			rule := &types.ClusterVmHostRuleInfo{ClusterRuleInfo: info, VmGroupName: r.VMGroup}
			if r.Affine == nil || *r.Affine {
				rule.AffineHostGroupName = r.HostGroup
			} else {
				rule.AntiAffineHostGroupName = r.HostGroup
			}
			config.Rule = append(config.Rule, rule)
		}
	}
}

func (e *labEstate) refs(ids []string) []types.ManagedObjectReference {
	var refs []types.ManagedObjectReference
	for _, id := range ids {
		if vm := e.vms[id]; vm != nil {
			refs = append(refs, vm.Self)
		}
	}
	return refs
}

// override sets what clusters do differently for single VMs, and attaches tags once the server listens.
func (e *labEstate) override() {
	for i := range e.doc.VMs {
		d := &e.doc.VMs[i]
		vm := e.vms[d.ID]
		for _, pair := range d.Tags {
			labTagged = append(labTagged, labTag{vm.Self, pair[0], pair[1]})
		}
		c, ok := Map.Get(*e.hosts[d.Host].Parent).(*ClusterComputeResource)
		if !ok {
			continue
		}
		config := c.ConfigurationEx.(*types.ClusterConfigInfoEx)
		if mode := d.Management.DRSOverride; mode != "" {
			info := types.ClusterDrsVmConfigInfo{Key: vm.Self, Enabled: types.NewBool(mode != "disabled")}
			if mode != "disabled" {
				info.Behavior = types.DrsBehavior(mode)
			}
			config.DrsVmConfig = append(config.DrsVmConfig, info)
		}
		if priority := d.Management.RestartPriority; priority != "" {
			config.DasVmConfig = append(config.DasVmConfig, types.ClusterDasVmConfigInfo{
				Key: vm.Self, RestartPriority: types.DasVmPriority(priority),
				DasSettings: &types.ClusterDasVmSettings{RestartPriority: priority},
			})
		}
	}
}

type labTag struct {
	on            types.ManagedObjectReference
	category, tag string
}

var labTagged []labTag

// LabTags makes the document's tags in the REST service, which exists only once the server listens.
func LabTags() error {
	service, ok := Map.tagManager.(http.Handler)
	if !ok || len(labTagged) == 0 {
		return nil
	}
	session := ""
	post := func(path string, body interface{}) (string, error) {
		text, _ := json.Marshal(body)
		r := httptest.NewRequest(http.MethodPost, "/rest/com/vmware/cis"+path, bytes.NewReader(text))
		r.SetBasicAuth("estate", "estate")
		r.Header.Set("vmware-api-session-id", session)
		w := httptest.NewRecorder()
		service.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			return "", fmt.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
		var answer struct{ Value string }
		err := json.Unmarshal(w.Body.Bytes(), &answer)
		return answer.Value, err
	}
	var err error
	if session, err = post("/session", nil); err != nil {
		return err
	}
	type named map[string]interface{}
	made := make(map[string]string)
	for _, t := range labTagged {
		if made[t.category] == "" {
			spec := named{"name": t.category, "description": "", "cardinality": "MULTIPLE", "associable_types": []string{"VirtualMachine"}}
			if made[t.category], err = post("/tagging/category", named{"create_spec": spec}); err != nil {
				return err
			}
		}
		key := labKey(t.category, t.tag)
		if made[key] == "" {
			spec := named{"name": t.tag, "description": "", "category_id": made[t.category]}
			if made[key], err = post("/tagging/tag", named{"create_spec": spec}); err != nil {
				return err
			}
		}
		if fault := Map.tagManager.AttachTag(t.on, types.VslmTagEntry{TagName: t.tag, ParentCategoryName: t.category}); fault != nil {
			return fmt.Errorf("tag %q cannot be attached", t.tag)
		}
	}
	return nil
}

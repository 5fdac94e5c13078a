package simulator

// What has changed since a collector was last told: found by comparing, because the simulator changes much in silence.

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

type labDigest [sha256.Size]byte

// labTold is what a filter was told last: a digest by property path of every object.
var labTold = struct {
	sync.Mutex
	of map[*PropertyFilter]map[types.ManagedObjectReference]map[string]labDigest
}{of: make(map[*PropertyFilter]map[types.ManagedObjectReference]map[string]labDigest)}

// labChanges waits for changes as long as it is asked to and returns them.
func (pc *PropertyCollector) labChanges(ctx *Context, r *types.WaitForUpdatesEx) soap.HasFault {
	wait, cancel := context.WithCancel(context.Background())
	defer cancel()
	atOnce := r.Version == ""
	if r.Options != nil && r.Options.MaxWaitSeconds != nil {
		atOnce = atOnce || *r.Options.MaxWaitSeconds == 0
		wait, cancel = context.WithTimeout(wait, time.Second*time.Duration(*r.Options.MaxWaitSeconds))
		defer cancel()
	}
	pc.mu.Lock()
	pc.cancel = cancel
	pc.mu.Unlock()
	body := new(methods.WaitForUpdatesExBody)
	for {
		var found []types.PropertyFilterUpdate
		for _, ref := range pc.Filter {
			update, fault := pc.labCompared(ctx, ctx.Session.Get(ref).(*PropertyFilter))
			if fault != nil {
				body.Fault_ = Fault("", fault)
				return body
			}
			if len(update) > 0 {
				found = append(found, types.PropertyFilterUpdate{Filter: ref, ObjectSet: update})
			}
		}
		if len(found) > 0 || r.Version == "" {
			body.Res = &types.WaitForUpdatesExResponse{Returnval: &types.UpdateSet{FilterSet: found}}
			return body
		}
		if atOnce {
			body.Res = new(types.WaitForUpdatesExResponse)
			return body
		}
		select {
		case <-wait.Done():
			if wait.Err() == context.Canceled {
				body.Fault_ = Fault("", new(types.RequestCanceled))
			} else {
				body.Res = new(types.WaitForUpdatesExResponse)
			}
			return body
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// labCompared collects what a filter selects, remembers it, and returns what is new since it did so last.
func (pc *PropertyCollector) labCompared(ctx *Context, filter *PropertyFilter) ([]types.ObjectUpdate, types.BaseMethodFault) {
	res, fault := pc.collect(ctx, &types.RetrievePropertiesEx{SpecSet: []types.PropertyFilterSpec{filter.Spec}})
	if fault != nil {
		return nil, fault
	}
	labTold.Lock()
	defer labTold.Unlock()
	told := labTold.of[filter]
	now := make(map[types.ManagedObjectReference]map[string]labDigest, len(res.Objects))
	var updates []types.ObjectUpdate
	for _, o := range res.Objects {
		before, known := told[o.Obj]
		update := types.ObjectUpdate{Obj: o.Obj, Kind: types.ObjectUpdateKindEnter}
		if known {
			update.Kind = types.ObjectUpdateKindModify
		}
		digests := make(map[string]labDigest)
		for _, p := range o.PropSet {
			digest, set := labDigestOf(p.Val), p.Val != nil
			if set {
				digests[p.Name] = digest
			}
			if old, had := before[p.Name]; set != had || old != digest && set {
				change := types.PropertyChange{Name: p.Name, Op: types.PropertyChangeOpAssign, Val: p.Val}
				update.ChangeSet = append(update.ChangeSet, change)
			}
		}
		for _, m := range o.MissingSet {
			digests["?"+m.Path] = labDigest{}
			if _, had := before["?"+m.Path]; !had {
				update.MissingSet = append(update.MissingSet, m)
			}
		}
		now[o.Obj] = digests
		if !known || len(update.ChangeSet) > 0 || len(update.MissingSet) > 0 {
			updates = append(updates, update)
		}
	}
	for ref := range told {
		if _, still := now[ref]; !still {
			updates = append(updates, types.ObjectUpdate{Obj: ref, Kind: types.ObjectUpdateKindLeave})
		}
	}
	labTold.of[filter] = now
	return updates, nil
}

func labDigestOf(value types.AnyType) labDigest {
	text, err := json.Marshal(value)
	if err != nil {
		text = []byte(fmt.Sprintf("%+v", value))
	}
	return sha256.Sum256(append(text, fmt.Sprintf("%T", value)...))
}

package simulator

// What a real property collector insists on: known property paths, versions in order, updates in portions.

import (
	"reflect"
	"strconv"
	"strings"
	"sync"

	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

type labPath struct {
	of   reflect.Type
	path string
}

var labKnownPaths sync.Map // labPath -> bool

// labUnknownPath returns the first path that the type does not have; what lies behind a base type is not judged.
func labUnknownPath(of reflect.Type, paths []string) string {
	for _, path := range paths {
		key := labPath{of, path}
		known, ok := labKnownPaths.Load(key)
		if !ok {
			known = labHasPath(of, path)
			labKnownPaths.Store(key, known)
		}
		if !known.(bool) {
			return path
		}
	}
	return ""
}

func labHasPath(of reflect.Type, path string) bool {
	for _, name := range strings.Split(path, ".") {
		if of.Kind() == reflect.Ptr {
			of = of.Elem()
		}
		if of.Kind() == reflect.Interface || strings.Contains(name, "[") {
			return true
		}
		if of.Kind() != reflect.Struct || name == "" {
			return false
		}
		field, ok := of.FieldByName(ucFirst(name))
		if !ok {
			return false
		}
		of = field.Type
	}
	return true
}

// labStream is where one collector's updates stand.
type labStream struct {
	version int
	rest    []types.PropertyFilterUpdate // found, but not told yet
}

// Every session has its own instance of the collector that all of them call by one name.
var labStreams = struct {
	sync.Mutex
	of map[*PropertyCollector]*labStream
}{of: make(map[*PropertyCollector]*labStream)}

// WaitForUpdatesEx numbers its versions, refuses one it did not give last, and tells at most maxObjectUpdates at a time.
func (pc *PropertyCollector) WaitForUpdatesEx(ctx *Context, r *types.WaitForUpdatesEx) soap.HasFault {
	labStreams.Lock()
	stream := labStreams.of[pc]
	if stream == nil {
		stream = new(labStream)
		labStreams.of[pc] = stream
	}
	labStreams.Unlock()
	if r.Version != "" && r.Version != strconv.Itoa(stream.version) {
		return &methods.WaitForUpdatesExBody{Fault_: Fault("", new(types.InvalidCollectorVersion))}
	}
	body := &methods.WaitForUpdatesExBody{Res: new(types.WaitForUpdatesExResponse)}
	set := &types.UpdateSet{FilterSet: stream.rest}
	if len(stream.rest) == 0 {
		asked := *r
		if r.Version != "" {
			asked.Version = "-"
		}
		body = pc.labChanges(ctx, &asked).(*methods.WaitForUpdatesExBody)
		if body.Res == nil || body.Res.Returnval == nil {
			return body
		}
		set = body.Res.Returnval
	}
	most := LabMaxObjects
	if r.Options != nil && r.Options.MaxObjectUpdates > 0 {
		most = int(r.Options.MaxObjectUpdates)
	}
	set.FilterSet, stream.rest = labPortion(set.FilterSet, most)
	set.Truncated = types.NewBool(len(stream.rest) > 0)
	stream.version++
	set.Version = strconv.Itoa(stream.version)
	body.Res.Returnval = set
	return body
}

// labPortion splits updates after so many objects; 0 = all.
func labPortion(all []types.PropertyFilterUpdate, most int) (now, later []types.PropertyFilterUpdate) {
	if most <= 0 {
		return all, nil
	}
	for _, f := range all {
		n := len(f.ObjectSet)
		if n > most {
			n = most
		}
		most -= n
		if first := f; n > 0 || len(f.ObjectSet) == 0 {
			first.ObjectSet = f.ObjectSet[:n]
			now = append(now, first)
		}
		if n < len(f.ObjectSet) {
			f.ObjectSet = f.ObjectSet[n:]
			later = append(later, f)
		}
	}
	return now, later
}

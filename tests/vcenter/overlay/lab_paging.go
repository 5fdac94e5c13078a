package simulator

// RetrievePropertiesEx in pages, as a real server answers: by the caller's maxObjects and its own limit.

import (
	"sync"

	"github.com/google/uuid"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// LabMaxObjects is the server's own limit of objects in one answer; 0 = none.
var LabMaxObjects int

// labUnpaged is the maxObjects of RetrieveProperties, which has no way to hand out a token.
const labUnpaged = -1

type labRest struct {
	objects []types.ObjectContent
	max     int
}

var labPages = struct {
	sync.Mutex
	rest map[string]labRest
}{rest: make(map[string]labRest)}

// labPage cuts the answer and keeps what is left under its token.
func labPage(res *types.RetrieveResult, max int) {
	if max == labUnpaged {
		return
	}
	if LabMaxObjects > 0 && (max <= 0 || max > LabMaxObjects) {
		max = LabMaxObjects
	}
	if max <= 0 || len(res.Objects) <= max {
		return
	}
	res.Token = uuid.New().String()
	labPages.Lock()
	labPages.rest[res.Token] = labRest{res.Objects[max:], max}
	labPages.Unlock()
	res.Objects = res.Objects[:max:max]
}

func labTake(token string) (labRest, bool) {
	labPages.Lock()
	defer labPages.Unlock()
	rest, ok := labPages.rest[token]
	delete(labPages.rest, token)
	return rest, ok
}

func labBadToken() *soap.Fault {
	return Fault("", &types.InvalidArgument{InvalidProperty: "token"})
}

// ContinueRetrievePropertiesEx answers with the next page; a token is good once.
func (pc *PropertyCollector) ContinueRetrievePropertiesEx(ctx *Context, r *types.ContinueRetrievePropertiesEx) soap.HasFault {
	body := new(methods.ContinueRetrievePropertiesExBody)
	rest, ok := labTake(r.Token)
	if !ok {
		body.Fault_ = labBadToken()
		return body
	}
	res := &types.RetrieveResult{Objects: rest.objects}
	labPage(res, rest.max)
	body.Res = &types.ContinueRetrievePropertiesExResponse{Returnval: *res}
	return body
}

// CancelRetrievePropertiesEx forgets the pages that are left.
func (pc *PropertyCollector) CancelRetrievePropertiesEx(ctx *Context, r *types.CancelRetrievePropertiesEx) soap.HasFault {
	body := new(methods.CancelRetrievePropertiesExBody)
	if _, ok := labTake(r.Token); !ok {
		body.Fault_ = labBadToken()
		return body
	}
	body.Res = new(types.CancelRetrievePropertiesExResponse)
	return body
}

package simulator

// What a rule does to a call: before it, around it, to its task and to its answer.

import (
	"fmt"
	"log"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

func labNewFault(name string) types.BaseMethodFault {
	if name == "" {
		return nil
	}
	if t, ok := types.TypeFunc()(name); ok {
		v := reflect.New(t)
		labFill(v.Elem())
		if f, ok := v.Interface().(types.BaseMethodFault); ok {
			return f
		}
	}
	return &types.SystemError{Reason: "lab: unknown fault type " + name}
}

// labFill gives required references and enumerations a value that clients can parse.
func labFill(v reflect.Value) {
	for i := 0; i < v.NumField(); i++ {
		f := v.Field(i)
		if ref, ok := f.Addr().Interface().(*types.ManagedObjectReference); ok {
			*ref = Map.content().RootFolder
		} else if f.Kind() == reflect.Struct {
			labFill(f)
		} else if f.Kind() == reflect.String && f.Type().Name() != "string" {
			f.SetString("poweredOff")
		}
	}
}

// labBefore carries out what happens to a call before it is executed; nil = it goes on.
func labBefore(ctx *Context, m *Method) soap.HasFault {
	if f := labNoLogin(m.Name); f != nil {
		return &serverFaultBody{Reason: Fault("A general system error occurred: Authorize Exception", f)}
	}
	r := labMatch(m.Name, m.This, func(r *LabRule) bool {
		return r.Fault != "" || r.Drop || r.Expire || r.DelayMs > 0 || r.Restart != nil
	})
	if r == nil {
		return nil
	}
	labSleep(r.DelayMs)
	switch {
	case r.Restart != nil:
		labRestart(*r.Restart)
		panic(http.ErrAbortHandler)
	case r.Drop:
		panic(http.ErrAbortHandler)
	case r.Expire:
		if ctx.Session != nil && ctx.svc != nil {
			ctx.svc.sm.delSession(ctx.Session.Key)
		}
		return &serverFaultBody{Reason: Fault("The session is not authenticated.", labNewFault("NotAuthenticated"))}
	case r.Fault != "":
		return &serverFaultBody{Reason: Fault("injected "+r.Fault, labNewFault(r.Fault))}
	}
	return nil
}

// labCall executes a call; a panic of the simulator is logged and answered, so that a test can fail on it.
func labCall(m *Method, f func()) (res soap.HasFault) {
	defer func() {
		if p := recover(); p != nil {
			if p == http.ErrAbortHandler {
				panic(p)
			}
			log.Printf("lab: panic in %s: %v", m.Name, p)
			reason := fmt.Sprint(p)
			res = &serverFaultBody{Reason: Fault("simulator panic in "+m.Name+": "+reason, &types.SystemError{Reason: reason})}
		}
	}()
	labBeforeChange(m)
	f()
	if r := labMatch(m.Name, m.This, func(r *LabRule) bool { return r.DropAfter || r.RestartAfter != nil }); r != nil {
		if r.RestartAfter != nil {
			labRestart(*r.RestartAfter)
		}
		panic(http.ErrAbortHandler)
	}
	return nil
}

// labWrite sends the answer, or only its first half.
func labWrite(w http.ResponseWriter, code int, m *Method, answer []byte) {
	if m == nil || labMatch(m.Name, m.This, func(r *LabRule) bool { return r.Half }) == nil {
		w.WriteHeader(code)
		_, _ = w.Write(answer)
		return
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
	w.WriteHeader(code)
	_, _ = w.Write(answer[:len(answer)/2])
	if f, ok := w.(http.Flusher); ok {
		f.Flush()
	}
	panic(http.ErrAbortHandler)
}

// labTaskName returns the method's name, as a real task's info has it and pyVmomi looks it up.
func labTaskName(name string) string {
	name = ucFirst(name)
	for _, method := range []string{name + "_Task", name + "VM_Task", strings.TrimSuffix(name, "Vm") + "VM_Task"} {
		if _, ok := types.TypeFunc()(method); ok {
			return method
		}
	}
	return name
}

// labAsync runs the task in the background where a rule says so.
func labAsync(t *Task) bool {
	var ref types.ManagedObjectReference
	if t.Info.Entity != nil {
		ref = *t.Info.Entity
	}
	r := labMatch(t.Info.Name, ref, func(r *LabRule) bool { return r.TaskMs > 0 || r.TaskFault != "" })
	if r == nil {
		return false
	}
	times := labTimes()
	go func() {
		for i := 0; i < 10 && r.TaskMs > 0; i++ {
			Map.WithLock(t, func() {
				Map.Update(t, []types.PropertyChange{{Name: "info.progress", Val: int32(i * 10)}})
			})
			labSleep(r.TaskMs / 10)
		}
		if labForgotten(times) {
			return
		}
		var res types.AnyType
		err := labNewFault(r.TaskFault)
		if err == nil {
			res, err = labExecute(t, ref)
		}
		Map.WithLock(t, func() { t.finish(res, err) })
	}()
	return true
}

func labExecute(t *Task, ref types.ManagedObjectReference) (res types.AnyType, err types.BaseMethodFault) {
	defer func() {
		if p := recover(); p != nil {
			log.Printf("lab: panic in task %s: %v", t.Info.Name, p)
			err = &types.SystemError{Reason: fmt.Sprint(p)}
		}
	}()
	run := func() { res, err = t.Execute(t) }
	if o := Map.Get(ref); o != nil {
		Map.WithLock(o, run)
	} else {
		run()
	}
	return
}

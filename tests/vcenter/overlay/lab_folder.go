package simulator

// Datastore files over /folder: who may, what a rule does to it, and writing in place.

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"

	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// labFolder returns where the answer goes; nil = the request has been answered.
func (s *Service) labFolder(w http.ResponseWriter, r *http.Request) http.ResponseWriter {
	method := "folder:" + r.Method
	labCount(method)
	file := types.ManagedObjectReference{Value: strings.TrimPrefix(r.URL.Path, folderPrefix)}
	if m := labMatch(method, file, func(*LabRule) bool { return true }); m != nil {
		labSleep(m.DelayMs)
		if m.Restart != nil {
			labRestart(*m.Restart)
		}
		if m.Drop || m.Restart != nil {
			panic(http.ErrAbortHandler)
		}
		if m.Status > 0 {
			w.WriteHeader(m.Status)
			return nil
		}
		if m.Half {
			w = &labHalfWriter{ResponseWriter: w}
		}
	}
	if s.labMayRead(r) {
		return w
	}
	w.WriteHeader(http.StatusUnauthorized)
	return nil
}

// labHalfWriter closes the connection after half of the body.
type labHalfWriter struct {
	http.ResponseWriter
	written int
}

func (w *labHalfWriter) Write(body []byte) (int, error) {
	length, _ := strconv.Atoi(w.Header().Get("Content-Length"))
	if most := length/2 - w.written; len(body) > most {
		_, _ = w.ResponseWriter.Write(body[:most])
		if f, ok := w.ResponseWriter.(http.Flusher); ok {
			f.Flush()
		}
		panic(http.ErrAbortHandler)
	}
	w.written += len(body)
	return w.ResponseWriter.Write(body)
}

func (s *Service) labMayRead(r *http.Request) bool {
	lab.Lock()
	auth := lab.auth
	lab.Unlock()
	if !auth {
		return true
	}
	if c, err := r.Cookie(soap.SessionCookieName); err == nil {
		if _, ok := s.sm.getSession(strings.Trim(c.Value, `"`)); ok {
			return true
		}
	}
	u, p, ok := r.BasicAuth()
	pass, _ := s.Listen.User.Password()
	return ok && u == s.Listen.User.Username() && p == pass
}

// labRangePut writes in place where the request has a Content-Range header.
func labRangePut(w http.ResponseWriter, r *http.Request, p string) bool {
	var a, b int64
	if n, _ := fmt.Sscanf(r.Header.Get("Content-Range"), "bytes %d-%d", &a, &b); n != 2 {
		return false
	}
	f, err := os.OpenFile(p, os.O_CREATE|os.O_WRONLY, 0600)
	if err == nil {
		defer f.Close()
		_, err = f.Seek(a, io.SeekStart)
	}
	if err == nil {
		_, err = io.CopyN(f, r.Body, b-a+1)
	}
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
	}
	return true
}

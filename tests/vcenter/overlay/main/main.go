// The test vCenter: Debian's govmomi simulator with the overlay's lab_*.go files.
package main

import (
	"crypto/tls"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"syscall"

	"github.com/google/uuid"
	"github.com/vmware/govmomi/simulator"

	_ "github.com/vmware/govmomi/cns/simulator"
	_ "github.com/vmware/govmomi/lookup/simulator"
	_ "github.com/vmware/govmomi/pbm/simulator"
	_ "github.com/vmware/govmomi/sts/simulator"
	_ "github.com/vmware/govmomi/vapi/cluster/simulator"
	_ "github.com/vmware/govmomi/vapi/simulator"
)

func main() {
	m := simulator.VPX()
	flag.IntVar(&m.Datacenter, "dc", m.Datacenter, "datacenters")
	flag.IntVar(&m.Cluster, "cluster", m.Cluster, "clusters per datacenter")
	flag.IntVar(&m.ClusterHost, "host", m.ClusterHost, "hosts per cluster")
	flag.IntVar(&m.Host, "standalone-host", m.Host, "standalone hosts")
	flag.IntVar(&m.Datastore, "ds", m.Datastore, "datastores")
	flag.IntVar(&m.Machine, "vm", m.Machine, "virtual machines per resource pool")
	flag.IntVar(&m.Pool, "pool", m.Pool, "resource pools per compute resource")
	flag.IntVar(&m.App, "app", m.App, "vApps per compute resource")
	flag.IntVar(&m.Pod, "pod", m.Pod, "storage pods")
	flag.IntVar(&m.Portgroup, "pg", m.Portgroup, "portgroups")
	flag.IntVar(&m.Folder, "folder", m.Folder, "folders")
	flag.BoolVar(&m.Autostart, "autostart", m.Autostart, "power the VMs on")
	flag.IntVar(&m.DelayConfig.Delay, "delay", 0, "ms added to every call")
	flag.Float64Var(&m.DelayConfig.DelayJitter, "delay-jitter", 0, "coefficient of variation")
	listen := flag.String("l", "127.0.0.1:0", "listen address")
	user := flag.String("username", "admin", "who may log in")
	pass := flag.String("password", "s3cret", "of that user")
	cert := flag.String("tlscert", "", "PEM file of the certificate")
	key := flag.String("tlskey", "", "PEM file of its key")
	load := flag.String("load", "", "directory written by govc object.save")
	estate := flag.String("estate", "", "inventory document (wherry.inventory/1) to build everything from")
	vcenter := flag.String("estate-vcenter", "", "which vCenter of the document; the first by default")
	flag.BoolVar(&simulator.LabFiles, "files", true, "make the files of a document's VMs, empty")
	luns := flag.Int("lun", 0, "LUNs that all hosts of a datacenter share")
	id := flag.String("instance-uuid", "", "vCenter instance UUID; by default the document's, or a new one")
	flag.StringVar(&m.ServiceContent.About.ApiVersion, "api-version", m.ServiceContent.About.ApiVersion, "")
	flag.IntVar(&simulator.LabMaxObjects, "max-objects", 0, "the server's own limit of objects in one page")
	leashed := flag.Bool("leashed", false, "end when standard input ends: with the process that started this one")
	flag.Parse()

	if err := fill(m, *load, *estate, *vcenter, *id); err != nil {
		m.Remove()
		log.Fatal(err)
	}
	if *luns > 0 {
		simulator.LabPlainSAN(*luns)
	}
	m.Service.RegisterEndpoints = true
	m.Service.Listen = &url.URL{Host: *listen, User: url.UserPassword(*user, *pass)}
	m.Service.TLS = new(tls.Config)
	if *cert != "" {
		c, err := tls.LoadX509KeyPair(*cert, *key)
		if err != nil {
			log.Fatal(err)
		}
		m.Service.TLS.Certificates = []tls.Certificate{c}
	}
	http.HandleFunc("/lab/rules", simulator.LabRules)
	http.HandleFunc("/lab/calls", simulator.LabCalls)
	http.HandleFunc("/lab/tracking", simulator.LabTracking)
	http.HandleFunc("/lab/room", simulator.LabStore)
	http.HandleFunc("/lab/restart", simulator.LabRestarts)
	m.Service.ServeMux = http.DefaultServeMux
	s := m.Service.NewServer()
	simulator.LabGate(s.Server)
	if err := simulator.LabTags(); err != nil {
		m.Remove()
		log.Fatal(err)
	}
	fmt.Printf("READY %s %s\n", s.URL, simulator.LabInstance(""))

	sig := make(chan os.Signal, 1)
	signal.Notify(sig, syscall.SIGINT, syscall.SIGTERM)
	if *leashed {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			sig <- syscall.SIGTERM
		}()
	}
	<-sig
	m.Remove()
}

// fill builds the objects from a document, from saved ones or by the flags.
func fill(m *simulator.Model, load, estate, vcenter, id string) error {
	var err error
	known := ""
	switch {
	case estate != "":
		known, err = simulator.LabLoad(m, estate, vcenter)
	case load != "":
		err = m.Load(load)
	default:
		err = m.Create()
	}
	for _, choice := range []string{id, known, uuid.New().String()} {
		if choice != "" && err == nil {
			simulator.LabInstance(choice)
			break
		}
	}
	return err
}

"""The fixed list of words that are kept: the language of vSphere, guest systems, tiers and environments.

A word that is not here becomes a pseudonym wherever it stands. Nothing is learnt from the estate.
"""

from __future__ import annotations

_VSPHERE = """
adapter adapters add affinity agent amd anti any assigned ata automated aware backup balanced base bios
block boot broadwell build bus card cascadelake cd cdrom center chipset client clock cls cluster clusters
configured connected console controller cpu crash custom cvd daily data datacenter datastore datastores
dedicated default dependency device devices direct disabled disconnected discovered disk disks distributed
dongle dr drive drs dv dvd dvs dvswitch eager eam early efi enabled enhanced enterprise ephemeral epyc
essentials esx esxi evaluation external fail failover fault fc fcoe file files flat flexible floppy folder
format fully gb gen generated gib gray green grid group guest ha hard hardware haswell hba hbr hci high
highest hms host hosts hot hpet hz icelake ide image inaccessible independent install installed instance
integrity intel interval invalid inventory io iov ip iscsi iso ivybridge keep keeps key kib late latency
latest lazy level licence license licensed linked local lock logic lom low lowest lsi lsilogic lsisas lun
luns lwd machine maintenance managed management mandatory manual mapped mb medium memory merom mgmt mib
migration mirror mirrored mode mount name need needs nehalem net network networks nfs nic node nodes none
nonpersistent normal not npiv nsx nsxt nvdimm nvme off offline ok old on online opaque opteron order
orphaned override parallel paravirtual partially passthrough path pci pcie penryn persistent pg physical
placeholder plus pmem policy pool port portgroup powered precision primary production profile protected
pvlan pvrdma pvscsi raw rdm recoverpoint recovery red remote replication resource resources responding
restarted rom rp rule rules running sandybridge sapphirerapids sas sata scsi secondary security separate
separation serial server services sesparse setup shared sharing site skylake slot slots sms snapshot
snapshots sound sparse sphere sr srm standard started starting static storage suspended switch system tag tb
template templates thin tib together tools tpm trunk type unbound undefined undoable uplink usb user uuid
vapp vc vcdr vcenter vcls vcsa vdi vdisk vgpu vim virtual vlan vlance vlans vm vmdk vmfs vmhba vmk vmkernel
vmnic vmotion vms vmware vmx vmxnet volume volumes vr vsan vsphere vswitch vtpm vvol watchdog westmere with
without writer xhci yellow zen zeroed zerto
"""
_SYSTEMS = """
alma almalinux amazon amd apple arm asianux bit bits business centos core coreos cos darwin datacenter
debian desktop earlier edition ent enterprise essential fedora flatcar freebsd gnu guest hat home hpux
kernel later linux longhorn lts mac macos mandriva microsoft millennium netware next nt opensuse oracle os
other photon professional rc red rel release rhel rocky sco server servers sles solaris sp srv standard std
storage sun suse turbo ubuntu ultimate unix vista win windows winlonghorn winn winnet workstation x xen xp
"""
_ROLES = """
a ad admin after all an analytics and api app application applications apps archive are audit auth azure
batch before begin bi bronze by cache call calls catalog category center centre ci citrix cms cold collector
com connector copy core corp cost critical criticality csv database databases day days db dbs dc ddi delete
demo dev development dhcp directory dmz dns do domain dr ds each edge elastic email end environment every
example exchange export false farm file files fileserver final first flow flows for friday from front
frontend fs ftp gateway git gold gw host hostname hour hours http https idm import in infra infrastructure
int integration internal internet intranet is iso it its json jump kafka kms kube kubernetes lab lan last lb
ldap legacy license list localdomain localhost log logging mail main master mission mon monday monitor
monitoring month monthly months move moves mq ms mssql my mysql nas nat needs net netflow new night no node
none not ntp nvram of only or oracle org owner patch pg plain portal postgres postgresql prd pre preprod
primary print private prod production proxy ps public qa quarter quarters queue rabbit radius rdp rds redis
remove removed report reporting reports root sandbox sap saturday search second secondary secure setup
sharepoint short silver slave smtp sp spare splunk sql srv ssh stage staging standby stg storage sunday svc
svr sync synthetic syslog tags temp template test tests that the third this three thursday tier tmp to true
tst tuesday two uat unknown upgrade uses value vdi vip vmdk vmsd vmss vmx voip volume vpn vrni wan way web
webserver wednesday week weekend weekends weekly weeks window wins worker workers wsus www xlsx xml yes
zabbix
"""
_MAKERS = """
array atom broadcom bronze c channel cisco compaq corporation cpu dell dl dual emc emulex fabric fc fibre
flasharray fujitsu gb ghz gold hewlett hitachi hp hpe huawei ibm inc intel lenovo lpe lsi ltd lto mhz mode
msa nec netapp nimble nutanix nvidia packard platinum port poweredge powerpath primergy processor proliant
pure qle qlogic quad quanta r san series silver supermicro system systems t thinksystem ucs ucsb ucsc v xeon
"""
KEPT = frozenset(word for text in (_VSPHERE, _SYSTEMS, _ROLES, _MAKERS) for word in text.split())

# Releases of systems, as they stand in names of images and templates.
RELEASES = frozenset({"2000", "2003", "2008", "2012", "2016", "2019", "2022", "2025"})

# Words that people glue to a name without a sign between: crmdb, webfrontend1. Longer ones first.
AFFIXES = (
    "portal",
    "server",
    "proxy",
    "dhcp",
    "host",
    "ldap",
    "mail",
    "node",
    "prod",
    "test",
    "app",
    "dev",
    "dns",
    "esx",
    "sql",
    "srv",
    "uat",
    "web",
    "db",
    "vm",
)

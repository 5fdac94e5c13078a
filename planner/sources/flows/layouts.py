"""The layouts we know: which columns each has, under which headers, and how a file's is told.

A header's key is its letters and digits in lower case. A file is of the layout that knows most of its
headers among those whose needed columns are all there; of equals the first counts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from planner.evidence.records import Kind


def _spelled(text: str) -> tuple[str, ...]:
    return tuple(text.split())


@dataclass(frozen=True, slots=True)
class Layout:
    """One layout. ``columns`` are header keys by field; of each group in ``needs`` one must be there."""

    kind: Kind
    columns: Mapping[str, tuple[str, ...]]
    needs: tuple[tuple[str, ...], ...]
    example: str


_ENDS = (("source", "source_address"), ("destination", "destination_address"))
LAYOUTS = (
    Layout(
        Kind.AZURE,
        {
            "slot": _spelled("timeslot date"),
            "source": _spelled("sourceservername"),
            "source_address": _spelled("sourceip"),
            "source_process": _spelled("sourceprocess"),
            "destination": _spelled("destinationservername"),
            "destination_address": _spelled("destinationip"),
            "destination_process": _spelled("destinationprocess"),
            "port": _spelled("destinationport"),
            "count": _spelled("connectioncount connections"),
            "unused": _spelled("sourceapplication destinationapplication sourcevlan destinationvlan"),
        },
        (*_ENDS, ("slot",), ("port",)),
        "Time slot,Source server name,Source IP,Destination server name,Destination IP,Destination port",
    ),
    Layout(
        Kind.NETFLOW,
        {
            "first": _spelled("ts firstseen"),
            "last": _spelled("te lastseen"),
            "duration": _spelled("td duration"),
            "source_address": _spelled("sa srcaddr"),
            "destination_address": _spelled("da dstaddr"),
            "source_port": _spelled("sp srcport"),
            "port": _spelled("dp dstport"),
            "protocol": _spelled("pr proto"),
            "size": _spelled("ibyt byt bytes inbytes"),
            "size_back": _spelled("obyt outbytes"),
            "count": _spelled("fl flows"),
        },
        (("source_address",), ("destination_address",), ("source_port",), ("port",)),
        "ts,te,td,sa,da,sp,dp,pr,flg,fwd,stos,ipkt,ibyt,opkt,obyt",
    ),
    Layout(
        Kind.NETWORKS,
        {
            "source": _spelled("sourcevm sourcevmname srcvm"),
            "source_address": _spelled("sourceip sourceipaddress srcip"),
            "destination": _spelled("destinationvm destinationvmname dstvm"),
            "destination_address": _spelled("destinationip destinationipaddress dstip"),
            "port": _spelled("destinationport port portdisplay dstport"),
            "protocol": _spelled("protocol"),
            "size": _spelled("totalbytes bytes sumbytes flowtotalbytes totaltraffic traffic volume"),
            "count": _spelled("sessions sessioncount totalsessions flowcount"),
            "first": _spelled("firstseen starttime firstactivity"),
            "last": _spelled("lastseen endtime lastactivity"),
            "action": _spelled("firewallaction action"),
        },
        (*_ENDS, ("source", "destination"), ("port",)),
        "Source VM,Source IP,Destination VM,Destination IP,Port Display,Protocol,Firewall Action,Total Bytes",
    ),
    Layout(
        Kind.PLAIN,
        {
            "source": _spelled(
                "source src from client sourcename sourcehost sourcehostname sourceserver sourcemachine "
                "srchost"
            ),
            "source_address": _spelled("sourceip sourceaddress srcip srcaddr clientip"),
            "destination": _spelled(
                "destination dst dest to server target destinationname destinationhost destinationhostname "
                "destinationserver destinationmachine dsthost"
            ),
            "destination_address": _spelled("destinationip destinationaddress dstip dstaddr serverip"),
            "port": _spelled("port destinationport dstport dport serverport targetport service"),
            "protocol": _spelled("protocol proto ipprotocol"),
            "size": _spelled("bytes totalbytes size sizebytes traffic trafficbytes volume octets"),
            "count": _spelled("count connections flows sessions hits"),
            "first": _spelled("firstseen first start starttime begin timestamp time date"),
            "last": _spelled("lastseen last end endtime until"),
        },
        _ENDS,
        "source,destination,port,protocol,bytes,first_seen,last_seen",
    ),
    Layout(
        Kind.APPLICATIONS,
        {
            "subject": _spelled(
                "vm vmname virtualmachine server servername hostname host machine machinename name "
                "computer computername asset ci"
            ),
            "subject_address": _spelled("ip ipaddress primaryip primaryipaddress address"),
            "application": _spelled(
                "application app applicationname appname service servicename businessservice workload system"
            ),
            "tier": _spelled("tier role apptier layer serverrole servertier component function"),
            "environment": _spelled("environment env stage serverenvironment landscape"),
            "owner": _spelled(
                "owner applicationowner appowner businessowner serviceowner technicalowner responsible "
                "contact team"
            ),
            "criticality": _spelled(
                "criticality businesscriticality priority sla importance class classification"
            ),
            "window": _spelled(
                "window maintenancewindow cutoverwindow outagewindow changewindow downtimewindow "
                "routineoutagewindow routineoutagewindows"
            ),
        },
        (
            ("subject", "subject_address"),
            ("application", "tier", "environment", "owner", "criticality", "window"),
        ),
        "vm,application,tier,environment,owner,criticality,window",
    ),
)


def layout_of(kind: Kind) -> Layout:
    """Return the layout of a kind."""
    return next(layout for layout in LAYOUTS if layout.kind is kind)


@dataclass(frozen=True, slots=True)
class Header:
    """A row that was read as a layout's header: ``columns`` are indexes by field."""

    layout: Layout
    columns: Mapping[str, int]
    width: int

    @property
    def lacks(self) -> tuple[tuple[str, ...], ...]:
        """The groups of needed columns of which none is there."""
        return tuple(
            group for group in self.layout.needs if not any(field in self.columns for field in group)
        )


def _read_as(layout: Layout, keys: Sequence[str]) -> Header:
    at = {key: index for index, key in reversed(list(enumerate(keys))) if key}
    columns = {}
    for field, spellings in layout.columns.items():
        found = next((at[key] for key in spellings if key in at), None)
        if found is not None:
            columns[field] = found
    return Header(layout, columns, len(keys))


def read_header(cells: Sequence[str], kind: Kind | None = None) -> Header:
    """Return the best reading of a row as a header; one whose ``lacks`` is empty is a header.

    ``kind`` allows one layout only.
    """
    keys = [re.sub(r"[^a-z0-9]", "", cell.casefold()) for cell in cells]
    readings = [_read_as(layout, keys) for layout in LAYOUTS if kind in (None, layout.kind)]
    return max(readings, key=lambda reading: (not reading.lacks, len(reading.columns)))

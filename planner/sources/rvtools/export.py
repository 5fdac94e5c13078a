"""The sheets of an export, read one at a time as they are asked for, and what is unknown without them.

vInfo is the only sheet that must be there.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from planner.errors import BadInput
from planner.names import visible
from planner.sources.books import Book
from planner.sources.cells import moment
from planner.sources.isolation import Report
from planner.sources.rvtools.headers import Sheet, read_sheet, sheet_key
from planner.sources.rvtools.joins import repair_name_column

# Sheets that are read, in the spelling of notes.
_READ = (
    "vMetaData vSource vInfo vCPU vMemory vTools vDisk vPartition vNetwork vSnapshot vCD vUSB vFloppy "
    "vHost vHBA vSC_VMK vCluster vRP vDatastore vMultiPath vSwitch vPort dvPort vLicense"
)
SPELLED = {sheet_key(name): name for name in _READ.split()}
# What is unknown without a sheet. Others fill in details, and their absence is a gap without a note.
_UNKNOWN = {
    "vdisk": "disks are unknown",
    "vnetwork": "adapters, MAC addresses and IP addresses are unknown but for what vInfo says",
    "vsnapshot": "snapshots are unknown",
    "vcd": "CD drives are unknown",
    "vtools": "the status of VMware Tools is unknown",
    "vpartition": "used space inside guests is unknown",
    "vhost": "hosts are known by name only",
    "vcluster": "clusters are known by name only",
    "vdatastore": "datastores are known by name only",
    "vmultipath": "LUNs are unknown",
    "vcpu": "reservations, limits and hot add of processors are unknown",
    "vmemory": "reservations, limits and hot add of memory are unknown",
}
# These may well hold nothing but their headers: there are no snapshots, no drives.
_MAY_BE_BARE = frozenset(
    {"vinfo", "vsnapshot", "vcd", "vusb", "vfloppy", "vport", "dvport", "vmetadata", "vmultipath", "vlicense"}
)
_PER_VM = frozenset(
    {"vcpu", "vmemory", "vtools", "vdisk", "vpartition", "vnetwork", "vsnapshot", "vcd", "vusb", "vfloppy"}
)
_STAMP = re.compile(r"(\d{4})-(\d\d)-(\d\d)[_ ](\d\d)\.(\d\d)\.(\d\d)")


class Export:
    """An export of RVTools. ``notes`` grow while it is read; ``present`` is complete when all was read."""

    def __init__(self, book: Book, path: Path, report: Report | None = None) -> None:
        self.path = path
        self.shown = visible(path.name, 80)
        self.notes: list[str] = []
        self.names = frozenset[str]()
        self.present: set[str] = set()
        self._book = book
        self._report = report or (lambda done, total: None)
        self._done = 0
        self._named: dict[str, str] = {}
        self._choose()
        self.weight = sum(book.weights[name] for name in self._named.values())

    def _choose(self) -> None:
        known = {key for name in self._book.weights if (key := sheet_key(name))}
        # "vHealth" alone could be anyone's sheet; two of RVTools' names are no accident.
        if "vinfo" not in known:
            if len(known) >= 2:
                raise BadInput(
                    f"{self.shown} has no vInfo sheet", "export all sheets with RVTools, vInfo among them"
                )
            names = ", ".join(visible(name, 30) for name in list(self._book.weights)[:4]) or "none"
            if self.path.suffix.lower() == ".csv":
                raise BadInput(
                    f"{self.shown} is not the vInfo file of an RVTools export",
                    "name RVTools_tabvInfo.csv or the folder it lies in",
                )
            raise BadInput(
                f"{self.shown} is not an RVTools workbook: its sheets are {names}",
                "name the .xlsx file that RVTools wrote",
            )
        for name in self._book.weights:
            key = sheet_key(name)
            if key in self._named:
                self.notes.append(
                    f"a second sheet {SPELLED[key]} ({visible(name, 40)}) was left out: "
                    "only the first is read"
                )
            elif key in SPELLED:
                self._named[key] = name

    def sheet(self, key: str) -> Sheet | None:
        """Return a sheet by its key, None when it is missing or says nothing; a note says what then."""
        name = self._named.get(key)
        if name is None:
            self._note_lack(key, "missing")
            return None
        found, more = read_sheet(SPELLED[key], self._book.rows(name))
        self._done += self._book.weights[name]
        self._report(self._done, self.weight)
        # Every estate with VMs has rows here: a sheet without them says nothing, not none.
        if not len(found) and not (key in _MAY_BE_BARE and (found.columns or key == "vinfo")):
            self._note_lack(key, "empty")
            return None
        self.present.add(key)
        self.notes += more
        if key == "vinfo" or key in _PER_VM:
            found, more = repair_name_column(found, self.names)
            self.notes += more
        return found

    def _note_lack(self, key: str, how: str) -> None:
        if key in _UNKNOWN:
            self.notes.append(f"{SPELLED[key]} is {how}: {_UNKNOWN[key]}")

    def info(self) -> Sheet:
        """Return vInfo; raises BadInput when it is not RVTools'."""
        found = self.sheet("vinfo")
        if found is None or (
            not found.has("vm", "vmid", "vmuuid") or not found.has("powerstate", "vmid", "cpus")
        ):
            if found is not None and not found.headers:
                raise BadInput(f"{self.shown} has an empty vInfo sheet", "export it again with RVTools")
            lacking = [
                name
                for name, key in (("VM", "vm"), ("Powerstate", "powerstate"))
                if found is None or not found.has(key)
            ]
            named = " and no ".join(lacking)
            raise BadInput(
                f"{self.shown} is no RVTools export: its vInfo sheet has no column {named}",
                "name the .xlsx file, or the folder of .csv files, that RVTools wrote",
            )
        return found

    def taken_at(self, metadata: Sheet | None) -> str:
        """Return when the export was made: as it says, else by its name, else the file's own time."""
        said = [at for at in metadata.moments("xlsxcreationdatetime") if at] if metadata else []
        if said:
            return min(said)
        if stamp := _STAMP.search(self.path.name):
            self.notes.append("vMetaData says no time of export: that of the name was taken")
            if at := moment("{}-{}-{}T{}:{}:{}".format(*stamp.groups())):
                return at
        self.notes.append("vMetaData says no time of export: the file's own time was taken")
        return datetime.fromtimestamp(self.path.stat().st_mtime, UTC).isoformat(timespec="seconds")

    def finish(self) -> None:
        """Take over what the book had to say of its rows."""
        self.notes += self._book.notes

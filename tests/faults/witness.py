"""What an independent observer notes beside a run: power at both sites, disks when all has stopped.

Every boundary a driver passes is noted with the VMs that are on at both sites (there must be none: a
step makes one power change, so looking between steps sees them all). When a replica is finished, and
before anything starts at the target, both copies of every disk are hashed, here and by other means.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import closing
from pathlib import Path
from typing import Any

from migrate.disks.ports import ReadableDisk
from migrate.sites.lab.client import LabSite

FILE = "witness.jsonl"
_SECTOR = 512
_RECORDS = 0x7F  # type of the partition that guests write records to


class Witness:
    """Notes for one scenario, in a file that outlives the process which writes them."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def see(self, point: str) -> None:
        """Note that a boundary was reached and what is on where."""
        both = sorted(powered_on(self._root / "lab" / "dc1") & powered_on(self._root / "lab" / "dc2"))
        line: dict[str, object] = {"point": point, "both": both}
        if point.endswith("/mark before intent"):
            line |= {"stopped": self._stopped()}
        self._note(line)

    def _note(self, line: dict[str, object]) -> None:
        with (self._root / FILE).open("a") as file:
            file.write(json.dumps(line) + "\n")

    def _stopped(self) -> dict[str, object]:
        source, target = (LabSite.connect(self._root / "lab" / site, start=False) for site in ("dc1", "dc2"))
        with closing(source), closing(target):
            volumes = volumes_of(source)
            return {
                "source": {volume: whole(source, volume) for volume in volumes},
                "target": {volume: whole(target, volume) for volume in volumes},
                "acknowledged": {vm: source.guest(vm).last_acknowledged for vm in source.vms()},
            }


def read_witness(root: Path) -> list[dict[str, Any]]:
    """Return all notes of a scenario, oldest first."""
    path = root / FILE
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def powered_on(site: Path) -> set[str]:
    """Return the VMs that a site's own power book says are on."""
    try:
        body = json.loads((site / "state" / "power.json").read_text())
    except FileNotFoundError:
        return set()
    return {vm for vm, state in body["vms"].items() if state["on"]}


def volumes_of(site: LabSite) -> tuple[str, ...]:
    """Return every volume that a VM of the site holds."""
    found: dict[str, None] = {}
    for vm in site.vms():
        state = site.observe(vm)
        assert state is not None
        found |= dict.fromkeys(disk.volume for disk in state.disks)
    return tuple(found)


def _read(site: LabSite, volume: str) -> bytes:
    with closing(site.open_read(volume)) as disk:
        return _content(disk)


def _content(disk: ReadableDisk) -> bytes:
    buffer = bytearray(disk.size_bytes)
    disk.read_into(memoryview(buffer), 0)
    return bytes(buffer)


def whole(site: LabSite, volume: str) -> str:
    """Return the digest of every byte of a volume."""
    return digest(_read(site, volume))


def digest(data: bytes | bytearray) -> str:
    """Return a SHA-256 in which zeros at the end do not count: those of a larger LUN."""
    return hashlib.sha256(data.rstrip(b"\0")).hexdigest()


def beside_records(site: LabSite, volume: str) -> str:
    """Return the SHA-256 of a volume up to its records, which running guests go on writing.

    An empty replica has no partitions yet and is hashed as a whole.
    """
    data = _read(site, volume)
    for entry in range(446, 510, 16):
        if data[entry + 4] == _RECORDS:
            start = int.from_bytes(data[entry + 8 : entry + 12], "little") * _SECTOR
            return hashlib.sha256(data[:start]).hexdigest()
    return hashlib.sha256(data).hexdigest()

"""A cycle of 200 VMs at a vCenter: the old snapshot goes, a new one is taken, what changed is asked for.

The vCenter is the simulated one of the tests and answers every call 20 ms late. Each side runs in a process
of its own. Bytes are not moved: what is measured is what asking takes.
"""

from __future__ import annotations

import http.client
import json
import ssl
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.host import facts

if TYPE_CHECKING:
    from migrate.sites.ports import Snapshot
    from migrate.sites.vsphere.site import VsphereSite
    from tests.vcenter.peer import VCenterPeer

DELAY_MS = 20
_LANES = 32  # groups that go on side by side
_SINGLE, _GROUP = "one after the other", "as one group"
_WAYS = (_SINGLE, f"{_LANES} side by side", _GROUP)


def _cycled(way: str, place: dict[str, Any]) -> dict[str, Any]:
    """Go round once: the old snapshots go, new ones are taken, and what changed between them is asked.

    ``way`` is how the VMs are grouped. The groups of the engine's lanes go on side by side.
    """
    site = _site(place)
    vms: tuple[str, ...] = tuple(place["vms"])
    groups = [vms] if way == _GROUP else [(vm,) for vm in vms]
    with ThreadPoolExecutor(1 if way == _SINGLE else _LANES, "lane") as lanes:
        old = list(lanes.map(lambda group: site.take_snapshot(group, f"{way}/{group[0]}/old"), groups))
        _count_calls(place)
        before, begun = time.process_time(), time.perf_counter()

        def turn(number: int) -> Snapshot:
            group = groups[number]
            site.drop_snapshot(old[number].id, f"{way}/{group[0]}/drop/do1")
            return site.take_snapshot(group, f"{way}/{group[0]}/new")

        new = list((map if way == _GROUP else lanes.map)(turn, range(len(groups))))
        since = {volume: change for taken in old for volume, change in taken.changes.items()}
        changed = list(lanes.map(lambda one: site.changed_areas(*one), since.items()))
        said = {"wall_s": time.perf_counter() - begun, "cpu_s": time.process_time() - before}
        said["calls"] = _count_calls(place)
    assert changed == [()] * len(vms), "nothing writes, and change tracking is believed"
    assert since.keys() == {volume for taken in new for volume in taken.changes}
    return said


def _count_calls(place: dict[str, Any]) -> int:
    """Return how many calls the vCenter served since this was asked last."""
    trust = ssl.create_default_context(cafile=place["certificate"])
    with closing(http.client.HTTPSConnection(place["host"], place["port"], context=trust)) as connection:
        connection.request("DELETE", "/lab/calls")
        return sum(json.loads(connection.getresponse().read()).values())


def _site(place: dict[str, Any]) -> VsphereSite:
    from migrate.sites.vsphere.site import VsphereSite
    from planner.sources.vcenter.address import Address, Login

    address = Address(place["user"], place["host"], place["port"])
    login = Login(address, place["password"], ca_file=Path(place["certificate"]), timeout_s=600)
    return VsphereSite.connect("vsphere", login, {vm: vm for vm in place["vms"]}, place["places"])


def _side(way: str, place: dict[str, Any]) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.vsphere", way],
        input=json.dumps(place),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        cwd=Path(__file__).resolve().parents[1],
    )
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def _tracked(peer: VCenterPeer) -> tuple[list[str], dict[str, str]]:
    """Turn change tracking on for every VM of the peer; return their ids, and where each volume lies."""
    from tests.vcenter.staged import Plant, disks_of

    machines = Plant(peer, size_bytes=1 << 20).machines.values()
    places = {
        f"{machine._moId}/{disk.key}": str(disk.backing.fileName)
        for machine in machines
        for disk in disks_of(machine)
    }
    return [str(machine._moId) for machine in machines], places


def run(quick: bool) -> dict[str, Any]:
    """Return the figures: 40 VMs when ``quick``, else 200."""
    from tests.vcenter.binary import built, lacking
    from tests.vcenter.certificates import Authority
    from tests.vcenter.peer import VCenterPeer

    count = 40 if quick else 200
    figures: dict[str, Any] = {"name": "vsphere", "unit": "s", "vms": count, "host": facts()}
    if lacking():
        what = f"not run: {', '.join(lacking())} not installed"
        return {**figures, "rows": [{"what": f"{count} VMs", "value": None, "unit": what}]}
    binary = built(lambda line: print(line, file=sys.stderr))
    said: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory(prefix="wherry-vsphere-") as name:
        certificate = Authority(Path(name)).issue()
        flags = ("-cluster", "1", "-host", "4", "-standalone-host", "0", "-vm", str(count))
        for way in _WAYS:
            with VCenterPeer(binary, certificate, *flags) as peer:
                place = {key: getattr(peer, key) for key in ("host", "port", "user", "password")}
                vms, places = _tracked(peer)
                place |= {"certificate": str(peer.certificate), "vms": vms, "places": places}
                peer.rules([{"method": "*", "delayMs": DELAY_MS}])
                said[way] = _side(way, place)
    columns = {"calls_per_vm": "calls a VM", "cpu_ms_per_vm": "ms of client CPU a VM"}
    rows = [_row(way, count, said) for way in _WAYS]
    return {**figures, "columns": columns, "rows": rows}


def _row(way: str, count: int, said: dict[str, dict[str, float]]) -> dict[str, Any]:
    ratio = said[way]["wall_s"] / said[_SINGLE]["wall_s"]
    against = {} if way == _SINGLE else {f"time_ratio_to {_SINGLE}": round(ratio, 3)}
    return {
        "what": f"{count} VMs, {way}",
        "value": round(said[way]["wall_s"], 2),
        "unit": "s",
        "calls_per_vm": round(said[way]["calls"] / count, 1),
        "cpu_ms_per_vm": round(said[way]["cpu_s"] / count * 1000, 1),
        **against,
    }


if __name__ == "__main__":
    if sys.argv[1:] and sys.argv[1] in _WAYS:
        print(json.dumps(_cycled(sys.argv[1], json.loads(sys.stdin.read()))))
    else:
        print(json.dumps(run("--quick" in sys.argv), indent=2))

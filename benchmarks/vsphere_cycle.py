"""One cycle of snapshots at a vCenter: 200 VMs, 20 ms on every call, one after the other and overlapped.

A cycle of a VM is what a run does between two passes, without the bytes: the old snapshot is removed, the
new one is taken, and what changed is asked for. Processor time is of this process; the simulator has its own.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.host import facts
from benchmarks.vsphere_driven import DrivenCycles

_DELAY_MS = 20
_AT_ONCE = 32


def run(quick: bool) -> dict[str, Any]:
    """Return the figures: 20 VMs when ``quick``, else 200."""
    from migrate.sites.vsphere.calls import CallLog
    from migrate.sites.vsphere.connection import Connection
    from migrate.sites.vsphere.ids import Ids
    from migrate.sites.vsphere.site import VsphereSite
    from migrate.sites.vsphere.tasks import Tasks
    from planner.sources.vcenter.address import Address, Login
    from planner.sources.vcenter.session import Session
    from tests.vcenter.binary import built, lacking
    from tests.vcenter.certificates import Authority
    from tests.vcenter.peer import VCenterPeer

    count = 20 if quick else 200
    figures: dict[str, Any] = {"name": "vsphere_cycle", "unit": "s", "host": facts()}
    if lacking():
        what = f"not run: {', '.join(lacking())} not installed"
        return {**figures, "rows": [{"what": f"{count} VMs", "value": None, "unit": what}]}
    binary = built(lambda line: print(line, file=sys.stderr))
    with tempfile.TemporaryDirectory(prefix="wherry-vsphere-") as name:
        certificate = Authority(Path(name)).issue()
        flags = ("-cluster", "1", "-host", "4", "-standalone-host", "0", "-vm", str(count))
        with VCenterPeer(binary, certificate, *flags, "-delay", str(_DELAY_MS)) as peer:
            address = Address(peer.user, peer.host, peer.port)
            login = Login(address, peer.password, ca_file=peer.certificate)
            connection = Connection(Session(login))
            vms = _tracked(peer.connect())
            ids = Ids(connection, {vm: vm for vm in vms})
            site = VsphereSite("west", connection, Tasks(connection, CallLog()), ids)
            cycles = _Cycles(site, vms)
            cycles.all(1, map)  # the first snapshots, unmeasured
            peer.calls(reset=True)
            alone_s, alone_cpu_s = _measured(cycles, 2, at_once=False)
            calls = sum(peer.calls().values())
            beside_s, beside_cpu_s = _measured(cycles, 3, at_once=True)
            cycles.end(3)
            driven = DrivenCycles(site, cycles.volumes())
            driven.measured(0, beside=True)  # the first copies
            peer.calls(reset=True)
            driven_s, _ = driven.measured(1, beside=False)
            driven_calls = sum(peer.calls().values())
            driven_beside_s, driven_cpu_s = driven.measured(2, beside=True)
            site.close()
    return {
        **figures,
        "rows": [
            {"what": f"{count} VMs, one after the other", "value": round(alone_s, 2), "unit": "s"},
            {
                "what": f"{count} VMs, {_AT_ONCE} at once",
                "value": round(beside_s, 2),
                "unit": "s",
                "time_ratio_to one after the other": round(beside_s / alone_s, 3),
            },
            {"what": "calls of one cycle of a VM", "value": round(calls / count, 1), "unit": "calls"},
            _cpu("one after the other", alone_cpu_s / count),
            _cpu(f"{_AT_ONCE} at once", beside_cpu_s / count),
            {
                "what": f"{count} VMs by the driver, one after the other",
                "value": round(driven_s, 2),
                "unit": "s",
            },
            {
                "what": f"{count} VMs by the driver, beside each other",
                "value": round(driven_beside_s, 2),
                "unit": "s",
                "time_ratio_to one after the other": round(driven_beside_s / driven_s, 3),
            },
            {
                "what": "calls of one cycle of a VM by the driver",
                "value": round(driven_calls / count, 1),
                "unit": "calls",
            },
            _cpu("by the driver, beside each other", driven_cpu_s / count),
        ],
    }


def _cpu(said: str, cpu_s: float) -> dict[str, Any]:
    what = f"processor time of one cycle of a VM, {said}"
    return {"what": what, "value": round(cpu_s * 1000, 1), "unit": "ms"}


class _Cycles:
    """Cycles of VMs, each by itself."""

    def __init__(self, site: Any, vms: list[str]) -> None:
        self._site = site
        self._vms = vms
        self._bases: dict[str, Any] = {}

    def all(self, number: int, through: Callable[..., Any]) -> None:
        """Make a cycle of every VM."""
        for _ in through(lambda vm: self._one(vm, number), self._vms):
            pass

    def end(self, number: int) -> None:
        """Remove the snapshots that the last cycle left."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for _ in pool.map(
                lambda vm: self._site.drop_snapshot(f"bench/{vm}/s{number}/do1", "bench/end/do1"), self._vms
            ):
                pass

    def volumes(self) -> dict[str, str]:
        """Return the one volume of each VM."""
        found = {}
        for vm in self._vms:
            (disk,) = self._site.observe(vm).disks
            found[vm] = f"{vm}/{disk.key}"
        return found

    def _one(self, vm: str, number: int) -> None:
        op = f"bench/{vm}/s{number}/do1"
        if number > 1:
            self._site.drop_snapshot(f"bench/{vm}/s{number - 1}/do1", f"{op}/drop")
        taken = self._site.take_snapshot((vm,), op)
        (change,) = taken.changes.values()
        if number > 1:
            (volume,) = (disk.key for disk in self._site.observe(vm).disks)
            found = self._site.changed_areas(f"{vm}/{volume}", self._bases[vm])
            assert found == (), found
        self._bases[vm] = change


def _measured(cycles: _Cycles, number: int, *, at_once: bool) -> tuple[float, float]:
    """Return the seconds of a cycle of all VMs, and the processor time of this process."""
    begun, spent = time.monotonic(), time.process_time()
    if at_once:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            cycles.all(number, pool.map)
    else:
        cycles.all(number, map)
    return time.monotonic() - begun, time.process_time() - spent


def _tracked(service: Any) -> list[str]:
    """Turn change tracking on for all VMs and give their disks a size; return their ids."""
    import pyVmomi

    from tests.vcenter.collected import finished, named

    vim: Any = pyVmomi.vim
    vms = []
    for machine in named(service, vim.VirtualMachine).values():
        vm = machine[""]
        change = []
        for device in vm.config.hardware.device:
            if isinstance(device, vim.vm.device.VirtualDisk):
                device.capacityInKB, device.capacityInBytes = 1024, 1024**2
                change.append(vim.vm.device.VirtualDeviceSpec(operation="edit", device=device))
        finished(vm.ReconfigVM_Task(vim.vm.ConfigSpec(changeTrackingEnabled=True, deviceChange=change)))
        vms.append(str(vm._moId))
    return vms


if __name__ == "__main__":
    print(json.dumps(run("--quick" in sys.argv), indent=2))

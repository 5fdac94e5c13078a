"""A live vCenter of 10,000 VMs read into an inventory, beside what pyvmomi takes for the same properties.

Each side runs in a process of its own against the same simulated vCenter: client CPU, peak memory, calls.
pyvmomi has the smaller task: one RetrievePropertiesEx of the machines, and nothing is made of them.
"""

from __future__ import annotations

import json
import resource
import ssl
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.host import facts

_SAMPLE = 50  # machines whose attributes are walked, then extrapolated


def _ours(place: dict[str, Any]) -> dict[str, Any]:
    from planner.sources.vcenter.reading import read_vcenter

    return {"vms": len(read_vcenter(_login(place)).vms)}


def _collected(place: dict[str, Any]) -> dict[str, Any]:
    """Our collector alone: the machines' properties as plain values, none kept."""
    from planner.sources.vcenter.collector import Collector
    from planner.sources.vcenter.paths import MACHINES
    from planner.sources.vcenter.session import Session

    with Session(_login(place)) as session:
        return {"vms": len(Collector(session).read(MACHINES, lambda item: item.ref))}


def _login(place: dict[str, Any]) -> Any:
    from planner.sources.vcenter.address import Address, Login

    address = Address(place["user"], place["host"], place["port"])
    return Login(address, place["password"], ca_file=Path(place["certificate"]), timeout_s=600)


def _connected(place: dict[str, Any]) -> Any:
    from pyVim.connect import SmartConnect

    return SmartConnect(
        host=place["host"],
        port=place["port"],
        user=place["user"],
        pwd=place["password"],
        sslContext=ssl.create_default_context(cafile=place["certificate"]),
    ).content


def _pyvmomi(place: dict[str, Any]) -> dict[str, Any]:
    """One RetrievePropertiesEx of the same paths of all machines."""
    from pyVmomi import vim, vmodl

    from planner.sources.vcenter.paths import MACHINES

    query = vmodl.query.PropertyCollector
    content = _connected(place)
    view = content.viewManager.CreateContainerView(content.rootFolder, [vim.VirtualMachine], True)
    walk = query.TraversalSpec(type=type(view), path="view", skip=False)
    spec = query.FilterSpec(
        objectSet=[query.ObjectSpec(obj=view, skip=True, selectSet=[walk])],
        propSet=[query.PropertySpec(type=vim.VirtualMachine, pathSet=list(MACHINES.paths["VirtualMachine"]))],
    )
    found = content.propertyCollector.RetrievePropertiesEx([spec], query.RetrieveOptions())
    return {"vms": len(found.objects)}


def _walked(place: dict[str, Any]) -> dict[str, Any]:
    """The same properties of a few machines as attributes, each top-level one fetched once."""
    from pyVmomi import vim

    from planner.sources.vcenter.paths import MACHINES

    content = _connected(place)
    view = content.viewManager.CreateContainerView(content.rootFolder, [vim.VirtualMachine], True)
    machines = view.view[:_SAMPLE]
    for machine in machines:
        for name in sorted({path.partition(".")[0] for path in MACHINES.paths["VirtualMachine"]}):
            getattr(machine, name)
    return {"vms": len(machines)}


_SIDES = {"ours": _ours, "collected": _collected, "pyvmomi": _pyvmomi, "walked": _walked}


def _side(name: str, place: dict[str, Any]) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.vcenter", name],
        input=json.dumps(place),
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).resolve().parents[1],
    )
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def _measured(name: str) -> dict[str, Any]:
    place = json.loads(sys.stdin.read())
    import lxml.etree  # noqa: F401  (imports are no part of the figures, of either side)
    import pyVim.connect
    import pyVmomi

    del pyVim, pyVmomi
    before, begun = time.process_time(), time.perf_counter()
    said = _SIDES[name](place)
    said["cpu_s"] = time.process_time() - before
    said["wall_s"] = time.perf_counter() - begun
    said["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return said


def run(quick: bool) -> dict[str, Any]:
    """Return the figures: 1,000 VMs when ``quick``, else 10,000."""
    from tests.vcenter.binary import built, lacking
    from tests.vcenter.certificates import Authority
    from tests.vcenter.peer import VCenterPeer

    count = 1_000 if quick else 10_000
    figures: dict[str, Any] = {"name": "vcenter", "unit": "s of CPU", "vms": count, "host": facts()}
    if lacking():
        what = f"not run: {', '.join(lacking())} not installed"
        return {**figures, "rows": [{"what": f"{count:,} VMs", "value": None, "unit": what}]}
    binary = built(lambda line: print(line, file=sys.stderr))
    with tempfile.TemporaryDirectory(prefix="wherry-vcenter-") as name:
        certificate = Authority(Path(name)).issue()
        flags = ("-cluster", "1", "-host", "10", "-standalone-host", "0", "-vm", str(count))
        with VCenterPeer(binary, certificate, *flags) as peer:
            place = {
                "host": peer.host,
                "port": peer.port,
                "user": peer.user,
                "password": peer.password,
                "certificate": str(peer.certificate),
            }
            said, calls = {}, {}
            for side in _SIDES:
                peer.calls(reset=True)
                said[side] = _side(side, place)
                calls[side] = sum(peer.calls().values())
    assert said["ours"]["vms"] == said["pyvmomi"]["vms"] == count
    return {**figures, "rows": _rows(count, said, calls)}


def _rows(count: int, said: dict[str, dict[str, Any]], calls: dict[str, int]) -> list[dict[str, Any]]:
    peer = "pyvmomi"
    ours = f"wherry, {count:,} VMs to an inventory"
    walks = round(calls["walked"] / said["walked"]["vms"] * count)

    def side(what: str, name: str) -> dict[str, Any]:
        ratio = said[name]["cpu_s"] / said["pyvmomi"]["cpu_s"]
        row = {"what": what, "value": round(said[name]["cpu_s"], 2), "unit": "s of client CPU"}
        row |= {"seconds": round(said[name]["wall_s"], 2)}
        return row if name == "pyvmomi" else {**row, f"time_ratio_to {peer}": round(ratio, 2)}

    return [
        side(ours, "ours"),
        side("the same without making nouns of it", "collected"),
        side("pyvmomi, one RetrievePropertiesEx of the machines", "pyvmomi"),
        {"what": "wherry, peak memory", "value": round(said["ours"]["peak_mib"]), "unit": "MiB"},
        {"what": "pyvmomi, peak memory", "value": round(said["pyvmomi"]["peak_mib"]), "unit": "MiB"},
        {"what": "wherry, calls", "value": calls["ours"], "unit": "calls"},
        {
            "what": f"attributes walked with pyvmomi, calls, from {said['walked']['vms']} VMs",
            "value": walks,
            "unit": "calls",
            "ratio_to_ours": round(walks / calls["ours"]),
        },
    ]


if __name__ == "__main__":
    if sys.argv[1:] and sys.argv[1] in _SIDES:
        print(json.dumps(_measured(sys.argv[1])))
    else:
        print(json.dumps(run("--quick" in sys.argv), indent=2))

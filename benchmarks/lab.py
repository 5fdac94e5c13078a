"""A seed in the lab: every volume of the sample estate from site to site, beside the tools people use.

wherry reads through the lab site, hashes, sends to the receiver's process and waits for its durable
acknowledgement, disk after disk. The others copy the same flat files, each ended by an fsync.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks.host import facts
from migrate.daemons import receiver
from migrate.daemons.spawn import stop_server
from migrate.replication.channel import SocketChannel
from migrate.replication.passes import Mode
from migrate.sites.lab.build import build_lab
from migrate.sites.lab.client import LabSite
from migrate.sites.ports import NewDisk
from migrate.transfers.ports import Wanted
from migrate.transfers.streamed import StreamedTransfers
from planner.model import Backing, Volume
from planner.samples import sample_path
from planner.sources.document import read_document
from planner.units import MIB
from planner.volumes import volumes


def _seed(source: LabSite, target: LabSite, found: tuple[Volume, ...], level: int, run: int) -> float:
    """Seed every volume into new target volumes and return the seconds of the transfers alone."""
    transfers = StreamedTransfers(
        source,
        lambda: SocketChannel(receiver.connect_receiver(target.where)),
        generation=run,
        level=level,
        block_bytes=MIB,
    )
    for volume in found:
        target.create_disk(NewDisk(volume.id, volume.size_bytes, Backing.VMDK), f"create {run} {volume.id}")
    os.sync()
    begun = time.perf_counter()
    for volume in found:
        wanted = Wanted(volume.id, volume.size_bytes, Mode.SEED, f"bench {run}", change=f"bench/{run}")
        transfers.copy(wanted, lambda moving: None)
    spent = time.perf_counter() - begun
    for volume in found:
        compared = transfers.compare(volume.id, volume.size_bytes, None, lambda moving: None)
        assert compared.equal, volume.id
        target.delete_disk(volume.id, f"delete {run} {volume.id}")
    return spent


def _copy(command: Callable[[Path, Path], list[str]], files: list[Path], folder: Path) -> float:
    """Copy every file with a tool and return the seconds, an fsync of each included."""
    os.sync()
    begun = time.perf_counter()
    for number, file in enumerate(files):
        copy = folder / str(number)
        subprocess.run(command(file, copy), check=True, stdout=subprocess.DEVNULL)
        with copy.open("rb") as handle:
            os.fsync(handle.fileno())
    spent = time.perf_counter() - begun
    for copy in folder.iterdir():
        copy.unlink()
    return spent


def run(quick: bool) -> dict[str, Any]:
    """Return MB/s of allocated data; one run when ``quick``, else medians of five."""
    inventory = read_document(sample_path("lab") / "inventory.json")
    found = volumes(inventory)
    runs = 1 if quick else 5
    peers: dict[str, Callable[[Path, Path], list[str]]] = {
        "cp --sparse=always": lambda a, b: ["cp", "--sparse=always", str(a), str(b)]
    }
    if shutil.which("qemu-img"):
        peers["qemu-img convert"] = lambda a, b: [
            "qemu-img", "convert", "-f", "raw", "-O", "raw", str(a), str(b),
        ]  # fmt: skip
    times: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory(dir=os.environ.get("WHERRY_BENCH_DIR"), prefix="wherry-lab-") as name:
        folder = Path(name)
        build_lab(folder, inventory, source_name="a", target_name="b", luns=(), seed=1,
                  progress=lambda what, done, total: None)  # fmt: skip
        copies = folder / "copies"
        copies.mkdir()
        files = [
            *sorted((folder / "a").glob("vms/*/*-flat.vmdk")),
            *sorted((folder / "a").glob("luns/*.img")),
        ]
        data = sum(file.stat().st_blocks * 512 for file in files)
        with (
            closing(LabSite.connect(folder / "a")) as source,
            closing(LabSite.connect(folder / "b")) as target,
        ):
            try:
                _seed(source, target, found, 1, 1)  # unmeasured: processes start, caches fill
                for number in range(runs):
                    for level in (0, 1):
                        spent = _seed(source, target, found, level, 2 + 2 * number + level)
                        times.setdefault(f"wherry, level {level}", []).append(spent)
                    for tool, command in peers.items():
                        times.setdefault(tool, []).append(_copy(command, files, copies))
            finally:
                stop_server(folder / "b" / "run", receiver.NAME)
                source.stop()
                target.stop()
    medians = {tool: statistics.median(spent) for tool, spent in times.items()}
    rows: list[dict[str, Any]] = [
        {
            "what": tool,
            "value": round(data / 1e6 / seconds, 1),
            "unit": "MB/s of data",
            "seconds": round(seconds, 3),
            "runs_s": [round(spent, 3) for spent in times[tool]],
            **{f"time_ratio_to {peer}": round(seconds / medians[peer], 2) for peer in peers if peer != tool},
        }
        for tool, seconds in medians.items()
    ]
    if "qemu-img convert" not in peers:
        rows.append({"what": "qemu-img convert", "value": None, "unit": "not run: qemu-img is not installed"})
    return {
        "name": "lab",
        "unit": "MB/s of data",
        "volumes": len(found),
        "data_bytes": data,
        "runs": runs,
        "rows": rows,
        "host": facts(),
    }

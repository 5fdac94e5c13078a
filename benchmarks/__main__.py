"""Run the benchmarks: figures as JSON, rendered into ``docs/benchmarks.md``.

``python -m benchmarks [--quick] [NAME...]``. Quick figures are printed and not rendered: the page
holds what a full run measured, as measured. Two that take long take options as well:
``python -m benchmarks waves --sizes=1000,10000 --seeds=1,2 --resume=yes``, ``papers --vms=10000``.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[1]
_PAGE = _ROOT / "docs" / "benchmarks.md"
_FIGURES = _ROOT / "docs" / "benchmarks.json"
NAMES = {
    "checks": "Readiness checks",
    "filter": "Filters",
    "plan": "From a workbook to a plan",
    "edits": "Edits by hand",
    "papers": "The papers of a plan",
    "rvtools": "A large RVTools workbook",
    "vcenter": "A live vCenter",
    "vsphere_cycle": "A cycle at a vCenter",
    "seed": "The first full copy of a disk",
    "wire": "Seeds beside the tools people use",
    "wire.deltas": "Deltas, and disks that grow and multiply",
    "wire.thin": "Seeds over a thin line",
    "wire.floors": "Floors of the wire",
    "tap": "The tap",
    "trees": "Comparing trees first",
    "dedupe": "Dedupe across disks",
    "optimiser": "A WAN optimiser in the path",
    "journal": "Images out of a journal",
    "engine": "The engine",
    "lab": "A seed in the lab",
    "twin": "The twin",
    "flows": "A million flows",
    "tui": "The terminal application",
    "waves": "Waves",
    "graph": "The dependency graph",
}
_NOTES = {
    "engine": "A real engine with its movers over a lab of two folders; times are those of the record of "
    "steps. The aims are 10 ms beside a step, 15 % of a core and 300 MB for a thousand VMs that wait, and "
    "0.3 s for a status. There is no peer: nothing else carries such a runbook out. In a window the steps of "
    "one kind are added up, some of which go on at the same time; guests write a few MiB between passes.",
    "checks": "Every check about every object of a synthetic estate, against a target inventory of 1,000 "
    "VMs; processor time of the checks alone, survey and sorting included. Their budget is 3 s for 10,000 "
    "VMs, 40 s and 2 GB for 100,000. There is no peer: nothing else asks the same.",
    "filter": "Processor time of a filter typed over an estate of synthetic VMs whose columns are loaded, "
    "median of 15; the budget is 100 ms, 30 for a bare word. The first time words are folded as well. The "
    "peers go over plain tuples that were folded beforehand, written by hand for that filter, and choose the "
    "same VMs.",
    "plan": "Reading the workbook, joining it, checks, groups, waves and disks: one process, warm imports.",
    "edits": "A plan of 10,000 synthetic VMs, laid out once; then drawn edits, each validated against every "
    "rule and re-scored, within a budget of 100 ms. What follows an accepted edit is a whole new plan "
    "document. There is no peer: nothing else asks the same.",
    "papers": "Every export of a plan of synthetic VMs, processor time of a process that has plan and "
    "findings, until the bytes are there. The peers write cells that are made beforehand, without formats, "
    "widths and guards against formulas; the time of wherry includes making the tables. At 100,000 VMs the "
    "largest formats alone, of a plan in which groups stand by their order.",
    "rvtools": "A workbook with all 27 sheets of version 4.7, written by xlsxwriter. wherry measures the "
    "archive, parses it in a child with limits, joins every sheet and commits a snapshot; the peers only "
    "turn the cells of the same sheets into Python objects. Each in a process of its own, start included.",
    "vcenter": "The simulated vCenter of the tests, each side in a process of its own, imports aside. wherry "
    "reads hosts, networks and the rest as well and makes an inventory of it all; pyvmomi fetches the same "
    "properties of the machines alone and makes nothing of them. A walk over attributes fetches each "
    "top-level property of a machine once.",
    "vsphere_cycle": "200 VMs of the simulated vCenter, 20 ms on every call. A cycle of a VM is what a run "
    "does between two passes, without the bytes: the old snapshot goes, the new one is taken, what changed "
    "is asked for. The aim is a tenth of the time when they overlap. There is no peer.",
    "seed": "The same disk copied by each tool in the same run, each ended by a sync of its file; medians "
    "of three, the order rotated. wherry hashes every block, sends it to another process over a Unix "
    "socket and ends when the receiver has acknowledged that it is durable; the others copy in one "
    "process and verify nothing.",
    "wire": "A sparse disk of 8 GiB (a file system of Debian packages, database-like pages) and its clone, "
    "to another process on the same machine, warm caches, until the bytes are durable: ours by "
    "acknowledgement after fsync, the others by their flush and an fsync, timed in. Ours are timed with the "
    "start of the sender and hash every block at both ends. Every copy is compared with its source "
    "afterwards, the order rotates. CPU is of all processes together; memory is the peak of each side, "
    "and below 45 MiB that of the benchmark which started the process.",
    "wire.deltas": "The same disk and a later version of it, measured in the same way. The level of the "
    "comparison adapts, as it does unless a setting says else, and begins raw for a receiver on the same "
    "machine. Then what time and memory do as more is changed, as a sparse disk grows, and with many disks.",
    "wire.thin": "The same disk over a line of 100 Mbit/s and 50 ms between two namespaces, and 64 MiB of "
    "its packages where packets are lost.",
    "wire.floors": "What a copy cannot be without, done alone with wherry's own libraries: reading, sealing "
    "or packing, carrying, opening or unpacking, writing, one flush; no digests, no frames, no dedupe, no "
    "record. Beside it, in the same run, wherry and the peer that an aim of the wire is set against. Two "
    "processors that are never idle take half of a processor time. A floor on the wrong side of an aim says "
    "that the aim is not reached here in that way. Timed with the start of the sender, or of the only "
    "process.",
    "tap": "fio's NBD client over a Unix socket, random writes of fresh bytes, half of it compressible. The "
    "tap writes to its disk, keeps a map of areas and brings each write, with digest and in a chain, to a "
    "journal on the same file system, durable before it is acknowledged there; the peers only write to "
    "their disk. Nobody is asked to flush. Medians; the longest is of all runs. All share two processors "
    "with fio. A run that ended with writes only mapped was given more than the medium takes: from then on "
    "areas are noted and nothing is kept, so its figure is not that of the full record. The recovery "
    "point is of a tap whose disks a loop writes to, streaming over TLS to a receiver in a process of its "
    "own; then what ten minutes of it leave is caught up, beside a seed of such bytes.",
    "trees": "A disk of 256 MiB of random bytes and a replica of which that share was written over, in runs "
    "of 4 to 64 KiB or of up to 16 MiB, mended by a comparison, uncompressed. At once asks for the digests "
    "of all grains of 64 KiB; tree first asks for nodes of 16 MiB, then for the grains of those that differ, "
    "and then looks around them. Both ends in one process, bytes of both directions, medians of three; "
    "each time the replica equals its source afterwards.",
    "dedupe": "Clones of a disk of random bytes, after it, over a Unix socket with both ends in one process; "
    "each is compared with its source. The table of 100 TB is one of a 1024th of its buckets, quick 8192nd, "
    "filled with random digests as a whole one would be. Learning is timed in a sparse table of full size, "
    "where each block has a page of its own; pages are cached.",
    "optimiser": "What wherry sends for a disk and then for its clone, a tenth of it different, recorded on "
    "its way and put through a simulated box that dedupes by content (4 KiB on average, nothing forgotten, "
    "references of 20 bytes) and packs with zstd 3. The share is what leaves the box of what entered it.",
    "journal": "A million writes of 4 KiB at random over a disk, hexadecimal digits that pack to half, 64 a "
    "frame, checkpoints between them. A first read counts from the opening of the image, as the receiver "
    "does it, and lies where no record is, so that every index is asked. Served reads are driven by fio's "
    "nbd engine over a Unix socket, warm caches, the order rotated; the peers serve a raw file with the "
    "content of the image, which is compared with it first, 4 GiB of which the journal covers 63 %.",
    "lab": "All volumes of the sample estate, disk after disk, from the source site through the receiver of "
    "the target site, until each is acknowledged as durable; the peers copy the same flat files, each "
    "ended by an fsync. Small disks: the fixed cost of a pass counts. Medians of five.",
    "twin": "The same runbook, step kinds and decisions as a live run, on a simulated clock.",
    "graph": "Applications tied inside, hubs that all use, and ties between the rest; everything from lists, "
    "in one process. The peer gives components only.",
    "flows": "Plain csv of a month between 10,000 VMs, each act in a process of its own; storing includes "
    "resolving every name, making the dependencies and saving the snapshot.",
    "tui": "Each application in a process of its own on a terminal of 120 by 35, until the name in a row has "
    "been written to it; keys and filters are processor time inside it until what they changed was painted. "
    "The peer fills Textual's own DataTable with the same cells from the same file and has nothing else; "
    "Textual alone shows one word: below it nobody starts. Budgets: 0.5 s and a quarter of the peer's time "
    "at 10,000 VMs, 1 s at 100,000; 150 ms for the first paint of a million rows, 16 ms a key at the median, "
    "100 ms a change of a filter; 250 MiB; 5 % of a core for 400 live lanes; 600 ms at the 95th percentile "
    "from a durable change in a run until the terminal was sent its words, from process to process by one "
    "clock, the next change at a random moment after the last one was drawn.",
    "waves": "Move groups of synthetic estates by their ground truth, hubs left out: 50 VMs and 8 TiB a "
    "window at 1,000 VMs, 100 and 16 at 10,000, 250 and 40 at 100,000; at most 4 groups of one owner in a "
    "window; the stages of an application one after the other. Shares are of the traffic between groups. "
    "The peers obey the same rules. Values are medians, every seed stands beside them; each plan is made in "
    "a process of its own, its peak counts the estate as well.",
}

_OPTIONS = {"waves": ("sizes", "seeds", "resume"), "papers": ("vms",)}

_INTRODUCTION = (
    "Figures as measured, whatever they are; ratios are against a peer in the same run. "
    "`make bench` measures them anew, `make bench QUICK=1` prints a short run and changes nothing."
)


def _cell(value: Any) -> str:
    return "not run" if value is None else f"{value:,}" if isinstance(value, int | float) else str(value)


def _section(name: str, figures: dict[str, Any]) -> list[str]:
    ratios = sorted({key for row in figures["rows"] for key in row if key.startswith("time_ratio_to ")})
    more: dict[str, str] = figures.get("columns", {})
    heads = [*more.values(), *(f"time against {key.removeprefix('time_ratio_to ')}" for key in ratios)]
    host = figures["host"]
    lines = [f"## {NAMES[name]}", "", _NOTES[name], ""]
    lines.append("| " + " | ".join(["what", "value", "unit", *heads]) + " |")
    lines.append("|" + " --- |" * (3 + len(heads)))
    for row in figures["rows"]:
        cells = [
            row["what"],
            _cell(row["value"]),
            row["unit"],
            *(_cell(row.get(key, "")) for key in (*more, *ratios)),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    about = ", ".join(f"{key} {value}" for key, value in host.items())
    return [*lines, "", f"Measured with `python -m benchmarks {name}` on: {about}.", ""]


def main(arguments: list[str]) -> int:
    """Run the named benchmarks, or all."""
    quick = "--quick" in arguments
    options = dict(part[2:].split("=", 1) for part in arguments if part.startswith("--") and "=" in part)
    wanted = [name for name in arguments if not name.startswith("-")] or list(NAMES)
    made: dict[str, Any] = {}
    allowed = _OPTIONS.get(wanted[0], ()) if len(wanted) == 1 else ()
    if not options.keys() <= {*allowed}:
        takes = "; ".join(f"{name}: --{'=, --'.join(own)}=" for name, own in _OPTIONS.items())
        print(f"only these take options, each alone: {takes}", file=sys.stderr)
        return 2
    for name in wanted:
        if name not in NAMES:
            print(f"there is no benchmark {name!r}; use one of: {', '.join(NAMES)}", file=sys.stderr)
            return 2
        print(f"running {name} …", file=sys.stderr, flush=True)
        try:
            figures = import_module(f"benchmarks.{name}").run(quick, **options)
        except ValueError as error:
            if not options:
                raise
            print(error, file=sys.stderr)
            return 2
        print(json.dumps(figures, indent=2))
        if not quick:
            made[name] = figures
    if not quick:
        # Read this late: another run may have written its figures meanwhile.
        known = {**(json.loads(_FIGURES.read_text("utf-8")) if _FIGURES.exists() else {}), **made}
        _FIGURES.write_text(json.dumps(known, indent=2) + "\n", "utf-8")
        head = ["# Benchmarks", "", _INTRODUCTION, ""]
        sections = [line for name in NAMES if name in known for line in _section(name, known[name])]
        _PAGE.write_text("\n".join([*head, *sections]).rstrip() + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

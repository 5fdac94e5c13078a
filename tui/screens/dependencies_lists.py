"""The tables of 3 Dependencies: their columns, and rows from what the study tells.

groups ── what holds them, what crosses waves      hubs, oversized, cycles, suggestions ── each with a remedy
names ── of imports, that lead to no VM
inside ── ties between the VMs of one group        ties ── all of them, page by page (``tui.tie_columns``)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from planner.names import visible
from planner.sized import size_of
from planner.units import TIB, show_bytes
from tui.screens.dependencies_around import wave_words
from tui.text import count, size_cell
from tui.tie_columns import TIES
from tui.widgets.column import Column

Row = tuple[Any, ...]
STRENGTHS = ("–", "■□□", "■■□", "■■■")


def traffic(size: Any) -> str:
    """Return bytes a day; None is unknown and 0 is nothing to speak of."""
    return "?" if size is None else show_bytes(size) if size else "–"


def _dash(text: Any) -> str:
    return visible(str(text)) if text else "–"


def _many(number: Any) -> str:
    return "–" if number is None else count(number)


def _crossing(number: Any) -> str:
    return "?" if number is None else count(number) if number else "–"


_VERDICTS = {"yes": "✔ a hub", "no": "✖ no hub", "": "○ found"}
_VERDICT_TONES = {"yes": "good", "no": "dim", "": "warn"}

GROUPS = (
    Column(1, "group", 12, flex=True, keep=9),
    Column(2, "VMs", 4, count, right=True, keep=8, kind="number"),
    Column(3, "data", 8, size_cell, right=True, keep=3, kind="size"),
    Column(4, "wave", 6, _dash, keep=6),
    Column(5, "out", 8, traffic, right=True, keep=4, kind="size"),
    Column(6, "in", 8, traffic, right=True, keep=4, kind="size"),
    Column(7, "tie", 3, lambda strength: STRENGTHS[strength or 0], keep=7, kind="number"),
    Column(8, "cross", 5, _crossing, lambda number: "warn" if number else "", right=True, keep=5,
           kind="number"),
    Column(9, "hub", 3, lambda said: "●" if said == "yes" else "", keep=0),
)  # fmt: skip
INSIDE = (
    Column(1, "VM", 12, flex=True, keep=9, pinched=True),
    Column(2, "tie", 7, str, keep=7),
    Column(3, "port", 5, lambda port: "–" if port is None else str(port), right=True, keep=6, kind="number"),
    Column(4, "VM", 14, keep=9, name="needs", pinched=True),
    Column(5, "a day", 9, lambda size: "unknown" if size is None else show_bytes(size), right=True, keep=5,
           name="traffic", kind="size"),
    Column(6, "why", 18, keep=3),
)  # fmt: skip
HUBS = (
    Column(1, "VM", 18, keep=9, name="vm"),
    Column(2, "used by", 7, count, right=True, keep=6, kind="number", name="users"),
    Column(3, "traffic", 10, lambda size: "unknown" if size is None else show_bytes(size), right=True, keep=4,
           kind="size"),
    Column(4, "ports", 16, _dash, keep=3),
    Column(5, "verdict", 9, lambda word: _VERDICTS[word], lambda word: _VERDICT_TONES[word], keep=8),
    Column(6, "why", 24, flex=True, keep=5),
)  # fmt: skip
OVERSIZED = (
    Column(1, "group", 18, flex=True, keep=9),
    Column(2, "VMs", 6, count, right=True, keep=8, kind="number"),
    Column(3, "cap", 6, count, right=True, keep=5, kind="number", name="cap"),
    Column(4, "data", 10, size_cell, right=True, keep=7, kind="size"),
    Column(5, "cap", 10, show_bytes, right=True, keep=4, kind="size", name="datacap"),
)
CYCLES = (
    Column(1, "circle", 30, flex=True, keep=9),
    Column(2, "groups", 6, count, right=True, keep=5, kind="number"),
    Column(3, "waits", 16, keep=7, name="later"),
    Column(4, "for", 16, keep=7, name="earlier"),
    Column(5, "sure", 6, lambda percent: f"{percent} %", right=True, keep=6, kind="number"),
)
SUGGESTIONS = (
    Column(1, "application", 22, keep=9),
    Column(2, "sure", 5, lambda percent: f"{percent} %", right=True, keep=8, kind="number"),
    Column(3, "VMs", 5, count, right=True, keep=7, kind="number"),
    Column(4, "new", 5, count, right=True, keep=7, kind="number"),
    Column(5, "why", 30, flex=True, keep=5),
)

_STATES = {"unknown": "✖ unknown", "several": "▲ several", "settled": "✔ settled", "not ours": "– not ours"}
_STATE_TONES = {"unknown": "bad", "several": "warn", "settled": "good", "not ours": "dim"}
NAMES = (
    Column(1, "name", 28, keep=9),
    Column(2, "state", 10, lambda word: _STATES[word], lambda word: _STATE_TONES[word], keep=8),
    Column(3, "traffic", 10, lambda size: "unknown" if size is None else show_bytes(size), right=True, keep=7,
           kind="size"),
    Column(4, "talks", 6, _many, right=True, keep=4, kind="number"),
    Column(5, "facts", 6, _many, right=True, keep=3, kind="number"),
    Column(6, "means", 16, _dash, flex=True, keep=7),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Listing:
    """One table: its columns, what its rows are, the op that tells them, how a row is made of one."""

    id: str
    columns: tuple[Column, ...]
    noun: str
    op: str
    example: str
    empty: str
    row: Callable[[Mapping[str, Any]], Row] = lambda said: ()


def _data(said: Mapping[str, Any]) -> int:
    return size_of(said["size_bytes"], said["sized"])


def _group(said: Mapping[str, Any]) -> Row:
    return (
        said["name"], said["name"], said["vms"], _data(said), wave_words(said["waves"], False),
        *(None if said[way] is None else round(said[way]) for way in ("out_bytes", "in_bytes")),
        said["strength"], said["crossing"], "yes" if said["shared_services"] else "no",
    )  # fmt: skip


def _hub(said: Mapping[str, Any]) -> Row:
    ports = ", ".join(map(str, said["ports"]))
    return (said["id"], said["name"], said["users"], said["traffic_bytes"], ports, said["verdict"],
            "; ".join(said["reasons"]))  # fmt: skip


def _oversize(said: Mapping[str, Any]) -> Row:
    return (said["group"], said["group"], said["vms"], said["caps_vms"], _data(said),
            round(said["caps_tib"] * TIB))  # fmt: skip


def _cycle(said: Mapping[str, Any]) -> Row:
    circle = " → ".join([*said["circle"], said["circle"][0]])
    sure = max((tie["sure"] for tie in said["drop"]), default=0.0)
    return ("\x1f".join(said["groups"]), circle, len(said["groups"]), said["later"], said["earlier"],
            round(sure * 100))  # fmt: skip


def _suggestion(said: Mapping[str, Any]) -> Row:
    return (said["title"], said["title"], round(said["confidence"] * 100), len(said["members"]), said["new"],
            "; ".join(said["reasons"]))  # fmt: skip


def _name(said: Mapping[str, Any]) -> Row:
    return (said["label"], said["label"], said["state"], said["size_bytes"], said["conversations"],
            said["facts"], ", ".join(said["means"]))  # fmt: skip


_LISTINGS = (
    Listing("groups", GROUPS, "group", "groups", "wave:W03 vms>5 cross>0", "no move group", _group),
    Listing("ties", TIES, "tie", "", "vm~crm port:1433 sure<80", "no tie was seen: press i to import flows"),
    Listing("hubs", HUBS, "hub", "hubs", "users>100 verdict:yes", "no VM is needed by very many", _hub),
    Listing("oversized", OVERSIZED, "oversized group", "knots.oversized", "vms>60",
            "no group is known to be above the caps", _oversize),
    Listing("cycles", CYCLES, "circle", "knots.cycles", "later:crm",
            "✔ no groups wait for each other in a circle", _cycle),
    Listing("suggestions", SUGGESTIONS, "suggestion", "suggestions", "sure>60 new>2",
            "nothing is suggested: every VM has an application, or nothing tells", _suggestion),
    Listing("names", NAMES, "name", "meanings", "state:several traffic>1G",
            "✔ every name that was imported leads to one VM, or nothing was imported", _name),
)  # fmt: skip
LISTINGS = {one.id: one for one in _LISTINGS}


def rows_of(listing: Listing, said: Iterable[Mapping[str, Any]]) -> tuple[Row, ...]:
    """Return the rows of a table."""
    return tuple(map(listing.row, said))


def rows_inside(said: Mapping[str, Any]) -> tuple[Row, ...]:
    """Return the ties inside a group; the last two fields are the ids of their ends."""
    return tuple(
        (tie["key"],
         tie["source_name"], f"{tie['tie']} {'═' if tie['mutual'] else '→'}", tie["port"],
         tie["target_name"], tie["day_bytes"], tie["reason"], tie["source"], tie["target"])
        for tie in said["inside"]
    )  # fmt: skip


def rows_of_plan(placed: Mapping[str, tuple[str, str]], rows: Sequence[Row]) -> tuple[Row, ...]:
    """Return groups as the newest plan has them, while the study still works out what ties them."""
    found: dict[str, list[Any]] = {}
    for row in rows:
        if (at := placed.get(row[0])) is not None:
            group = found.setdefault(at[1], [0, 0, at[0]])
            group[0] += 1
            group[1] += row[7] or 0
    return tuple(
        (name, name, vms, size, wave, None, None, None, None, "") for name, (vms, size, wave) in found.items()
    )

"""Ties across waves mended by moving a group: what each move would do, and one of them taken.

The moves are those of planning by hand. One that is taken is stored at once, as ``wherry plan move`` does,
unless edits that nobody saved lie there already: then it is one more of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planner.errors import BadInput
from planner.names import visible
from tui.study.between import between, standing
from tui.study.ops import hand

if TYPE_CHECKING:
    from tui.study.room import Room


def offered(room: Room, name: str, other: str) -> list[dict[str, Any]]:
    """Return moves that bring two groups into one wave, then the nearest waves that would take the first.

    Raises BadInput when the two are in one wave, or in none.
    """
    plan, found = standing(room), between(room)
    mine, theirs = (plan.of(found.group(one)[1].vms) for one in (name, other))
    if not mine or not theirs:
        left = name if not mine else other
        raise BadInput(f"{visible(left, 60)} is in no wave", "plan it first: wherry plan")
    if mine == theirs:
        raise BadInput(
            f"{visible(name, 60)} and {visible(other, 60)} are in one wave", "nothing is to be mended"
        )
    offers = []
    for group, wave in ((other, mine[0]), (name, theirs[0])):
        said = hand.move(room, [group], wave, check=True)["verdict"]
        offers.append({"group": group, "wave": wave, **said})
    if offers[1]["refused"]:
        nearest = hand.fixes(room, [name], theirs[0])["fixes"]
        offers += [{"group": name, **one} for one in nearest if one["wave"] not in mine]
    return offers


def take(room: Room, group: str, wave: str) -> dict[str, Any]:
    """Move a group; store it unless other edits wait to be saved. Raises BadInput when it is refused."""
    answer = hand.move(room, [group], wave)
    said = answer["verdict"]
    if said["refused"]:
        raise BadInput(
            f"{visible(group, 60)} cannot move to {visible(wave, 20)}: {said['refused'][0]}",
            "take another wave",
        )
    if len(answer["unsaved"]) > len(said["did"]):
        return {"did": said["did"], "unsaved": len(answer["unsaved"]), "plan": None}
    saved = hand.save(room)
    return {"did": said["did"], "unsaved": 0, "plan": saved["plan"]}


WRITES = frozenset({"fixes.take"})
OPS = {"fixes": offered, "fixes.take": take}

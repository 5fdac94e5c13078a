"""Which checkpoint of each group of a wave is meant, when somebody says it in words.

    latest | NAME | NUMBER     of every group that has no word of its own; numbers are those of one group
    GROUP=one of these         of that group; of those with no word the newest that is not newer than it

Pure: what the receivers keep is handed in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from planner.errors import BadInput, Blocked, NotFound
from planner.names import visible

LATEST = "latest"

Kept = Mapping[str, Any]  # one checkpoint, as a receiver tells it


@dataclass(frozen=True, slots=True)
class GroupKept:
    """A group, WAVE/NAME, its part of step ids, its checkpoints, the oldest first; titles are untrusted."""

    title: str
    part: str
    points: Sequence[Kept]

    @property
    def name(self) -> str:
        """The title without the wave."""
        return self.title.partition("/")[2]


def choose(groups: Sequence[GroupKept], words: Sequence[str]) -> tuple[Kept, ...]:
    """Return a checkpoint of each group, in the same order.

    Raises BadInput where it is not said of which group, or twice of one, NotFound for a checkpoint that is
    not there, Blocked where a group has none, or none that is old enough.
    """
    for one in groups:
        if not one.points:
            raise Blocked(
                f"{visible(one.title, 200)} has no checkpoint yet, so nothing can be booted",
                "let its first cycle end",
            )
    own, common = _parted(groups, words or (LATEST,))
    said = {one.title: _chosen(one, own[one.title], True) for one in groups if one.title in own}
    if common is not None:
        return tuple(said.get(one.title) or _chosen(one, common, len(groups) == 1) for one in groups)
    until_ms = max(int(point["at_ms"]) for point in said.values())
    return tuple(said.get(one.title) or _as_old(one, until_ms) for one in groups)


def _parted(groups: Sequence[GroupKept], words: Sequence[str]) -> tuple[dict[str, str], str | None]:
    """Return the words for single groups, by title, and the one for all others, None for none."""
    own: dict[str, str] = {}
    common: list[str] = []
    for word in words:
        labelled = [(label, one) for one in groups for label in _labels(one) if word.startswith(f"{label}=")]
        if not labelled:
            common.append(word)
            continue
        label, group = max(labelled, key=lambda found: len(found[0]))
        if group.title in own:
            raise BadInput(f"two checkpoints of {visible(group.title, 200)} are asked for", "name one")
        own[group.title] = word.removeprefix(f"{label}=")
    if len(common) > 1:
        raise BadInput("two checkpoints are asked for of the same groups", "say GROUP=CHECKPOINT of each")
    return own, common[0] if common else None


def _labels(group: GroupKept) -> Iterator[str]:
    wave = group.title.removesuffix(group.name)
    yield from (group.title, group.name, f"{wave}{group.part}", group.part)


def _chosen(group: GroupKept, wanted: str, its_own: bool) -> Kept:
    if wanted == LATEST:
        return group.points[-1]
    numbered = [one for one in group.points if str(one["record"]) == wanted]
    named = [one for one in group.points if wanted and one["name"] == wanted]
    if found := (numbered if its_own else []) or named:
        return found[-1]
    if numbered:
        raise BadInput(
            f"{visible(wanted, 80)} is a number, and each group has numbers of its own",
            f"say of which group: --checkpoint '{visible(group.name, 80)}={visible(wanted, 80)}'",
        )
    raise NotFound(
        f"{visible(group.title, 200)} has no checkpoint {visible(wanted, 200)}",
        f"wherry checkpoints {visible(group.title.partition('/')[0])} lists them",
    )


def _as_old(group: GroupKept, until_ms: int) -> Kept:
    found = [one for one in group.points if int(one["at_ms"]) <= until_ms]
    if not found:
        raise Blocked(
            f"{visible(group.title, 200)} has no checkpoint that is as old as the one that was chosen",
            f"choose one of it too: --checkpoint '{visible(group.name, 80)}=NUMBER'",
        )
    return found[-1]

"""The journals of a wave's groups, asked of the receiver that keeps them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from migrate.daemons.control import Asks, Told
from migrate.transfers.ports import HistoryWanted, Reach
from planner.errors import NotFound
from planner.names import content_id


def group_key(project: str, wave: str, group: str) -> str:
    """Return what a receiver calls a group of a project's wave; ``group`` is its part of step ids."""
    return f"{wave} {group} {content_id(project, wave, group)[:12]}"


class AskedHistories:
    """The journals of one wave; ``connect`` reaches the receiver of its target."""

    def __init__(self, connect: Callable[[], Asks], project: str, wave: str) -> None:
        self._connect = connect
        self._project = project
        self._wave = wave

    def keep(self, group: str, wanted: HistoryWanted, *, anew: bool) -> None:
        """Keep a journal; see the protocol."""
        self._ask(
            "enrol",
            group,
            title=wanted.title,
            volumes=list(wanted.volumes),
            cycles=wanted.cycles,
            history_s=wanted.history_s,
            hard_bytes=wanted.hard_bytes,
            warning_bytes=wanted.warning_bytes,
            anew=anew,
            base=wanted.base,
        )

    def fold(self, group: str) -> int:
        """Move history on; see the protocol."""
        return int(self._ask("fold", group)["record"])

    def promote(
        self, group: str, name: str, moved_bytes: int, report: Callable[[int], None]
    ) -> dict[str, Any]:
        """Bring the replicas to what is newest; see the protocol."""

        def told(one: Told) -> None:
            report(int(one["moved_bytes"]))

        closed = self._connect().ask("close", {"group": self._key(group), "name": name}, told)
        return {"checkpoint": closed["record"], "name": closed["name"], "at_ms": closed["at_ms"]}

    def dismiss(self, group: str) -> bool:
        """Remove a journal; see the protocol."""
        return bool(self._ask("dismiss", group)["dismissed"])

    def resynced(self, volume: str, why: str) -> None:
        """Note a break of lineage."""
        self._connect().ask("resynced", {"volume": volume, "why": why})

    def kept(self, group: str) -> Reach | None:
        """Return how history stands; see the protocol."""
        found: list[Told] = []
        try:
            self._connect().ask("checkpoints", {"group": self._key(group)}, found.append)
        except NotFound:
            return None
        health = found[0]["health"] if found else None
        if not health:
            return None
        return Reach(
            len(found[0]["checkpoints"]),
            float(health["history_s"]),
            float(health["wanted_s"]),
            bool(health["is_short"]),
            tuple(health["said"]),
            str(next((point["name"] for point in found[0]["checkpoints"]), "")),
        )

    def _ask(self, verb: str, group: str, **request: Any) -> Told:
        return self._connect().ask(verb, {"group": self._key(group), **request})

    def _key(self, group: str) -> str:
        return group_key(self._project, self._wave, group)

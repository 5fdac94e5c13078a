"""Who talks to whom: inside applications, between them, with the hubs, and noise.

A flow runs from client to server. Servers that many need are chosen by preferential attachment;
bytes are lognormal with a heavy tail.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate, pairwise

from planner.synth import recipe as said
from planner.synth.dice import Dice
from planner.synth.drafts import Application, Draft
from planner.synth.sharing import Shared

_NOW = datetime.fromisoformat(said.TAKEN_AT)
_PORTS = {
    "database": (1433, 1521, 3306, 5432),
    "application": (8080, 8443, 9443),
    "web": (443, 80),
    "file": (445, 2049),
    "desktop": (3389,),
}
_HUB_PORTS = {"directory": 389, "dns": 53, "backup": 10_080, "monitoring": 161}


@dataclass(frozen=True, slots=True)
class Flow:
    """Bytes that one VM sent to a port of another; ``kind`` is intra, inter, hub or noise.

    ``hidden`` flows exist but were not observed; noise was observed and means nothing.
    """

    source: Draft
    target: Draft
    port: int
    bytes: int
    first_seen: str
    last_seen: str
    kind: str
    hidden: bool = False
    latency: bool = False


class Traffic:
    """Makes flows of one estate."""

    def __init__(self, dice: Dice) -> None:
        self._dice = dice

    def _flow(
        self, source: Draft, target: Draft, kind: str, port: int | None = None, latency: bool = False
    ) -> Flow:
        dice = self._dice
        first = _NOW - timedelta(days=dice.between(20, 40), seconds=dice.below(86_400))
        last = _NOW - timedelta(seconds=dice.below(3 * 86_400))
        ports = _PORTS.get(target.kind, (443,))
        return Flow(
            source,
            target,
            # One application speaks one dialect: the server decides the port.
            ports[(target.application.family if target.application else 0) % len(ports)]
            if port is None
            else port,
            max(round(dice.lognormal(2e7, said.WEIGHT_SIGMA)), 64),
            first.isoformat(timespec="seconds"),
            last.isoformat(timespec="seconds"),
            kind,
            hidden=kind != "noise" and dice.chance(said.HIDDEN),
            latency=latency,
        )

    def inside(self, app: Application) -> Iterator[Flow]:
        """Yield flows that tie all VMs of an application: every one calls a server of its own."""
        dice, members = self._dice, app.members
        by_kind: dict[str, list[Draft]] = {}
        for draft in members:
            by_kind.setdefault(draft.kind, []).append(draft)
        seen: set[tuple[str, str]] = set()
        for at, draft in enumerate(members):
            # The first one is needed by all that come later, directly or not.
            wanted = {"web": ("application", "database"), "application": ("database",)}.get(draft.kind, ())
            servers = [one for kind in wanted for one in by_kind.get(kind, ())] or members[:at]
            for server in dice.sample(servers, dice.weighted(((1, 60), (2, 30), (3, 10)))):
                if server is not draft and (draft.id, server.id) not in seen:
                    seen.add((draft.id, server.id))
                    yield self._flow(draft, server, "intra")

    def heartbeats(self, shared: list[Shared], by_id: dict[str, Draft]) -> Iterator[Flow]:
        """Yield what nodes of a guest cluster say to each other."""
        for one in shared:
            for a, b in pairwise(one.vms):
                windows = "Windows" in by_id[a].fields["guest_os"]
                yield self._flow(by_id[a], by_id[b], "intra", 3343 if windows else 5405)

    def between(self, apps: list[Application]) -> Iterator[Flow]:
        """Yield flows between applications of the same stage."""
        dice = self._dice
        by_stage: dict[str, list[Application]] = {}
        for app in apps:
            if app.members[0].kind != "desktop":
                by_stage.setdefault(app.environment, []).append(app)
        for stage in by_stage.values():
            heights = list(accumulate(dice.pareto(said.INTER_ALPHA) for _ in stage))
            for app in stage:
                seen = {app.name}
                for _ in range(round(dice.exponential(said.INTER_APP))):
                    other = stage[min(bisect(heights, dice.uniform(0, heights[-1])), len(stage) - 1)]
                    if other.name not in seen:
                        seen.add(other.name)
                        servers = [one for one in other.members if one.kind != "database"] or other.members
                        latency = dice.chance(said.LATENCY)
                        yield self._flow(dice.pick(app.members), dice.pick(servers), "inter", latency=latency)

    def with_hubs(self, drafts: list[Draft], hubs: list[Draft]) -> Iterator[Flow]:
        """Yield flows of every running VM with one hub of each kind, near it when there is one."""
        dice = self._dice
        near: dict[tuple[str, str], list[Draft]] = {}
        every: dict[str, list[Draft]] = {}
        for hub in hubs:
            every.setdefault(hub.fields["tier"], []).append(hub)
            near.setdefault((hub.fields["tier"], hub.place.uuid), []).append(hub)
        for draft in drafts:
            for service, all_of_it in every.items():
                hub = dice.pick(near.get((service, draft.place.uuid), all_of_it))
                # Backup and monitoring come to the VM; names and logins are asked for by it.
                if hub is draft or dice.chance(0.05):
                    continue
                yield self._flow(draft, hub, "hub", _HUB_PORTS[service])

    def noise(self, drafts: list[Draft], count: int) -> Iterator[Flow]:
        """Yield conversations that mean nothing: scanners, people, mistakes."""
        dice = self._dice
        for _ in range(count):
            source, target = dice.pick(drafts), dice.pick(drafts)
            if source is not target:
                yield self._flow(source, target, "noise", dice.pick((22, 135, 443, 3389, 5985)))


def make_flows(apps: list[Application], hubs: list[Draft], shared: list[Shared], dice: Dice) -> list[Flow]:
    """Return all flows of an estate, those that were not observed included."""
    traffic = Traffic(dice)
    drafts = [draft for app in apps for draft in app.members]
    flows = [flow for app in apps for flow in traffic.inside(app)]
    flows += traffic.heartbeats(shared, {draft.id: draft for draft in drafts})
    flows += traffic.between(apps)
    meant = len(flows)
    flows += traffic.with_hubs([draft for draft in drafts if draft.runs], hubs)
    flows += traffic.noise([draft for draft in drafts if draft.runs], round(meant * said.NOISE))
    return flows

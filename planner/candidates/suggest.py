"""Suggestions: labels first, then names, then who talks to whom; each with confidence and reasons."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from planner.candidates import ports
from planner.candidates.names import Said, read_names
from planner.candidates.talk import Talk, communities, leanings, talk
from planner.model import VM, Inventory
from planner.names import visible
from planner.units import show_count

_LABEL = re.compile(r"(?:^|\b)(app|application|service|system|workload|anwendung)(?:$|\b)", re.IGNORECASE)
_MOST = 0.5  # of a VM's ties that must lead to one candidate for it to join
_ROUNDS = 3
_SURE = {"application": 1.0, "tag": 0.9, "attribute": 0.9, "name": 0.6, "talk": 0.35}


@dataclass(frozen=True, slots=True)
class Member:
    """One VM of a suggestion. ``known`` is True when its application is known to be this one."""

    vm: str
    confidence: float
    reason: str
    known: bool = False


@dataclass(frozen=True, slots=True)
class Suggestion:
    """VMs that look like one environment of one application. ``environment`` may be ""."""

    name: str
    environment: str
    members: tuple[Member, ...]
    confidence: float
    reasons: tuple[str, ...]

    @property
    def new(self) -> tuple[Member, ...]:
        """Those whose application is not known yet."""
        return tuple(member for member in self.members if not member.known)


@dataclass(slots=True)
class _Home:
    """A candidate while it is put together."""

    kind: str
    name: str
    environment: str
    members: dict[str, Member]


def _label(vm: VM) -> tuple[str, str]:
    """Return where an application is said and which, ("", "") when nothing says."""
    if vm.application.strip():
        return "application", vm.application.strip()
    for kind, pairs in (("tag", vm.tags or ()), ("attribute", vm.attributes)):
        for category, value in pairs:
            if _LABEL.search(category) and value.strip():
                return kind, value.strip()
    return "", ""


_REASONS = {
    "application": "known",
    "tag": "a tag says so",
    "attribute": "an attribute says so",
    "name": "its name says so",
}


class _Homes:
    """Candidates by key, and where each VM is at home."""

    def __init__(self) -> None:
        self.homes: list[_Home] = []
        self.of: dict[str, int] = {}
        self._keys: dict[tuple[str, ...], int] = {}

    def place(self, vm: str, kind: str, name: str, environment: str) -> None:
        """Put a VM into the candidate of a name and an environment."""
        key = (name.casefold(), environment.casefold())
        at = self._keys.get(key)
        if at is None:
            at = self._keys[key] = self.open(kind, name, environment)
        self.join(vm, at, _SURE[kind], _REASONS[kind], kind == "application")

    def open(self, kind: str, name: str, environment: str) -> int:
        """Begin a candidate and return its number."""
        self.homes.append(_Home(kind, name, environment, {}))
        return len(self.homes) - 1

    def join(self, vm: str, at: int, confidence: float, reason: str, known: bool = False) -> None:
        self.of[vm] = at
        self.homes[at].members[vm] = Member(vm, confidence, reason, known)


def _environment(vm: VM, said: Said | None) -> str:
    return vm.environment.strip() or (said.environment if said else "")


def _titles(said: Iterable[Said]) -> dict[tuple[str, ...], str]:
    return {one.words: " ".join(one.words).capitalize() for one in said}


def _by_label_and_name(vms: Mapping[str, VM], said: Mapping[str, Said], found: _Homes) -> None:
    """Place VMs that a label or a name places."""
    titles = _titles(said.values())
    labelled: dict[tuple[str, ...], Counter[str]] = {}
    rest: list[str] = []
    for one in vms.values():
        kind, value = _label(one)
        if kind:
            found.place(one.id, kind, value, _environment(one, said.get(one.id)))
            if one.id in said:
                labelled.setdefault(said[one.id].words, Counter())[value] += 1
        elif one.id in said:
            rest.append(one.id)
    counts = Counter((said[vm].words, said[vm].environment) for vm in rest)
    placed: set[tuple[str, ...]] = set()
    for vm in rest:
        words, environment = said[vm].words, _environment(vms[vm], said[vm])
        # What others of that name are known to be decides what it is called.
        known = labelled.get(words)
        name = known.most_common(1)[0][0] if known else titles[words]
        if environment and (known or counts[words, said[vm].environment] > 1):
            found.place(vm, "name", name, environment)
            placed.add(words)
    for vm in rest:
        words = said[vm].words
        if vm in found.of or words in placed:
            continue  # of which environment it is, traffic may tell
        if sum(count for (other, _), count in counts.items() if other == words) > 1:
            found.place(vm, "name", titles[words], _environment(vms[vm], said[vm]))


def _by_talk(vms: Iterable[str], talked: Talk, said: Mapping[str, Said], found: _Homes) -> None:
    """Let VMs join the candidate that most of their ties lead to."""
    left = [vm for vm in vms if vm not in found.of]
    for _ in range(_ROUNDS):
        joined = []
        for vm in left:
            lean = leanings(vm, found.of, talked)
            if not lean:
                continue
            best = max(sorted(lean), key=lean.__getitem__)
            if lean[best] >= _MOST:
                joined.append((vm, best, lean[best]))
        for vm, at, share in joined:
            home = found.homes[at].name.casefold()
            agrees = vm in said and any(word in home for word in said[vm].words)
            reason = f"{share:.0%} of its traffic outside shared services is with it"
            reason += ", and its name agrees" if agrees else ""
            found.join(vm, at, min(0.3 + 0.4 * share + 0.2 * agrees, 0.95), reason)
        left = [vm for vm in left if vm not in found.of]
        if not joined:
            break


def _by_community(vms: Mapping[str, VM], talked: Talk, found: _Homes) -> None:
    left = [vm for vm in vms if vm not in found.of]
    for number, members in enumerate(communities(left, talked), 1):
        if len(members) < 2:
            continue
        at = found.open("talk", f"Community {number}", "")
        homes = dict.fromkeys(members, at)
        for vm in sorted(members):
            share = leanings(vm, homes, talked).get(at, 0.0)
            found.join(vm, at, 0.2 + 0.4 * share, f"{share:.0%} of its traffic stays inside")


def _judged(home: _Home, talked: Talk) -> Suggestion:
    """Return a candidate with its confidence: what placed it, and whether traffic and ports agree."""
    ids = set(home.members)
    talking = sum(any(other in ids for other in talked.ties.get(vm, ())) for vm in ids)
    roles = Counter(role for vm in ids for role in ports.profile(talked.served.get(vm, ()))[:1])
    reasons = [
        f"{show_count(count, 'VM')}: {reason}"
        for reason, count in Counter(
            "most traffic is with it" if "traffic" in member.reason else member.reason
            for member in home.members.values()
        ).most_common()
    ]
    confidence = sum(member.confidence for member in home.members.values()) / len(ids)
    if len(ids) > 1:
        reasons.append(f"{talking} of {len(ids)} VMs talk to another of them")
        confidence += 0.25 * talking / len(ids)
    if len(roles) > 1:
        tiers = ", ".join(f"{count} {role}" for role, count in sorted(roles.items()))
        reasons.append(f"by their ports: {tiers}")
        confidence += 0.1
    return Suggestion(
        name=visible(home.name, 80),
        environment=home.environment,
        members=tuple(home.members.values()),
        confidence=round(min(confidence, 0.99), 2),
        reasons=tuple(reasons),
    )


def suggestions(inventory: Inventory, hubs: frozenset[str] = frozenset()) -> tuple[Suggestion, ...]:
    """Return candidates with anything new in them, the surest first; hubs and what never moves left out."""
    vms = {vm.id: vm for vm in inventory.vms if vm.movable and vm.id not in hubs}
    said = read_names({vm.id: vm.name for vm in vms.values()})
    talked = talk(inventory, vms)
    found = _Homes()
    _by_label_and_name(vms, said, found)
    _by_talk(vms, talked, said, found)
    _by_community(vms, talked, found)
    judged = [_judged(home, talked) for home in found.homes if home.members]
    fresh = [one for one in judged if one.new]
    return tuple(sorted(fresh, key=lambda one: (-one.confidence, one.name.casefold(), one.environment)))

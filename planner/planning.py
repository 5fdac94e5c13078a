"""From inventory, settings and findings to a Plan: the whole way, in one call.

    groups ──▶ wave problem ──▶ solving ──▶ what each wave does ──▶ Plan with its score card
                   shared services last ──┘

Promises: the same input and seed give the same fingerprint; no group is split; every VM of the
inventory is in exactly one wave or among the unplanned, with a reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from planner.checks.check import Check
from planner.conduct_planning import conduct_notes
from planner.edits import Edit, by_hand
from planner.estimate import Measured
from planner.filling import filling_notes
from planner.freezing import is_one_by_one
from planner.garbage import uncollected
from planner.ground import Ground, ground_of
from planner.groups import hard_edges
from planner.model import Finding, Inventory, MoveGroup
from planner.notes import cut_notes, input_notes, measured_notes, service_notes
from planner.plan import SCHEMA, SCHEMA_LEAVING_OUT, Plan, Unplanned, Wave, leaves_out
from planner.settings import Settings
from planner.units import show_count
from planner.waves.arrange import Arranged, Draw, Track, arrange
from planner.waves.before import before
from planner.waves.calendar import calendar, window_notes
from planner.waves.card import card, oversize_notes, with_chances
from planner.waves.content import writable
from planner.waves.items import Ask
from planner.waves.pilots import pilot_notes
from planner.waves.spelling import spell


def _hard_violations(inventory: Inventory, waves: Sequence[Wave], hubs: frozenset[str]) -> int:
    at = {vm.id: wave.name for wave in waves for vm in wave.vms}
    return sum(at[edge.source] != at[edge.target] for edge in hard_edges(inventory, at, hubs))


def _said(track: Track) -> Iterator[str]:
    """Yield how the waves of a track were found."""
    if track.solution is None:
        yield "nothing was searched: every group stands where the plan before or a person put it"
        return
    if track.solution.history:
        steps = " → ".join(
            f"{what} ({show_count(waves, 'wave')}, {gb:.6g} GB)" for what, waves, gb in track.solution.history
        )
        yield steps
    if track.solution.stopped:
        yield "it was stopped before its time: this is the best plan until then"
    yield from track.solution.notes


def _method(tracks: Sequence[Track]) -> Iterator[str]:
    """Yield how the waves were found; what is proved of one track alone, its own steps say."""
    for track in tracks:
        yield from _said(track)
    if tracks and all(track.solution is not None and track.solution.proved for track in tracks):
        yield "it is proved that no plan in the same slots costs less"


def _notes(arranged: Arranged, ask: Ask, spelled: Sequence[str], waves: Sequence[Wave]) -> Iterator[str]:
    """Yield what is said beside the waves; ``spelled`` came up while those were."""
    inventory, settings, groups = ask.inventory, ask.settings, ask.everyone
    oversize = oversize_notes(groups, ask)
    yield from measured_notes(ask.rates)
    yield from service_notes(inventory, waves, ask.hubs)
    for track in arranged.tracks:
        yield from track.built.notes
    yield from pilot_notes(ask)
    yield from oversize
    if oversize:
        yield from cut_notes(groups, inventory, settings, ask.lookup.sizes, ask.hubs)
    yield from spelled
    yield from ask.hand.notes
    yield from calendar(settings).notes
    yield from filling_notes(waves, inventory, ask.target)
    yield from window_notes({wave.name: wave.window for wave in waves}, settings)
    yield from input_notes(inventory, settings, set(ask.names))
    yield from conduct_notes(settings.conduct, waves, one_by_one=is_one_by_one(settings, "target"))


def ask_for(
    *,
    inventory: Inventory,
    settings: Settings,
    findings: Sequence[Finding] = (),
    own_checks: Iterable[Check] = (),
    target: Inventory | None = None,
    last: Plan | None = None,
    frozen: Iterable[str] = (),
    rates: Measured | None = None,
    edits: Sequence[Edit] = (),
    standing: Mapping[str, int] | None = None,
    ground: Ground | None = None,
) -> Ask:
    """Return what waves are built from; ``everyone`` holds the groups, merged as people said.

    ``ground`` is that of the inventory, the settings and the findings, where it is known.
    """
    ground = ground or ground_of(inventory, settings, findings, own_checks)
    groups, hand = by_hand(edits, ground.groups, inventory, settings)
    return Ask(
        inventory=inventory,
        settings=settings,
        lookup=ground.lookup,
        weights=ground.weights,
        everyone=groups,
        hubs=ground.hubs,
        target=target,
        before=before(last, frozenset(frozen), settings) if last else None,
        rates=rates,
        hand=hand,
        standing=standing,
    )


def make_plan(
    *,
    project: str,
    inventory: Inventory,
    inventory_fingerprint: str,
    settings: Settings,
    created_at: str,
    findings: Sequence[Finding] = (),
    own_checks: Iterable[Check] = (),
    target: Inventory | None = None,
    last: Plan | None = None,
    frozen: Iterable[str] = (),
    rates: Measured | None = None,
    draw: Draw | None = None,
    edits: Sequence[Edit] = (),
    standing: Mapping[str, int] | None = None,
    ground: Ground | None = None,
) -> Plan:
    """Return the plan of an inventory: waves W01, W02, ... and who stays, with reasons.

    ``created_at`` is ISO 8601 in UTC; ``own_checks`` are a project's, whose findings may be tasks too.
    The plan stays near ``last``, whose ``frozen`` waves (names) keep their place. ``edits`` by hand, oldest
    first, are kept. With ``standing`` (VM → slot) nothing is searched; ``ground`` is as for ``ask_for``.
    Raises BadInput for a VM or disk that
    stands twice, for a remap that cannot be, for settings that contradict each other and for an edit that
    can no longer hold; Blocked when a disk must stay an RDM and no LUN is free for it, and when no plan
    meets all constraints.
    """
    draw = draw or Draw()
    ground = ground or ground_of(inventory, settings, findings, own_checks)
    ask = ask_for(
        inventory=inventory,
        settings=settings,
        findings=findings,
        own_checks=own_checks,
        target=target,
        last=last,
        frozen=frozen,
        rates=rates,
        edits=edits,
        standing=standing,
        ground=ground,
    )
    groups, lookup = ask.everyone, ask.lookup

    def rank(group: MoveGroup) -> tuple[int, str, str]:
        return lookup.risk(group), group.name.casefold(), group.name

    arranged = arrange(groups, ask, draw, rank)
    with uncollected():
        spelled = spell(arranged, ask)
        waves, span = with_chances(spelled, ask, draw.seed)
        return Plan(
            schema_=SCHEMA_LEAVING_OUT if leaves_out(waves) else SCHEMA,
            project=writable(project),
            created_at=created_at,
            inventory=inventory_fingerprint,
            settings=settings.fingerprint,
            waves=waves,
            unplanned=tuple(
                Unplanned(vm=vm, name=writable(lookup.vms[vm].name), why=writable(reason))
                for vm, reason in ground.out.items()
            ),
            score=card(arranged, _hard_violations(inventory, waves, ask.hubs), span),
            notes=tuple(writable(note) for note in _notes(arranged, ask, spelled.notes, waves)),
            seed=draw.seed,
            effort=draw.effort,
            after=last.fingerprint if last else "",
            by_hand=tuple(writable(edit.said) for edit in edits),
            method=tuple(dict.fromkeys(_method(arranged.tracks))),
        )

"""The world that a run acts in: both sites, the data plane between them, and where things are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any

from migrate.run import store as runs
from migrate.run.history import Mode
from migrate.run.store import RunKind
from migrate.steps.kind import Context
from migrate.steps.outside import Outside
from planner.errors import Blocked, Unreachable
from planner.names import visible
from planner.store import plans
from planner.store import settings as settings_store
from planner.store.project import Project

if TYPE_CHECKING:
    from migrate.clock import Clock
    from migrate.run.history import History
    from migrate.run.line_policy import LinePolicy
    from migrate.run.means import Hauling
    from migrate.run.store import Run
    from migrate.sites.reached import Reached
    from migrate.transfers.ports import Histories, Keeps, Moving, Places, Transfers


@contextmanager
def both_sites(project: Project, *, homeward: bool = False) -> Iterator[tuple[Reached, Reached]]:
    """Open the site that VMs leave and the one they reach; raises BadInput, Blocked, Unreachable.

    A run that goes ``homeward`` leaves the target of the plan and reaches its source.
    """
    from migrate.sites.opening import open_site

    settings = settings_store.load(project)
    with (
        closing(open_site(settings, "source", project.root)) as source,
        closing(open_site(settings, "target", project.root)) as target,
    ):
        if source.identity == target.identity:
            raise Blocked(
                f"sites {visible(source.name)} and {visible(target.name)} are one and the same",
                "name two: a VM is found by the vCenter that it is at",
            )
        yield (target, source) if homeward else (source, target)


def context(
    project: Project,
    run: Run,
    history: History,
    sites: tuple[Reached, Reached],
    line: LinePolicy,
    *,
    report: Callable[[Moving], None],
    stop: Callable[[], bool],
    let_go: Callable[[str], bool],
    clock: Clock,
    hauling: Hauling | None,
) -> Context:
    """Return what the steps of a run may touch.

    ``stop`` is asked between two blocks, ``let_go`` too: whether nobody may read a volume on.
    """
    source, target = sites
    if history.mode is Mode.FORWARD and run.kind is not RunKind.REMEDY:
        _must_be_known(target)
    _introduce(project, run, target)
    carried = _moved if hauling is not None else _here
    return Context(
        run=runs.key_of(project, run),
        wave=run.wave,
        source=source,
        target=target,
        transfers=carried(project, run, sites, line, lambda volume: stop() or let_go(volume), hauling),
        keeper=_keeps(project, run, sites, stop, hauling),
        clock=clock,
        history=history,
        report=report,
        placing=_places(project, run, sites, stop, hauling),
        histories=_histories(project, run, target),
        outside=Outside(project.root),
        halted=stop,
    )


def _must_be_known(target: Reached) -> None:
    """Raise SiteRefused, before anything is done, when a receiver for a network is not named here."""
    from migrate.daemons.away import find_away
    from migrate.daemons.receiver import must_be_beside

    if find_away(target.where) is None:
        must_be_beside(target.where)


def _introduce(project: Project, run: Run, target: Reached) -> None:
    """Tell a receiver on another machine where the wave's volumes lie; raises SiteRefused, BadInput.

    One that does not answer is none of our business yet: going back may need nothing of it.
    """
    from migrate.daemons.reaching import introduce

    with suppress(Unreachable):
        introduce(target, [disk.volume for disk in plans.get(project, run.plan).plan.wave(run.wave).disks])


def _histories(project: Project, run: Run, target: Reached) -> Histories | None:
    """Return the journals of the site that a run copies to; none are kept for remedies."""
    from migrate.daemons.reaching import asks_of
    from migrate.transfers.histories import AskedHistories

    if run.kind is RunKind.REMEDY:
        return None
    return AskedHistories(lambda: asks_of(target.where), project.id, run.wave)


def _places(
    project: Project,
    run: Run,
    sites: tuple[Reached, Reached],
    stop: Callable[[], bool],
    hauling: Hauling | None,
) -> Places:
    """Return who brings in seeds: a mover of this machine, where an engine has any."""
    from migrate.daemons.away import find_away

    folder = project.root / "seeds"
    if find_away(sites[1].where) is not None:
        from migrate.transfers.placing import PlacesElsewhere

        return PlacesElsewhere()
    if hauling is None:
        from migrate.transfers.placing import PlacesHere, Placing

        return PlacesHere(sites[1], Placing(folder, stop))
    from migrate.movers.placing import MovedPlaces
    from migrate.movers.task import Ends, Manner

    ends = Ends(*(site.where for site in sites))
    manner = Manner(**_manner(project, run))
    return MovedPlaces(hauling.local, ends, manner, folder.absolute(), hauling.generations, stop)


def _keeps(
    project: Project,
    run: Run,
    sites: tuple[Reached, Reached],
    stop: Callable[[], bool],
    hauling: Hauling | None,
) -> Keeps:
    """Return who keeps what a target wrote: a mover of this machine, where an engine has any."""
    folder = project.root / "checkpoints"
    if hauling is None:
        from migrate.kept import Checkpoints
        from migrate.transfers.keeping import KeepsHere

        return KeepsHere(*sites, Checkpoints(folder), stop)
    from migrate.movers.keeping import MovedKeeps
    from migrate.movers.task import Ends, Manner

    ends = Ends(*(site.where for site in sites))
    manner = Manner(**_manner(project, run))
    return MovedKeeps(hauling.local, ends, manner, folder.absolute(), hauling.generations, stop)


def _manner(project: Project, run: Run) -> dict[str, Any]:
    """Return how passes are sent, as the wave's policies and the settings say."""
    policies = plans.get(project, run.plan).plan.wave(run.wave).policies
    wanted = settings_store.load(project).transfers
    return {
        "level": policies.zstd_level,
        "block_bytes": policies.block_kib * 1024,
        "adapts": wanted.adapts and policies.zstd_level > 0,
        "dedupe": wanted.dedupe,
    }


def _here(
    project: Project,
    run: Run,
    sites: tuple[Reached, Reached],
    line: LinePolicy,
    stop: Callable[[str], bool],
    _hauling: Hauling | None,
) -> Transfers:
    """Return transfers whose sender is this process."""
    from migrate.daemons.reaching import channel_to, streams_of
    from migrate.replication.throttle import Throttle
    from migrate.transfers.streamed import StreamedTransfers

    source, target = sites
    return StreamedTransfers(
        source,
        lambda: channel_to(target.where),
        generation=run.generation,
        throttle=Throttle(line),
        streams=streams_of,
        stop=stop,
        **_manner(project, run),
    )


def _moved(
    project: Project,
    run: Run,
    sites: tuple[Reached, Reached],
    line: LinePolicy,
    stop: Callable[[str], bool],
    hauling: Hauling | None,
) -> Transfers:
    """Return transfers that movers carry."""
    from migrate.movers.task import Ends, Manner
    from migrate.movers.transfers import MovedTransfers

    assert hauling is not None
    source, target = sites
    return MovedTransfers(
        hauling.movers,
        Ends(source.where, target.where),
        Manner(**_manner(project, run)),
        generations=hauling.generations,
        shares=hauling.shares,
        policy=line,
        stop=stop,
    )

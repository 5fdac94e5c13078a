"""How rehearsals are shown on the command line: reports, and the book of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.cli.output import line, say, table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from migrate.rehearsal import Rehearsal
    from migrate.rehearsals.addresses import Addresses
    from migrate.rehearsals.against import Against
    from migrate.rehearsals.book import Rehearsed
    from migrate.rehearsals.booted import Booted, Prepared
    from migrate.rehearsals.dry import DryRun
    from migrate.rehearsals.matrix import Matrix
    from planner.plan import Wave

_NAMED = 3  # runs that one sentence names
_BOOTED = {"clean": "booted well", "partial": "partial: what was started booted well, not all of it could be"}
_SHOWN = 20  # faults in a table for people; --json has all


def show_twin(report: Rehearsal) -> None:
    """Print a rehearsal's report."""
    from planner.names import visible
    from planner.units import show_duration

    what = ", ".join(f"{count} {outcome}" for outcome, count in report.outcomes.items())
    line(f"{visible(report.wave)}: {report.runs} runs of {report.steps} steps on the twin: {what}")
    table(
        ("part", "p50", "p95"),
        [
            ("seed and deltas", show_duration(report.seed.p50), show_duration(report.seed.p95)),
            ("cutover", show_duration(report.cutover.p50), show_duration(report.cutover.p95)),
            *(
                [("longest outage", show_duration(report.down.p50), show_duration(report.down.p95))]
                if report.down
                else []
            ),
            *(
                [("going back", show_duration(report.back.p50), show_duration(report.back.p95))]
                if report.back
                else []
            ),
        ],
    )
    if report.fits is not None and report.window_s is not None:
        line(f"{report.fits:.0%} of the runs committed within the window of {show_duration(report.window_s)}")
    line(f"worst run: {show_duration(report.worst.cutover_s)}, most of it {visible(report.worst.slowest)}")
    for step in report.slowest[:3]:
        line(
            f"  slow: {visible(step.title)}, {show_duration(step.time.p50)} / {show_duration(step.time.p95)}"
        )
    for title, count in report.failed_at.items():
        line(f"  failed at: {visible(title)} in {count} runs")
    if report.matrix:
        _show_matrix(report.matrix)
    if report.measured:
        runs = ", ".join(report.measured[-_NAMED:]) + (", …" if len(report.measured) > _NAMED else "")
        say(f"rates are as runs measured them ({runs}), all other times are modelled")
    else:
        say("times are modelled")
    say("what is touched: nothing")


def _show_matrix(matrix: Matrix) -> None:
    from planner.names import visible
    from planner.units import show_duration

    tried = len(matrix.struck)
    ends = ", ".join(f"{count} {ending}" for ending, count in matrix.endings.items() if count)
    line(f"{tried} of {matrix.cells} faults, one in a run: {ends}")
    said = [one for one in matrix.struck if one.grave] or list(matrix.struck)
    table(
        ("fault", "struck", "the run", "later", "back in", "before the night"),
        [
            (
                one.what,
                visible(one.step),
                one.ending.value + (", past the window" if one.fits is False else ""),
                show_duration(one.late_s) if one.cutover_s is not None else "-",
                show_duration(one.back_s) if one.back_s is not None else "-",
                one.remedy,
            )
            for one in said[:_SHOWN]
        ],
    )
    if len(said) > _SHOWN or len(said) < tried:
        say(f"these are {min(len(said), _SHOWN)} of {tried}, the worst first: --json has all of them")
    if tried < matrix.cells:
        say(f"{matrix.cells - tried} faults were not tried: ask for --runs {-(-matrix.cells * 4 // 3)}")


def show_dry(said: DryRun) -> None:
    """Print the calls that a run would make, the way to each disk, and what is in the way."""
    from planner.names import visible

    if said.calls:
        table(
            ("no", "step", "where", "call", "of"),
            [
                (number, visible(one.step), one.where, one.call, visible(one.subject))
                for number, one in enumerate(said.calls, 1)
            ],
        )
    if said.ways:
        table(
            ("disk", "where", "way", "why"),
            [(visible(one.disk), one.where, one.way, visible(one.reason, 400)) for one in said.ways],
        )
    for finding in said.findings:
        say(f"✖ {finding.what}: {visible(finding.message)}")
        say(f"  hint: {visible(finding.hint)}")
    if said.stopped_at:
        say(f"the list ends at a step that would fail: {visible(said.stopped_at)}")
    _show_addresses(said.addresses)
    sites = " and ".join(visible(role) for role in said.sites) or "no site"
    found = len(said.findings)
    say(f"{sites} asked, {len(said.calls)} calls predicted, {found} finding{'' if found == 1 else 's'}")
    say("what is touched: nothing")


def show_against(said: Against) -> None:
    """Print where a run did something else than was predicted."""
    from planner.names import visible
    from planner.units import show_count

    if said.differences:
        table(
            ("step", "what", "predicted", "made"),
            [
                (one.step, visible(one.title), visible(one.predicted), visible(one.made))
                for one in said.differences
            ],
        )
    of = (
        f"rehearsed {said.rehearsed_at}"
        if said.rehearsed_at
        else "predicted from the plan, for no dry run was"
    )
    say(f"run {said.run} of {visible(said.wave)}, {of}: {show_count(said.steps, 'step')} compared")
    if said.left:
        say(f"{show_count(said.left, 'step')} not done yet, or passed over")
    if said.again:
        say(f"several attempts were needed at: {', '.join(said.again)}")
    say(f"{show_count(len(said.differences), 'difference')}")


def show_prepared(wave: Wave, prepared: Prepared) -> None:
    """Print what a booted copy would take."""
    from planner.names import visible
    from planner.units import show_bytes

    isolation = prepared.isolation
    made = f"one to be made, on {visible(isolation.host, 80)}"
    rows = [(visible(network), visible(other) or made) for network, other in isolation.networks.items()]
    table(("network", "isolated"), rows)
    _show_checkpoints(prepared.checkpoints)
    for vm, why in prepared.left_out.items():
        say(f"{visible(wave.vm(vm).name)} will be {visible(why, 400)}")
    disks, room = sum(not one.idle for one in prepared.images), show_bytes(prepared.room_bytes)
    say(f"dry: nothing was done. A copy of {disks} disks takes at most {room} at the target for a while")
    say(f"to do it: wherry rehearse {visible(wave.name)} --depth boot --live")


def show_booted(said: Booted) -> None:
    """Print how the copies did."""
    from planner.names import visible
    from planner.units import show_count, show_duration

    words = {True: "well", False: "not well", None: "-"}
    rows = [
        (visible(one.name), words[one.ok], show_duration(one.waited_s), visible(one.detail, 400))
        for one in said.probes
    ]
    table(("copy of", "it is", "after", "probe"), rows)
    _show_checkpoints(said.checkpoints)
    line(f"{visible(said.wave)}: {_BOOTED.get(said.verdict.value, 'not clean')}")
    _show_addresses(said.addresses, named=True)
    if said.failure:
        say(f"it ended early: {visible(said.failure)}")
    if said.unproved:
        out = show_count(len(said.unproved), "disk")
        say(f"{out} in no checkpoint: their VMs were built and not started, and nothing is known of them")
    if said.removed:
        say("the copies are removed; replicas and sources were only read")
    else:
        say(f"copies are left at the target: wherry rehearse {visible(said.wave)} --depth boot --cleanup")


def _show_addresses(said: Addresses | None, *, named: bool = False) -> None:
    """Say what was looked for and found; ``named`` says each conflict too, which else is a finding."""
    from migrate.rehearsals.addresses import findings, words

    if said is None:
        return
    for sentence in words(said):
        say(sentence)
    for one in findings(said) if named else ():
        say(f"✖ {one.message}")


def _show_checkpoints(checkpoints: Mapping[str, int]) -> None:
    from planner.names import visible

    for group, record in checkpoints.items():
        say(f"{visible(group, 200)}: as it was at checkpoint {record}")


def show_book(found: Sequence[Rehearsed], due: str, fingerprint: str) -> None:
    """Print the rehearsals of a wave, and whether it is time for another one."""
    from planner.names import visible

    if found:
        table(
            ("at", "who", "depth", "verdict", "of", "notes"),
            [
                (
                    one.at,
                    visible(one.who),
                    one.depth.value,
                    one.verdict.value,
                    "this plan" if one.fingerprint == fingerprint else f"plan {one.plan}, changed since",
                    visible(one.notes),
                )
                for one in found
            ],
        )
    if due:
        say(f"{due}: it is time for a rehearsal")

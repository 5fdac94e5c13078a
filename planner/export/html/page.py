"""The plan as one HTML file: it works offline, holds no script, loads nothing and prints on A4.

Its own content security policy forbids everything but the one style sheet inside it, named by hash;
all text of the estate is escaped where it enters (``markup``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from planner.export.html.arcs import dependencies
from planner.export.html.charts import findings_by_family, wave_charts
from planner.export.html.markup import Html, Part, joined, tag
from planner.export.html.shell import document
from planner.export.html.tables import facts, number, rows_of, table_of
from planner.export.html.timeline import timeline
from planner.export.html.waves import sections, with_section
from planner.export.printout import UNKNOWN, Printout, approvals, not_known, unplanned
from planner.export.scorecard import in_short, score_card
from planner.model import Severity
from planner.names import visible
from planner.sized import show_size, size_of
from planner.units import TIB, show_count

_PLACES = (
    ("summary", "Summary"), ("score", "Score"), ("time", "Calendar"), ("ties", "Dependencies"),
    ("charts", "Charts"), ("waves", "Waves"), ("approvals", "Approvals"), ("rest", "Left open"),
)  # fmt: skip


def _blockers(printout: Printout) -> tuple[int, int]:
    """Return how many blockers nobody waived, and in how many waves."""
    wave_of = {vm.id: wave.name for wave in printout.plan.waves for vm in wave.vms}
    open_ = [item for item in printout.findings if item.severity is Severity.BLOCKER and not item.waiver]
    return len(open_), len({wave_of[item.subject] for item in open_ if item.subject in wave_of})


def _lead(printout: Printout) -> Html:
    said = [*in_short(printout)]
    blockers, in_waves = _blockers(printout)
    if blockers:
        said.append(
            f"{show_count(blockers, 'blocker')} in {show_count(in_waves, 'wave')} to be cleared first"
        )
    return tag("ul", *(tag("li", sentence) for sentence in said), class_="lead")


def _cards(printout: Printout) -> Html:
    plan = printout.plan
    blockers, _ = _blockers(printout)
    approved = sum(wave.name in (printout.approvals or {}) for wave in plan.waves)
    sized = [printout.sized(wave) for wave in plan.waves]
    least = "" if all(sized) else "at least "
    longest = max((wave.estimate.downtime_min.p95 for wave in plan.waves), default=0.0)
    broken = plan.score.hard_violations + plan.score.order_violations
    shown = (
        (number(plan.score.waves), f"waves, bound {number(plan.score.waves_bound)}", False),
        (number(sum(len(wave.vms) for wave in plan.waves)), "VMs in waves", False),
        (show_size(size_of(sum(wave.size_bytes for wave in plan.waves), all(sized))), "provisioned", False),
        (f"{least}{longest / 60:.1f} h", "longest downtime, P95", False),
        (number(broken), "ties violated", broken > 0),
        (number(blockers), "blockers open", blockers > 0),
        (f"{approved} of {len(plan.waves)}", "waves approved", False),
        (number(len(plan.unplanned)), "VMs in no wave", False),
    )
    cards = [
        tag("div", tag("b", value), tag("span", words), class_="card bad" if bad else "card")
        for value, words, bad in shown
    ]
    return tag("div", *cards, class_="cards")


def _calendar(printout: Printout) -> Iterator[Part]:
    undated = [wave.name for wave in printout.plan.waves if wave.window is None]
    pictures = timeline(printout)
    if pictures:
        yield tag(
            "p",
            tag("i", class_="seed"), "seed (P95), at the latest", tag("i", class_="sync"), "kept in sync",
            tag("i", class_="cut"), "cutover window", tag("i", class_="frost"), "freeze or holiday",
            tag("i", class_="load"), "link load", " · ✔ approved · times in UTC",
            class_="key",
        )  # fmt: skip
        yield from pictures
    if undated:
        named = ", ".join(undated)
        yield tag("p", f"Without a window, and so without a date: {named}. Add windows to the settings.")


def _score(printout: Printout) -> Iterator[Part]:
    """Yield the card's figures as a table, what it says in words below."""
    table = score_card(printout)
    at = table.columns.index("This plan")
    figures = tuple(row for row in table.rows if not isinstance(row[at], str))
    yield table_of(replace(table, rows=figures))
    words = [row for row in table.rows if isinstance(row[at], str)]
    yield facts((str(row[0]), f"{row[at]} ({row[-1]})" if row[-1] else row[at]) for row in words)


def _overview(printout: Printout) -> Html:
    linked = {wave.name for wave in with_section(printout.plan)}
    rows = [
        (
            tag("a", wave.name, href=f"#wave-{wave.name}") if wave.name in linked else wave.name,
            visible(wave.title),
            f"{wave.window.start_utc:%Y-%m-%d %H:%M}, {wave.window.hours:g} h" if wave.window else "none yet",
            len(wave.groups),
            len(wave.vms),
            round(wave.size_bytes / TIB, 2) if printout.sized(wave) else printout.size(wave),
            round(wave.estimate.downtime_min.p95 / 60, 1) if printout.sized(wave) else UNKNOWN,
            len(wave.tasks),
            "approved" if wave.name in (printout.approvals or {}) else "not approved",
        )
        for wave in printout.plan.waves
    ]
    columns = ("Wave", "Title", "Window, UTC", "Groups", "VMs", "TiB", "Downtime h P95", "Tasks", "Approval")
    return rows_of(columns, rows)


def _rest(printout: Printout) -> Iterator[Part]:
    plan = printout.plan
    if plan.notes:
        yield tag("h3", "Notes")
        yield tag("ul", *(tag("li", visible(note)) for note in plan.notes))
    unknown = not_known(printout)
    if unknown.rows:
        yield tag("h3", "Not known")
        yield tag(
            "p", "What the source did not say is neither good nor bad: find out before a wave is approved."
        )
        yield table_of(unknown)
    if plan.unplanned:
        yield tag("h3", "VMs in no wave")
        yield table_of(unplanned(printout))
    if not (plan.notes or unknown.rows or plan.unplanned):
        yield tag("p", "Nothing.")


def _family_chart(printout: Printout) -> Html:
    words = tag(
        "p", tag("i", class_="blocker"), "blocker", tag("i", class_="warning"), "warning",
        tag("i", class_="info"), "information", class_="key",
    )  # fmt: skip
    return tag("div", findings_by_family(printout), words)


def _main(printout: Printout) -> Iterator[Part]:
    bodies: dict[str, tuple[Part, ...]] = {
        "summary": (_cards(printout), _lead(printout)),
        "score": tuple(_score(printout)),
        "time": tuple(_calendar(printout)),
        "ties": (dependencies(printout),),
        "charts": (tag("div", *wave_charts(printout), _family_chart(printout), class_="charts"),),
        "waves": (_overview(printout), *sections(printout)),
        "approvals": (table_of(approvals(printout)),),
        "rest": tuple(_rest(printout)),
    }
    for place, words in _PLACES:
        yield joined((tag("h2", words, id=place), *bodies[place]))


def render(printout: Printout) -> bytes:
    """Return the report's bytes, UTF-8."""
    plan = printout.plan
    title = f"Migration plan: {visible(plan.project)}"
    made = f"made {plan.created_at} from the inventory of {printout.inventory.taken_at}"
    footer = joined(("Plan fingerprint ", tag("code", plan.fingerprint)))
    return document(title, made, _PLACES, _main(printout), footer)

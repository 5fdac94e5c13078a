"""What rehearsals of a wave say, in words and pictures: outcome, findings with what helps, faults."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from planner.names import visible
from planner.units import show_duration
from tui.drawings.distribution import histogram
from tui.text import count, fill, line, plural, short_time, stack
from tui.theme import severity_mark

if TYPE_CHECKING:
    from textual.content import Content

    from planner.model import Finding
    from planner.store.plan_waves import WaveRow
    from tui.acts.rehearsing import Rehearsed

Pair = tuple[float, float]


_VERDICTS = (
    ("never", "–", "dim"),
    ("not kept", "?", "dim"),
    ("changed since", "◌", "warn"),
    ("clean", "✔", "good"),
    ("failed", "✖", "bad"),
    ("too long", "▲", "warn"),
)


def verdict_of(last: Rehearsed | None, wave: WaveRow) -> str:
    """Return what the last rehearsal of a wave says, in a word or a few."""
    if last is None:
        return "never"
    if last.clean is None:
        return "not kept"
    if last.fingerprint != wave.fingerprint:
        return "changed since"
    if last.clean:
        return "clean"
    went = (last.outcomes or {}).get("committed", 0)
    if went < last.runs:
        return f"{last.runs - went} of {last.runs} failed"
    return f"{1 - (last.fits or 0):.1%} too long"


def verdict_mark(words: str) -> tuple[str, str]:
    """Return the glyph and the tone of a verdict."""
    return next((glyph, tone) for end, glyph, tone in _VERDICTS if words.endswith(end))


def spread_words(pair: Pair | None) -> str:
    """Return P50 and P95 of seconds, a dash where nobody knows them."""
    return "–" if pair is None else f"{show_duration(pair[0])} / {show_duration(pair[1])}"


def _pair(spread: Mapping[str, float] | None) -> Pair | None:
    return None if spread is None else (spread["p50"], spread["p95"])


def _labelled(label: str, *parts: str | tuple[str, str]) -> Content:
    return line((f"{label:<13} ", "dim"), *parts)


def describe_outcome(said: Mapping[str, Any], width: int) -> Content:
    """Return the outcome of the runs of this session: figures, and how the cutover is spread."""
    went = said["outcomes"].get("committed", 0)
    tone = "good" if went == said["runs"] else "bad"
    outcomes = ", ".join(f"{count(many)} {visible(what)}" for what, many in said["outcomes"].items())
    lines = [_labelled("runs", (f"{'✔' if tone == 'good' else '✖'} {outcomes}", tone))]
    if went:
        lines.append(_labelled("cutover", f"P50 / P95  {spread_words(_pair(said['cutover']))}"))
        lines.append(_labelled("a VM is down", f"P50 / P95  {spread_words(_pair(said['down']))}"))
    lines.append(_window(said))
    if went:
        drawn = histogram(said["took"], max(10, width), show_duration, 2, "cutover")
        lines += [line(""), *drawn]
    lines.append(_labelled("seed, deltas", f"P50 / P95  {spread_words(_pair(said['seed']))}"))
    if back := _pair(said["back"]):
        lines.append(_labelled("roll back", f"P50 / P95  {spread_words(back)}"))
    else:
        lines.append(_labelled("roll back", ("not needed in any run: x lets a call fail", "dim")))
    if went:
        worst = said["worst"]
        lines.append(
            _labelled(
                "worst case",
                f"{show_duration(worst['cutover_s'])}, {show_duration(worst['slowest_s'])} of it ",
                (visible(worst["slowest"]), "warn"),
                (f"  run {worst['seed']}", "dim"),
            )
        )
    return stack(lines)


def _window(said: Mapping[str, Any]) -> Content:
    if said["fits"] is None:
        return _labelled("window", ("none: it may cut over at any time", "dim"))
    share, fits = said["fits"], said["fits"] >= 1.0
    words = f"{'✔' if fits else '▲'} {share:.1%} of runs fit {show_duration(said['window_s'])}  "
    return _labelled("window", (words, "good" if fits else "warn"), (fill(share, 1.0, 10), "accent"))


def describe_before(last: Rehearsed | None, wave: WaveRow) -> Content:
    """Return what is known of the last rehearsal when it was not one of this session."""
    if last is None:
        return stack(
            [
                line("This wave was never rehearsed."),
                line(("r", "accent"), " runs it 200 times on the simulated twin."),
            ]
        )
    word = verdict_of(last, wave)
    glyph, tone = verdict_mark(word)
    lines = [
        _labelled("last", f"{short_time(last.at)} by {visible(last.who)}, {plural(last.runs, 'run')}"),
        _labelled("said", (f"{glyph} {word}", tone)),
        _labelled("cutover", f"P50 / P95  {spread_words(last.cutover)}"),
        _labelled("VM is down", f"P50 / P95  {spread_words(last.down)}"),
        _labelled("fits window", "–" if last.fits is None else f"{last.fits:.1%} of runs"),
        _labelled("roll back", f"P50 / P95  {spread_words(last.back)}"),
        line(""),
        line(("r", "accent"), " rehearses it again, with all steps and how they are spread."),
    ]
    return stack(lines)


def describe_findings(
    said: Mapping[str, Any] | None,
    findings: Iterable[Finding] | None,
    more: int,
    faults: Sequence[Rehearsed],
    fingerprint: str,
) -> Content:
    """Return what the runs and the checks found with what helps, then what faults did.

    ``findings`` None means that the checks are not current; ``more`` are further VMs with blockers.
    """
    lines: list[Content] = []
    remarks = list(_of_runs(said)) if said else []
    for glyph, tone, what, helps in remarks:
        if glyph != "·":
            lines += _told(glyph, tone, what, helps)
    if findings is None:
        lines.append(line(("? the checks are not current: 9 Checks says how they stand", "dim")))
    else:
        found = list(findings)
        for finding in found:
            mark = severity_mark(finding.severity.value)
            lines += _told(mark.glyph, mark.tone, visible(finding.message), visible(finding.remedy))
        if more > 0:
            lines.append(line((f"  and {plural(more, 'VM')} more with blockers: 9 Checks", "dim")))
        if not found:
            lines.append(line(("✔ ", "good"), "no VM of this wave has a blocker"))
    for glyph, tone, what, helps in remarks:
        if glyph == "·":
            lines += _told(glyph, tone, what, helps)
    lines += [line(""), line(("Injected faults", "accent"), ("   x injects one", "dim"))]
    lines += [_fault(fault, fingerprint) for fault in faults]
    if not faults:
        lines.append(line(("none yet: what happens when a call of a site fails is not known", "dim")))
    return stack(lines)


def _told(glyph: str, tone: str, what: str, helps: str) -> list[Content]:
    """Return what was found, and below it what helps."""
    said = [line((f"{glyph} ", tone), what)]
    return [*said, line(("  → ", "accent"), helps)] if helps else said


def _of_runs(said: Mapping[str, Any]) -> Iterable[tuple[str, str, str, str]]:
    """Yield glyph, tone, what was seen in the runs, and what helps."""
    failed: dict[str, list[int]] = {}
    for title, many in said["failed_at"].items():
        failed.setdefault(title.rpartition(": ")[2], []).append(many)  # the same step of several groups
    for step, counts in failed.items():
        where = f" of {len(counts)} groups or VMs" if len(counts) > 1 else ""
        back = f"it goes back by itself in {show_duration(said['back']['p95'])} P95" if said["back"] else ""
        yield "✖", "bad", f"{visible(step)}{where} failed in {plural(sum(counts), 'run')}", back
    if said["fits"] is not None and said["fits"] < 1.0:
        late = f"{1 - said['fits']:.1%} of runs are not committed within {show_duration(said['window_s'])}"
        yield "▲", "warn", late, "give it a longer window, or move groups to another wave: 4 Waves"
    for step in said["slowest"][:3]:
        took = spread_words(_pair(step["time"]))
        yield "·", "dim", f"slow: {visible(step['title'])}  {took}", ""
    if set(said["outcomes"]) == {"committed"}:
        yield "✔", "good", "every run was committed", ""


def _fault(fault: Rehearsed, fingerprint: str) -> Content:
    """Say what came of a call that always fails."""
    outcomes = fault.outcomes or {}
    words = ", ".join(f"{count(many)} {visible(what)}" for what, many in outcomes.items()) or "not kept"
    lost = outcomes.get("aborted", 0) and not fault.back
    glyph, tone = ("■", "warn") if lost else ("✔", "good")
    if fault.back:
        words += f", back in {spread_words(fault.back)}"
    if fault.fingerprint != fingerprint:
        glyph, tone, words = "◌", "warn", f"{words}; the wave has changed since"
    return line(
        (f"{glyph} ", tone),
        f"{visible(fault.fault, 24):<14} fails: {words}",
        (f"  {short_time(fault.at)}", "dim"),
    )


def describe_history(found: Sequence[Rehearsed]) -> Content:
    """Return every rehearsal that was written down, the newest first."""
    if not found:
        return line(("no wave was ever rehearsed: r rehearses the one under the cursor", "dim"))
    lines = [
        line(
            (
                f"{'when':<17}{'wave':<8}{'runs':>5}  {'cutover P50 / P95':<22}{'fault':<14}what came of it",
                "dim",
            )
        )
    ]
    for one in found:
        outcomes = ", ".join(f"{count(many)} {visible(what)}" for what, many in (one.outcomes or {}).items())
        when = f"{short_time(one.at)[:16]:<17}{visible(one.wave, 7):<8}{one.runs:>5}  "
        what = f"{spread_words(one.cutover):<22}{visible(one.fault, 13) or '–':<14}{outcomes or '? not kept'}"
        lines.append(line(when + what, (f"  {visible(one.who, 20)}", "dim")))
    return stack(lines)

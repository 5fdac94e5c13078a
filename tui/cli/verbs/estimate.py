"""wherry estimate: how long an estate seeds over lines, whether its churn fits, and what binds."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tui.cli.options import json_option, open_project, project_option
from tui.cli.output import data, line, say, table

if TYPE_CHECKING:
    from planner.projection import Case, Load, Outlook, Rates, Ratio
    from planner.settings import Link

_LINES_MBIT = (620.0, 1_000.0, 10_000.0)


@click.command(
    epilog="Examples: wherry estimate; wherry estimate --within 14; "
    "wherry estimate --size 100TB --link 1Gbit/s --churn 2%/day --ratio 1.6"
)
@click.option("--size", metavar="BYTES", help="An estate of this size, instead of the project's: 100TB.")
@click.option("--churn", metavar="PER DAY", help="What is written a day: 2%/day or 500G/day.")
@click.option("--link", "link_rate", metavar="RATE", help="The line: 620Mbit/s; default: the settings'.")
@click.option("--share", type=click.FloatRange(0, 1, min_open=True), metavar="PART",
              help="Part of the line that migration may use: 0.7.")  # fmt: skip
@click.option("--ratio", metavar="RATIO",
              help="Bytes of the disks by bytes sent: 1.6, or low/likely/high: 1.2/1.6/2.5.")  # fmt: skip
@click.option("--rate", metavar="RATE", help="What sender and receiver copy, bits of disk a second: 4Gbit/s.")
@click.option("--disk-rate", metavar="RATE", help="What the target's disks take: 8Gbit/s.")
@click.option("--preplaced", metavar="PART",
              help="Images of the disks are at the target, and this much of them differs: 3%.")  # fmt: skip
@click.option("--within", type=click.FloatRange(0, min_open=True), metavar="DAYS",
              help="The first copy should be there in so many days.")  # fmt: skip
@project_option
@json_option
def command(
    size: str | None,
    churn: str | None,
    link_rate: str | None,
    share: float | None,
    ratio: str | None,
    rate: str | None,
    disk_rate: str | None,
    preplaced: str | None,
    within: float | None,
    project_dir: Path,
    as_json: bool,
) -> None:
    """Project the first copy of an estate onto a line, beside lines of 620 Mbit/s, 1 and 10 Gbit/s.

    Takes the project's inventory and settings, and what its runs measured; with --size no project is
    needed. P95 takes 70 % of the line, twice the churn and the low ratio. With --preplaced both sides read
    everything (1 GB/s, P95 half of it) and only what differs is sent. Nothing is stored.
    """
    from planner.projection import CPU_BYTES_S, DISK_BYTES_S, Rates, Ratio, outlook

    _check("--share", share)
    _check("--within", within)
    known: Ratio | None = None
    if size is None:
        load, link, known = _of_project(project_dir)
        load = load if churn is None else _load(load.seed_bytes, churn)
    else:
        load, link = _of_words(size, churn)
    load = load if preplaced is None else replace(load, differs=_part(preplaced))
    link = _link(link, link_rate, share)
    likely = _ratio(ratio) if ratio is not None else known or Ratio()
    rates = Rates(_bytes_s(rate, "--rate") or CPU_BYTES_S, _bytes_s(disk_rate, "--disk-rate") or DISK_BYTES_S)
    lines = dict.fromkeys((link.rate_mbit, *_LINES_MBIT))
    found = [
        outlook(load, link.model_copy(update={"rate_mbit": mbit}), likely, rates, within) for mbit in lines
    ]
    if as_json:
        data(_document(load, link, likely, rates, within, found))
        return
    _show(load, link, likely, found, within)
    say(
        "ratio as the project's runs measured it"
        if known and ratio is None
        else "rules of thumb and benchmarks where nothing was said; a pilot measures them"
    )


def _check(option: str, number: float | None) -> None:
    """Refuse ``nan``, which every range lets pass, and what has no end."""
    from math import isfinite

    from planner.errors import BadInput

    if number is not None and not isfinite(number):
        raise BadInput(f"{option} {number} is no number", "write it like 0.7 or 14")


def _of_project(project_dir: Path) -> tuple[Load, Link, Ratio | None]:
    from migrate.measured import measured
    from planner.errors import BadInput
    from planner.estimate import estimate_planned, goodput_bytes_s, seed_bytes
    from planner.projection import Load, Ratio
    from planner.readiness import situation
    from planner.sending import as_decided
    from planner.volumes import volumes

    with open_project(project_dir) as project:
        at = situation(project)
        known = measured(project, at.inventory, at.fingerprint, at.settings.link)
    every = as_decided(volumes(at.inventory), at.settings)
    if not every:
        raise BadInput("the inventory has no disks", "discover the estate first, or say --size")
    told = estimate_planned(every, at.settings, 0, known)
    gained = known.link_bytes_s / goodput_bytes_s(at.settings.link) if known and known.link_bytes_s else None
    return (
        Load(seed_bytes(every), told.churn_bytes_day),
        at.settings.link,
        Ratio(gained, gained, gained) if gained else None,
    )


def _of_words(size: str, churn: str | None) -> tuple[Load, Link]:
    from planner.errors import BadInput
    from planner.estimate import CHURN_PER_DAY
    from planner.settings import Link
    from planner.units import parse_bytes

    size_bytes = parse_bytes(size)
    if size_bytes <= 0:
        raise BadInput("an estate of no size takes no time", "say --size like 100TB")
    return _load(size_bytes, churn or f"{CHURN_PER_DAY:%}"), Link()


def _load(seed_bytes: float, churn: str) -> Load:
    """Read ``2%/day`` or ``500G/day``; the ``/day`` may be left out."""
    from planner.errors import BadInput
    from planner.projection import Load
    from planner.units import parse_bytes

    said = re.sub(r"\s*/\s*d(ay)?\s*$", "", churn.strip())
    part = re.fullmatch(r"(\d{1,6}(?:\.\d+)?)\s*%", said)
    if part:
        return Load(seed_bytes, seed_bytes * float(part[1]) / 100)
    try:
        return Load(seed_bytes, parse_bytes(said))
    except BadInput as error:
        raise BadInput(f"{churn!r} is no churn", "write it like 2%/day or 500G/day") from error


def _part(said: str) -> float:
    """Read ``3%``, from none to all."""
    from planner.errors import BadInput

    part = re.fullmatch(r"\s*(\d{1,3}(?:\.\d+)?)\s*%\s*", said)
    if part is None or float(part[1]) > 100:
        raise BadInput(f"{said!r} is no part of an image", "write it like 3%")
    return float(part[1]) / 100


def _link(link: Link, rate: str | None, share: float | None) -> Link:
    changed: dict[str, float] = {}
    if rate is not None:
        changed["rate_mbit"] = (_bytes_s(rate, "--link") or 0.0) * 8 / 1e6
    if share is not None:
        changed["share"] = share
    return link.model_copy(update=changed)


def _bytes_s(rate: str | None, option: str) -> float | None:
    from planner.errors import BadInput
    from planner.units import parse_rate

    if rate is None:
        return None
    bits = parse_rate(rate)
    if bits <= 0:
        raise BadInput(f"{option} of nothing carries nothing", "write it like 400Mbit/s or 1Gbit/s")
    return bits / 8


def _ratio(said: str) -> Ratio:
    from planner.errors import BadInput
    from planner.projection import Ratio

    parts = said.split("/")
    if len(parts) not in (1, 3) or not all(re.fullmatch(r"\s*\d{1,6}(\.\d+)?\s*", part) for part in parts):
        raise BadInput(f"{said!r} is no ratio", "write it like 1.6 or 1.2/1.6/2.5")
    low, likely, high = map(float, parts * (4 - len(parts)) if len(parts) == 1 else parts)
    return Ratio(low, likely, high)


def _show(load: Load, link: Link, ratio: Ratio, found: list[Outlook], within: float | None) -> None:
    """Print what goes over the line, and a row a line."""
    from planner.units import show_bytes

    line(
        f"{show_bytes(load.seed_bytes)} to {_doing(load)}, {show_bytes(load.churn_bytes_day)} written a day, "
        f"{link.share:.0%} of the line, ratio {ratio.low:g}/{ratio.likely:g}/{ratio.high:g}"
    )
    line()
    table(
        (
            "line",
            "seeded P50",
            "P95",
            "best",
            "binds",
            "churn of what it carries",
            "steady P50",
            "P95",
            "needs",
        ),
        [_row(item, within) for item in found],
    )


def _doing(load: Load) -> str:
    from planner.units import show_bytes

    if load.differs is None:
        return "copy"
    return f"compare with images in place, {show_bytes(load.sent_bytes)} ({load.differs:.1%}) to send"


def _row(item: Outlook, within: float | None) -> tuple[str, ...]:
    p50, p95 = item.p50, item.p95
    used = tuple(f"{case.churn_bytes_day / case.carries_bytes_day:.0%}" for case in (p50, p95))
    in_time = within is None or p95.seed_s <= within * 86400
    if p95.fits and in_time:
        needs = ""
    elif item.needs_mbit is None:
        needs = f"more {p95.binds.value}" if p95.binds.value != "link" else "more processors or disks too"
    else:
        needs = f"a line of {_mbit(item.needs_mbit)}"
    return (
        _mbit(item.rate_mbit),
        _days(p50.seed_s),
        _days(p95.seed_s),
        _days(item.best.seed_s),
        p50.binds.value if p50.binds is p95.binds else f"{p50.binds.value}, P95 {p95.binds.value}",
        f"{used[0]}, P95 {used[1]}",
        _days(p50.steady_s),
        _days(p95.steady_s),
        needs,
    )


def _days(seconds: float | None) -> str:
    if seconds is None:
        return "never"
    days = seconds / 86400
    return f"{days:,.1f} d" if days >= 1 else f"{seconds / 3600:.1f} h"


def _mbit(rate_mbit: float) -> str:
    return f"{rate_mbit / 1000:g} Gbit/s" if rate_mbit >= 1000 else f"{rate_mbit:g} Mbit/s"


def _document(
    load: Load, link: Link, ratio: Ratio, rates: Rates, within: float | None, found: list[Outlook]
) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "load": asdict(load),
        "share": link.share,
        "ratio": asdict(ratio),
        "rates": asdict(rates),
        "within_days": within,
        "lines": [
            {
                "rate_mbit": item.rate_mbit,
                "p50": _told(item.p50),
                "p95": _told(item.p95),
                "best": _told(item.best),
                "needs_mbit": item.needs_mbit,
            }
            for item in found
        ],
    }


def _told(case: Case) -> dict[str, Any]:
    from dataclasses import asdict

    return {**asdict(case), "binds": case.binds.value, "fits": case.fits}

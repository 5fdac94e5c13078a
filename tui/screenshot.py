"""Pictures of the places, made by the code for README and docs: ``python -m tui.screenshot DIR [PROJECT]``.

Without a project two are made by the verbs that a person would use: one from the sample estate, and for what
is about runs a lab with a wave at its commit gate. A picture fetches nothing from anywhere: fonts are those
of the reader's machine.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from textual.pilot import Pilot

from planner.samples import sample_path
from tui.actions.action import Place
from tui.actions.places import PLACES
from tui.app import WherryApp
from tui.session import Session
from tui.widgets.table import VirtualTable

SIZE = (120, 35)
PATIENCE_S = 90.0
STILL_S = 0.6  # nothing changes for so long: it is all there
NOW = datetime(2026, 10, 12, 8, 30, tzinfo=UTC)  # the Monday on which the example begins
POSES: Mapping[str, Sequence[str]] = {  # what is pressed before a picture
    "inventory": ("slash", *"app:soleven", "enter", "down", "space", "space"),
    "dependencies": ("slash", *"Soleven", "enter"),
    "waves": ("down", "down"),
    "rehearse": ("r",),
    "replicate": ("down",),
    "checks": ("down",) * 8,
    "settings": ("down",) * 3,
}
OF_RUNS = frozenset({"replicate", "cutover", "journal"})
_RULES = """\
[link]
rate_mbit = 4000.0
share = 0.6

[[recurring]]
every = "saturday"
at = 20:00:00
hours = 14.0
first = 2026-11-01
until = 2027-09-30
zone = "Europe/Paris"

[[freezes]]
start = 2026-12-19T00:00:00
end = 2027-01-03T00:00:00
why = "end of the year"
zone = "Europe/Paris"

[caps]
vms = 60
tib = 24.0
groups_per_owner = 6

[waves]
starts = 2026-10-12
exit = 2027-06-30
"""
_REMOTE_FONT = re.compile(r',\s*url\("https?://[^"]*"\) format\("[^"]*"\)')

_ITS_NUMBER = re.compile(r"\bterminal-\d+")  # made of what nobody sees too, so another one each time


def make_example(root: Path) -> Path:
    """Make a project of the sample estate with a plan whose first waves are approved; returns its root."""
    sample, rules = sample_path("estate"), root.parent / "rules.toml"
    rules.write_text(_RULES, encoding="utf-8")
    return _made(
        root,
        ("init", str(root)),
        ("discover", "estate"),
        ("flows", "import", str(sample / "flows.csv"), str(sample / "applications.csv")),
        ("settings", "import", str(rules)),
        ("plan", "--effort", "quick"),
        ("plan", "approve", "W01", "W02"),
    )


@contextmanager
def cut_over(root: Path) -> Iterator[Path]:
    """Make a project of the sample lab whose first wave is at its commit gate; its processes end with it."""
    live = ("W01", "--live", "--confirm", "W01")
    try:
        yield _made(
            root,
            ("init", str(root)),
            ("settings", "import", str(sample_path("lab") / "settings.toml")),
            ("discover", "lab"),
            ("plan",),
            ("plan", "approve"),
            ("lab", "build"),
            ("remedy", *live),
            ("replicate", *live),
            ("cutover", *live),
        )
    finally:
        _made(root, ("engine", "stop"), ("lab", "stop"))


def _made(root: Path, *verbs: tuple[str, ...]) -> Path:
    for verb in verbs:
        where = () if verb[0] == "init" else ("--project", str(root))
        subprocess.run(
            [sys.executable, "-m", "tui.cli.entry", *verb, *where],
            env={**os.environ, "LOGNAME": "ada"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
        )
    return root


async def take(
    root: Path,
    out_dir: Path,
    session: Session | None = None,
    size: tuple[int, int] = SIZE,
    now: Callable[[], datetime] = lambda: NOW,
    poses: Mapping[str, Sequence[str]] = POSES,
    still_s: float = STILL_S,
    places: Iterable[Place] = PLACES,
) -> tuple[Path, ...]:
    """Write one SVG a place into ``out_dir`` and return their paths; raises TimeoutError."""
    app = WherryApp(root, now=now, session=session)
    made: list[Path] = []
    begun = datetime.now(UTC)
    async with app.run_test(size=size) as pilot:
        async with asyncio.timeout(PATIENCE_S):
            while not app.view.complete or app.view.judging == "running":
                await asyncio.sleep(0.05)
        for place in places:
            await app.action_go(place.id)
            await _still(pilot, still_s)
            await pilot.press(*poses.get(place.id, ()))
            await _still(pilot, still_s)
            while app.screen is not app.place:  # the box of work that is done
                await pilot.press("escape")
                await _still(pilot, still_s)
            path = out_dir / f"{place.id}.svg"
            picture = app.export_screenshot(title=f"wherry: {place.title}")
            picture = _dated(_REMOTE_FONT.sub("", picture), begun, now())
            picture = _ITS_NUMBER.sub(f"terminal-{place.id}", picture)
            path.write_text(picture, encoding="utf-8")
            made.append(path)
    return tuple(made)


def _dated(picture: str, begun: datetime, now: datetime) -> str:
    """Let what was done for the picture be done at its own time, so that one made again is the same."""
    days = "|".join(f"{day:%Y-%m-%d}" for day in {begun, datetime.now(UTC)})
    return re.sub(rf"(?:{days})(&#160;)\d\d:\d\d", rf"{now:%Y-%m-%d}\g<1>{now:%H:%M}", picture)


async def _still(pilot: Pilot[None], still_s: float) -> None:
    """Wait until nobody works for the screen, nothing flashes, and it stays as it is; raises TimeoutError."""
    app = pilot.app
    assert isinstance(app, WherryApp)
    seen, since = "", 0.0
    clock = asyncio.get_running_loop().time
    async with asyncio.timeout(PATIENCE_S):
        while not seen or clock() - since < still_s:
            await asyncio.sleep(0.1)
            strips = app.screen._compositor.render_strips()
            text = "\n".join("".join(segment.text for segment in strip) for strip in strips)
            busy = any(worker.group in ("study", "job") for worker in app.workers if not worker.is_finished)
            busy = busy or any(table.flashed for table in app.screen.query(VirtualTable))
            if busy or text != seen:
                seen, since = text, clock()


def main(arguments: list[str]) -> int:
    """Write the pictures of a project, or of the example; returns an exit code."""
    if not arguments:
        sys.stderr.write("which directory? python -m tui.screenshot DIR [PROJECT]\n")
        return 2
    out_dir = Path(arguments[0])
    out_dir.mkdir(parents=True, exist_ok=True)
    if len(arguments) > 1:
        root = Path(arguments[1])
        return _told(take(root, out_dir, Session(root)))
    planning = [place for place in PLACES if place.id not in OF_RUNS]
    running = [place for place in PLACES if place.id in OF_RUNS]
    with TemporaryDirectory() as folder:
        root = make_example(Path(folder) / "acme-dc1")
        _told(take(root, out_dir, Session(root), places=planning))
        with cut_over(Path(folder) / "acme-dc2") as root:
            return _told(take(root, out_dir, Session(root), now=lambda: datetime.now(UTC), places=running))


def _told(taking: Coroutine[Any, Any, tuple[Path, ...]]) -> int:
    for made in asyncio.run(taking):
        sys.stdout.write(f"{made}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

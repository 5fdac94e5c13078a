"""A planned project for every test of the terminal, made once for each process that tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from textual import pilot, screen
from textual._compositor import Compositor
from textual._styles_cache import StylesCache
from textual.css.stylesheet import Stylesheet

from tests.tui.cli.command import Wherry, wherry
from tests.tui.cli.estate import disk, document, vm, write
from tests.tui.resting import FRAME_S, rested
from tui.screens.place import PlaceScreen

_SETTINGS = """
[caps]
vms = 2

[[windows]]
start = 2027-01-09T22:00:00
[[windows]]
start = 2027-01-16T22:00:00
[[windows]]
start = 2027-01-23T22:00:00
[[windows]]
start = 2027-01-30T22:00:00
"""


@pytest.fixture(scope="session", autouse=True)
def _styles_are_parsed_once() -> Iterator[None]:
    """Textual parses the same styles anew for each application and place: a tenth of these tests' time."""
    parse, parsed = Stylesheet._parse_rules, {}

    def once(self: Stylesheet, *asked: Any, **more: Any) -> Any:
        key = (asked, frozenset(more.items()), frozenset(self._variables.items()))
        if key not in parsed:
            parsed[key] = parse(self, *asked, **more)
        return parsed[key]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Stylesheet, "_parse_rules", once)
        yield


@pytest.fixture(scope="session", autouse=True)
def _what_was_drawn_is_let_go() -> Iterator[None]:
    """Textual's colours remember by the widget that asked, and so keep what a thousand dead ones drew."""
    colours = StylesCache.__dict__["get_inner_outer"]  # they are those of the two it is asked for, only
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(StylesCache, "get_inner_outer", classmethod(colours))
        yield


@pytest.fixture(scope="session", autouse=True)
def _nothing_is_drawn_that_nobody_sees() -> Iterator[None]:
    """Textual draws each change without a terminal, too, and throws it away: a third of these tests' time.

    What a test looks at is drawn when it looks, and the last picture of each when it ends.
    """
    draw = Compositor.render_update

    def unseen(self: Compositor, full: bool = False, *asked: Any, **more: Any) -> Any:
        is_a_screenshot = full or more.get("simplify")
        if is_a_screenshot or not isinstance(self.root, PlaceScreen):  # dialogs and widgets are small
            return draw(self, full, *asked, **more)
        self._dirty_regions.clear()
        return None

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Compositor, "render_update", unseen)
        yield


@pytest.fixture(scope="session", autouse=True)
def _pauses_are_as_long_as_they_must() -> Iterator[None]:
    """Half of the time of these tests were pauses."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(screen, "UPDATE_PERIOD", FRAME_S)
        patched.setattr(pilot, "wait_for_idle", rested)
        yield


@pytest.fixture(scope="session")
def dated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project with windows: ``db-1`` with ``app-1``, ``solo``, ``x-1``, ``x-2``; copy it."""
    root = tmp_path_factory.mktemp("dated") / "move"
    assert wherry("init", str(root)).code == 0
    cli = Wherry(root)
    settings = root.parent / "settings.toml"
    settings.write_text(_SETTINGS, "utf-8")
    cli.done("settings", "import", str(settings))
    more = [vm(f"vm-{at}", f"x-{at}", "extra", [disk(f"x-{at}", 0, 2)]) for at in (4, 5)]
    cli.done("discover", str(write(root.parent / "inventory.json", vms=[*document()["vms"], *more])))
    cli.done("plan")
    return root

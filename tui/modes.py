"""Which screen each place is; a screen's module is imported when its place is first gone to."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from tui.screens.place import PlaceScreen

_SCREENS = {
    "overview": ("tui.screens.overview", "OverviewScreen"),
    "inventory": ("tui.screens.inventory", "InventoryScreen"),
    "dependencies": ("tui.screens.dependencies", "DependenciesScreen"),
    "waves": ("tui.screens.waves", "WavesScreen"),
    "rehearse": ("tui.screens.rehearse", "RehearseScreen"),
    "cutover": ("tui.screens.cutover", "CutoverScreen"),
    "journal": ("tui.screens.journal", "JournalScreen"),
    "replicate": ("tui.screens.replicate", "ReplicateScreen"),
    "checks": ("tui.screens.checks", "ChecksScreen"),
    "settings": ("tui.screens.settings", "SettingsScreen"),
}


def _maker(module: str, name: str) -> Callable[[], PlaceScreen]:
    def make() -> PlaceScreen:
        screen = getattr(import_module(module), name)()
        assert isinstance(screen, PlaceScreen)
        return screen

    return make


MODES = {place: _maker(module, name) for place, (module, name) in _SCREENS.items()}

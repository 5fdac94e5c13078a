"""Texts that stand out from what is behind them, in themes of other people too.

Contrast is counted as WCAG 2.2 does, from 1 to 21. Our own themes are chosen by hand and stay as they are;
in any other one, texts are drawn nearer to white or black until they can be read wherever we write them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from textual.app import App
from textual.color import BLACK, WHITE, Color

from tui.theme import THEMES

Answer = TypeVar("Answer")
NEEDED = 4.5  # of normal text: https://www.w3.org/TR/WCAG22/#contrast-minimum
CHOSEN = 0.4  # of the primary colour at most, behind the line of the cursor and what is selected
TINT = 0.05  # of the foreground, over what has the focus
_STEPS = 50
_GREYS = {"text-muted": 0.7, "text-disabled": 0.6}  # how much of the foreground, before it is raised
_TONES = ("primary", "secondary", "success", "warning", "error", "accent")


def contrast(a: Color, b: Color) -> float:
    """Return the contrast ratio of two colours."""
    darker, lighter = sorted((_luminance(a), _luminance(b)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(color: Color) -> float:
    parts = [value / 255 for value in color.rgb]
    red, green, blue = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def legible(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a theme with texts that stand out from whatever it puts behind them."""
    background, surface, panel, front, primary = (
        Color.parse(variables[name]) for name in ("background", "surface", "panel", "foreground", "primary")
    )
    plain = [background, surface, background + panel]
    ink = _raised(front, [*plain, *(color.blend(primary, CHOSEN, 1.0) for color in plain)])
    focused = [color.blend(ink, TINT, 1.0) for color in plain]
    chosen = [color.blend(primary, CHOSEN, 1.0) for color in (*plain, *focused)]
    behind = [*plain, *focused, *chosen]
    found = {name: ink.hex if value == front.hex else value for name, value in variables.items()}
    found["text"] = "auto 95%"
    buttons = [Color.parse(variables[tone]) for tone in ("primary", "error")]
    found["button-color-foreground"] = max(
        (WHITE, BLACK), key=lambda end: min(contrast(end, button) for button in buttons)
    ).hex
    for name, share in _GREYS.items():
        found[name] = _raised(background.blend(ink, share, 1.0), behind).hex
    for tone in _TONES:
        found[f"text-{tone}"] = _raised(Color.parse(variables[f"text-{tone}"]), behind).hex
    return found


def _raised(color: Color, behind: list[Color]) -> Color:
    """Return the colour nearest to this one that stands out from all of these, else the best there is."""
    ways = [color.blend(end, step / _STEPS, 1.0) for step in range(_STEPS + 1) for end in (WHITE, BLACK)]
    ratios = [min(contrast(way, other) for other in behind) for way in ways]
    at = next((at for at, ratio in enumerate(ratios) if ratio >= NEEDED), ratios.index(max(ratios)))
    return ways[at]


class ThemedApp(App[Answer]):
    """An application with our themes beside those of Textual, all of them to be read."""

    _is_themed = False  # while Textual begins, with a theme of its own that nobody will see

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        for make in THEMES:
            self.register_theme(make())
        self._is_themed = True

    def get_css_variables(self) -> dict[str, str]:
        """Return the colours of the theme in force."""
        variables = super().get_css_variables()
        theme = self.current_theme
        if self._is_themed and not theme.ansi and theme.name not in {make.__name__ for make in THEMES}:
            variables = self.theme_variables = legible(variables)
        return variables

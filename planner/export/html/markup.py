"""HTML and SVG that cannot be broken by names: text is escaped where it enters, and nowhere else.

``tag`` takes text and other tags; only what it made itself passes unescaped. Attribute values are
always quoted and escaped. Control characters and the like are made visible on the way.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from planner.names import visible

_VOID = frozenset({"meta", "br", "rect", "line", "circle", "path"})  # those we use that hold nothing


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


Part = str | int | float | None


def shown(part: Part) -> str:
    """Return a part as markup: as it is when it is, else escaped."""
    if part is None:
        return ""
    return str(part) if isinstance(part, Html) else escape(visible(str(part)), quote=True)


def joined(parts: Iterable[Part]) -> Html:
    """Return parts one after the other."""
    return Html("".join(map(shown, parts)))


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _attribute(name: str, value: Part) -> str:
    text = _number(value) if isinstance(value, float) else shown(value)
    return f' {name.rstrip("_").replace("_", "-")}="{text}"'


def tag(name: str, /, *parts: Part, **attributes: Part) -> Html:
    """Return an element; ``class_`` is class, ``stroke_width`` is stroke-width, None leaves one out."""
    said = "".join(_attribute(key, value) for key, value in attributes.items() if value is not None)
    if name in _VOID and not parts:
        return Html(f"<{name}{said}/>")
    return Html(f"<{name}{said}>{joined(parts)}</{name}>")


def drawing(width: float, height: float, title: str, *parts: Part, about: str = "") -> Html:
    """Return an SVG picture with a title that readers of screens hear, and what it is ``about`` in words."""
    body = (tag("title", title), *((tag("desc", about),) if about else ()), *parts)
    return tag(
        "svg",
        *body,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {_number(width)} {_number(height)}",
        role="img",
        aria_label=title,
        aria_description=about or None,
    )


def label(x: float, y: float, text: Part, **attributes: Part) -> Html:
    """Return text in a picture; ``anchor`` says which end of it stands at ``x``."""
    anchor = attributes.pop("anchor", None)
    return tag("text", text, x=float(x), y=float(y), text_anchor=anchor, **attributes)


def box(x: float, y: float, width: float, height: float, about: str = "", **attributes: Part) -> Html:
    """Return a rectangle, with words that show when one points at it."""
    place = {"x": float(x), "y": float(y), "width": float(width), "height": float(height)}
    return tag("rect", *((tag("title", about),) if about else ()), **place, **attributes)

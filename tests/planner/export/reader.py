"""Reads a page as a browser would, and judges whether a name has become markup in it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_ALLOWED = frozenset(
    [
        *("html", "head", "meta", "title", "style", "body", "header", "div", "h1", "h2", "h3", "h4", "p"),
        *("nav", "a", "main", "section", "table", "thead", "tbody", "tr", "th", "td", "ul", "li", "dl"),
        *("dt", "dd", "b", "i", "span", "code", "figure", "figcaption", "footer"),
        *("svg", "text", "rect", "line", "circle", "path", "desc"),
    ]
)
_REFERS = frozenset(
    {"src", "srcset", "data", "action", "formaction", "poster", "background", "style", "xlink:href"}
)


class Reader(HTMLParser):
    """Keeps every tag, every attribute and all text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def judge(page: str) -> None:
    """Fail unless a page holds our own elements and attributes only, and nothing that acts."""
    reader = Reader(page)
    assert reader.open == []
    assert {name for name, _ in reader.tags} <= _ALLOWED
    for _, attributes in reader.tags:
        assert not {name for name in attributes if name.startswith("on") or name in _REFERS}
        assert (attributes.get("href") or "#").startswith("#")
    assert not re.search("[\x00-\x09\x0b-\x1f\u202e]", page)

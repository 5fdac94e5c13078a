"""One HTML file around its parts: it works offline, holds no script and loads nothing.

Its own content security policy forbids everything but the one style sheet inside it, named by hash.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from planner.export.html.markup import Html, Part, tag
from planner.export.html.style import SHEET, digest


def document(
    title: str, made: str, places: Sequence[tuple[str, str]], main: Iterable[Part], footer: Part
) -> bytes:
    """Return the bytes of a page, UTF-8; ``places`` are the ids that its bar links to, and their words."""
    policy = f"default-src 'none'; style-src '{digest()}'; base-uri 'none'; form-action 'none'"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", title),
        tag("style", Html(SHEET)),
    )
    links = [tag("a", words, href=f"#{place}") for place, words in places]
    body = tag(
        "body",
        tag("header", tag("div", tag("h1", title), tag("p", made))),
        tag("nav", tag("div", *links)),
        tag("main", *main, tag("footer", footer)),
    )
    return f"<!DOCTYPE html>\n{tag('html', head, body, lang='en')}\n".encode()

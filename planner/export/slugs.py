"""Names as other tools allow them: few letters, short, and no two things with one name.

A name that is allowed as it stands is kept. Others lose what is not allowed; where that leaves nothing,
or a name that is taken, a few digits made of the thing's key are put behind it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Mapping

from planner.names import content_id

_DIGITS = 8


def slugs(
    names: Mapping[str, str],
    allowed: re.Pattern[str],
    joint: str,
    reserved: Container[str] = (),
    width: int = 63,
) -> dict[str, str]:
    """Return key → slug for key → name, all different whatever their case; ``joint`` replaces the rest.

    ``reserved`` holds names, in lower case, that mean something else to the tool.
    """
    made: dict[str, str] = {}
    taken: set[str] = set()
    for key, name in names.items():
        slug = name
        if len(name) > width or not allowed.fullmatch(name):
            plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
            slug = re.sub("[^a-z0-9]+", joint, plain).strip(joint)[:width].strip(joint)
        if not allowed.fullmatch(slug) or slug.casefold() in taken or slug.casefold() in reserved:
            head = slug[: width - _DIGITS - 2].strip(joint)
            slug = joint.join(part for part in (head, f"x{content_id(key)[:_DIGITS]}") if part)
            if not allowed.fullmatch(slug):
                slug = f"x{joint}{slug}"
        taken.add(slug.casefold())
        made[key] = slug
    return made

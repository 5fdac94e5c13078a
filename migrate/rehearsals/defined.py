"""How the VMs of a wave are defined at their source, for copies that shall boot as they will."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from planner.errors import WherryError

if TYPE_CHECKING:
    from pathlib import Path

    from migrate.sites.definition import Definition
    from planner.settings import Settings

Defines = Callable[[str], "Definition | None"]


def by_plan(vm: str) -> Definition | None:
    """Return None: the plan says all there is."""
    return None


@contextmanager
def definitions(settings: Settings, root: Path, tell: Callable[[str], None]) -> Iterator[Defines]:
    """Yield what says how a VM is defined, None where its plan has to do.

    Only a vCenter is asked: of a lab's VM a plan says all. One that cannot be reached holds nothing up, for
    a rehearsal at the target must go when the source is gone; it is told.
    """
    from migrate.sites.opening import open_site

    urls = [site.url for site in settings.sites.values() if site.role == "source"]
    if not any(url.startswith("vcenter:") for url in urls):
        yield by_plan
        return
    try:
        source = open_site(settings, "source", root)
    except WherryError as error:
        tell(f"copies are built as the plan says, not as the source has its VMs: {error.message}")
        yield by_plan
        return
    with closing(source):
        yield source.definition

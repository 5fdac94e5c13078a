"""Which journals a verb is about: those of a receiver's store, or those of a project's waves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from planner.store.project import FILE

if TYPE_CHECKING:
    from migrate.daemons.control import Asks


@dataclass(frozen=True, slots=True)
class Journals:
    """Who is asked, of which groups (none: all there are), and where images are served."""

    asks: Asks
    groups: tuple[str, ...]
    store: Path
    project_dir: Path | None


@contextmanager
def journals(store: Path | None, project_dir: Path | None, group: str, *, one: bool) -> Iterator[Journals]:
    """Yield whoever keeps the journals of ``group``; with ``one`` it has to be a single group.

    Without a store those of the project's sites are meant. Raises BadInput, NotFound, Unreachable.
    """
    from planner.errors import BadInput

    if store is not None:
        from migrate.journal.attending import answering

        with answering(store) as asks:
            yield Journals(asks, (group,) if group else (), store, project_dir)
        return
    root = project_dir or Path()
    if not (root / FILE).is_file():
        raise BadInput(
            "it is not said whose journals are meant",
            "give --store the folder of a receiver, or --project the directory of a project",
        )
    from migrate.run.wave_groups import keeping, named, one_named
    from tui.cli.options import open_project

    with open_project(root) as project:
        found = (one_named(project, group),) if one else named(project, group)
        with keeping(project, found) as kept:
            yield Journals(kept.asks, tuple(item.title for item in kept.groups), kept.store, root)

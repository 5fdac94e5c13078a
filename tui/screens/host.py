"""What a place needs of the application that shows it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from tui.jobs.job import Job
    from tui.preferences import Preferences
    from tui.session import Session, View


class Host(Protocol):
    """The application as places see it."""

    view: View
    session: Session
    read_only: bool
    unsaved: int
    aside: list[Job]
    preferences: Preferences
    now: Callable[[], datetime]

    @property
    def keys(self) -> Mapping[str, str]:
        """Keys that a person chose, by action id."""
        ...

    @property
    def has_shell(self) -> bool:
        """Whether a shell holds our job, so that it can be stopped and let go on."""
        ...

    def ask(
        self,
        op: str,
        args: Mapping[str, Any] | None = None,
        then: Callable[[Any], None] | None = None,
        busy: str = "",
        failed: Callable[[str], None] | None = None,
    ) -> None:
        """Ask the study; ``then`` gets the answer, and what went wrong is said (and given to ``failed``)."""
        ...

    def start(self, job: Job, then: Callable[[Job], None] | None = None) -> None:
        """Start work of its own process and show it; ``then`` is called once it has ended with a word."""
        ...

    def start_aside(self, job: Job) -> None:
        """Start work that goes on beside the work in hand until it is stopped, or the application is left."""
        ...

    def work_words(self) -> str:
        """Say on line 1 what is being worked on, empty for nothing."""
        ...

    def keep(self, preferences: Preferences) -> None:
        """Keep what a person likes."""
        ...

    def goto(self, kind: str, key: str) -> None:
        """Go to a thing by its kind (place, wave, group, VM, check) and key."""
        ...

    def open_wave(self, wave: str) -> None:
        """Go to a wave."""
        ...

    def open_vm(self, vm: str) -> None:
        """Go to a VM in Inventory, by its id."""
        ...

    def open_group(self, group: str) -> None:
        """Go to a move group in Dependencies."""
        ...

    def read_again(self) -> None:
        """Read the project now, after something was changed."""
        ...

    def go_back(self) -> None:
        """Go to the place before."""
        ...

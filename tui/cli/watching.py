"""``wherry discover --watch``: one vCenter looked at again and again, every change a snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.cli.discovering import Wish, keep, show
from tui.cli.output import say

if TYPE_CHECKING:
    from planner.sources.vcenter.address import Login
    from planner.sources.vcenter.watch import Look
    from planner.store.inventories import StoredInventory
    from planner.store.project import Project


_LEAST_S = 1.0  # between two looks; rates come in portions of 20 s anyway


def watch(project: Project, wish: Wish, as_json: bool) -> int:
    """Look at one vCenter again and again; every change is a snapshot, the rates go into the last one."""
    from contextlib import closing

    from planner.errors import BadInput
    from planner.sources.vcenter.address import is_address
    from planner.sources.vcenter.watch import watch as looks
    from planner.units import parse_duration
    from tui.cli.login import log_in, with_trust

    if len(wish.sources) != 1 or not is_address(wish.sources[0]) or wish.cap:
        raise BadInput(
            "--watch takes one live vCenter and no --cap",
            "write it like: wherry discover vcenter://USER@HOST --watch",
        )
    every_s = parse_duration(wish.every)
    if every_s < _LEAST_S:
        raise BadInput(
            f"--every {wish.every} would ask the vCenter without a pause", "leave it a second or more"
        )
    for_s = parse_duration(wish.long) if wish.long else None
    login = log_in(project, wish.sources[0], wish.password_fd, wish.trust, wish.ca_file)
    login, _ = with_trust(project, login, _knock)
    seen = _Watched(project, wish)
    with closing(looks(login, every_s, for_s)) as found:
        try:
            for look in found:
                seen.take(look)
        except KeyboardInterrupt:
            say("the watch was ended")
        finally:
            seen.finish()
    if seen.stored is not None:
        show(project, seen.stored, as_json)
    return 0


def _knock(login: Login) -> None:
    """Open and close a session, so that a password or certificate is settled before the watch begins."""
    from planner.sources.vcenter.session import Session

    Session(login).close()


class _Watched:
    """What a watch has seen and what of it is stored."""

    def __init__(self, project: Project, wish: Wish) -> None:
        self.stored: StoredInventory | None = None
        self._project = project
        self._wish = wish
        self._pending: Look | None = None

    def take(self, look: Look) -> None:
        """Store a look that changed something, remember one that only knows rates better."""
        from planner import drift
        from planner.units import show_count

        if look.missed is not None:
            say(f"a look failed and was made up for: {look.missed.message}")
        at = look.inventory.taken_at
        known = show_count(sum(vm.churn_bytes_day is not None for vm in look.inventory.vms), "VM")
        if not look.changed:
            self._pending = look
            say(f"{at}  no change; write rates of {known} known")
            return
        before = self.stored
        self.stored = keep(self._project, look.inventory, self._wish)
        self._pending = None
        said = (
            "first look"
            if before is None
            else drift.summary(drift.drift(before.inventory, self.stored.inventory))
        )
        say(f"{at}  inventory {self.stored.id}: {said}; write rates of {known} known")

    def finish(self) -> None:
        """Store what the last look knew better."""
        if self._pending is not None:
            self.stored = keep(self._project, self._pending.inventory, self._wish)
            say(f"inventory {self.stored.id} holds the write rates")

"""Disks of a checkpoint written out: to a new folder, or over a device, which is tried dry first.

device, disk ──▶ 'wherry image --onto' without --live ──would fit, nobody uses it──▶ the path typed ──▶ live
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner.names import visible
from planner.units import show_bytes
from tui.dialogs.form import Ask, Form
from tui.dialogs.work import Work
from tui.jobs import orders
from tui.text import line, stack

if TYPE_CHECKING:
    from tui.acts.histories import GroupTold
    from tui.dialogs.form import Values
    from tui.jobs.job import Job
    from tui.jobs.orders import Order
    from tui.screens.live_place import LivePlace

    Here = LivePlace
else:
    Here = object


class Restoring(Here):
    """A page about one group whose checkpoint under the cursor can be written out."""

    title_of_group: str

    @property
    def told(self) -> GroupTold | None:
        """The group as it was read last."""
        raise NotImplementedError

    @property
    def point(self) -> Mapping[str, Any] | None:
        """The checkpoint under the cursor."""
        raise NotImplementedError

    def _work(self, order: Order, then: Callable[[Job], None] | None = None) -> None:
        raise NotImplementedError

    def action_group_restore(self) -> None:
        """Write the disks out as they were at the checkpoint, to a new folder or file."""
        if (point := self.point) is None or (told := self.told) is None:
            return
        record, title = int(point["record"]), self.title_of_group
        size = sum(disk.size_bytes for disk in told.disks)
        lines = [
            line(f"{show_bytes(size)} are written, read back and compared; the folder gets its name last."),
            line("Nothing is written over: T writes a disk over a device."),
        ]
        asks = [
            Ask("to", "New folder", str(Path.cwd() / f"{_plain(title)}-{record}"), needed=True, judge=_taken),
            Ask("format", "Disks become", "raw", choices=(("raw", "raw images"), ("vmdk", "VMDKs"))),
        ]

        def do(given: Values | None) -> None:
            if given is not None:
                self._work(orders.write_image(title, record, given["to"].strip(), given["format"]))

        form = Form(f"Restore {visible(title, 40)} to {record}", asks, "Write", stack(lines))
        self.app.push_screen(form, do)

    def action_group_onto(self) -> None:
        """Write one disk as it was at the checkpoint over a device: tried dry, then its path is typed."""
        if (point := self.point) is None or (told := self.told) is None:
            return
        record, title = int(point["record"]), self.title_of_group
        lines = [
            line(
                "Nothing is written yet: it is looked whether the device is large enough and nobody uses it."
            ),
        ]
        asks = [
            Ask("onto", "Device, or file of the disk's size", needed=True, judge=_missing),
            Ask("disk", "Disk", choices=tuple((one.volume, one.said) for one in told.disks)),
        ]

        def look(given: Values | None) -> None:
            if given is not None:
                onto, disk = given["onto"].strip(), given["disk"]
                order = orders.write_onto(title, record, disk, onto)
                self._work(order, lambda job: self._fits(job, record, disk, onto))

        form = Form(f"Restore a disk of {visible(title, 40)} to {record}", asks, "Look", stack(lines))
        self.app.push_screen(form, look)

    def _fits(self, job: Job, record: int, disk: str, onto: str) -> None:
        """Have the device's path typed once the dry try found nothing in the way."""
        found = job.state.document
        if not job.state.succeeded or not isinstance(found, dict):
            return  # the box says why
        if isinstance(self.app.screen, Work):
            self.app.pop_screen()  # what it led to is under it
        size, room = (show_bytes(int(found[name])) for name in ("size_bytes", "room_bytes"))
        shown, node = visible(onto, 200), str(found["node"])
        what = f"{shown}, {visible(node, 200)}," if node != onto else shown
        lines = [
            line((f"✖ {what} is written over: what it holds is lost, and cannot be brought back.", "bad")),
            line(f"It has {room}, {size} of it are written, read back and compared. Nobody uses it now."),
            line("Half written it is worth nothing, and nothing says so: then begin anew."),
        ]
        name = Ask("name", f"Type {shown} to go on", needed=True, judge=lambda text: _other(text, onto))
        order = orders.write_onto(self.title_of_group, record, disk, onto, live=True)
        form = Form(f"Write over {visible(onto, 60)}", [name], "Write over it", stack(lines))
        self.app.push_screen(form, lambda given: self._work(order) if given is not None else None)


def _plain(title: str) -> str:
    """Return what a folder of a group may be called."""
    return "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in title)[:60]


def _taken(text: str) -> str:
    path = Path(text.strip()).expanduser()
    return f"{visible(path.name, 40)} is there already: give a new name" if path.exists() else ""


def _missing(text: str) -> str:
    return "" if Path(text.strip()).exists() else f"{visible(text, 60)} is not there"


def _other(text: str, onto: str) -> str:
    return "" if text.strip() == onto else f"{visible(text, 40)!r} is not that path, nothing was done"

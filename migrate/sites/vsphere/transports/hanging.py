"""Disks that hang on a VM of ours for as long as they are open: remembered before, detached after.

What a process left hanging when it died, the next one detaches before it hangs anything.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from migrate.sites.vsphere.datastore_path import DatastorePath
from migrate.sites.vsphere.transports.attachments import Attachment, Attachments
from migrate.sites.vsphere.transports.mover_vm import Hung, MoverVM
from migrate.sites.vsphere.transports.ports import Place
from planner.errors import SiteRefused


class Hanging:
    """A VM of ours, and the record of what hangs on it."""

    def __init__(self, vm: MoverVM, attachments: Attachments) -> None:
        self.vm = vm
        self._attachments = attachments

    def clean_up(self) -> None:
        """Detach what dead processes left; raises Unreachable, and then it is tried again later."""
        with self._attachments.abandoned() as names:
            for name in names:
                self.vm.detach(DatastorePath.parse(name))

    def hang(self, place: Place, *, writable: bool) -> tuple[Hung, Callable[[], None]]:
        """Hang a disk and return what takes it off again, once.

        Raises SiteRefused, Unreachable, ProjectBusy. Taking it off raises WherryError when it may still hang.
        """
        attachment = self._attachments.hold(str(place.file))
        with ExitStack() as undo:
            undo.callback(attachment.forget)
            if self.vm.hung(place.file) is not None:
                raise SiteRefused(
                    f"disk {place.file.shown} hangs on {self.vm.called} already, and not by wherry",
                    "detach it there, or choose another way to it",
                )
            attachment.remember()
            undo.pop_all()
            undo.callback(self._take_off, place.file, attachment)
            with self._attachments.alone():  # two would take the same place
                hung = self.vm.attach(place, writable=writable)
            return hung, undo.pop_all().close

    def _take_off(self, file: DatastorePath, attachment: Attachment) -> None:
        try:
            self.vm.detach(file)
        except BaseException:
            attachment.leave()
            raise
        attachment.forget()

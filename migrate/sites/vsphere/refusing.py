"""What a vCenter declined, as one of our errors that still says which fault it was."""

from __future__ import annotations

from typing import Any

from planner.errors import NameTaken, NoSpace, SiteRefused, Unreachable, WherryError
from planner.names import visible
from planner.sources.vcenter.values import at, text

_FULL = frozenset({"NoDiskSpace", "InsufficientStorageSpace"})
_AWAY = frozenset({"HostNotConnected", "HostNotReachable", "HostCommunication"})
_HINTS = {
    "NoPermission": "give the account the roles of docs/vcenter.md",
    "TaskInProgress": "wait until the other task has ended, then try again",
    "InvalidPowerState": "look at the VM in vCenter, then try again",
    "ManagedObjectNotFound": "it is gone: look at vCenter, then try again",
}


class Declined(SiteRefused):
    """A fault of the vCenter. ``kind`` is its type as the API calls it: ``InvalidPowerState``."""

    def __init__(self, message: str, hint: str, kind: str) -> None:
        super().__init__(message, hint)
        self.kind = kind


class _Taken(Declined, NameTaken):
    """The fault that says that something in the same folder has the name."""


def declined(what: str, kind: str, said: str = "") -> WherryError:
    """Return the error for a fault: ``what`` is a clause without an end, ``cannot power on web-01``."""
    why = f"{kind}: {visible(said, 160)}" if said and said != kind else kind
    if kind in _FULL:
        return NoSpace(f"{what}: {why}", "free space on the datastore, then try again")
    if kind in _AWAY:  # as for a while after a restart of the vCenter: tried again by itself
        return Unreachable(f"{what}: {why}", "look whether the vCenter has its host back, then try again")
    refusal = _Taken if kind == "DuplicateName" else Declined
    return refusal(f"{what}: {why}", _HINTS.get(kind, "see the task in vCenter, then try again"), kind)


def kind_of(thing: object) -> str:
    """Return the type of a fault or event of pyvmomi as the API calls it: ``InvalidPowerState``."""
    return type(thing).__name__.rpartition(".")[2]


def raised(what: str, fault: Any) -> WherryError:
    """Return the error for a fault that pyvmomi raised."""
    said = str(getattr(fault, "msg", "") or "")
    return declined(what, kind_of(fault), _with_privilege(said, str(getattr(fault, "privilegeId", "") or "")))


def ended(what: str, error: object) -> WherryError:
    """Return the error for a task's ``info.error`` as the property collector sent it."""
    fault = at(error, "fault")
    kind = text(fault, "@") if isinstance(fault, dict) else ""
    said = text(error, "localizedMessage")
    return declined(what, kind or "SystemError", _with_privilege(said, text(fault, "privilegeId")))


def _with_privilege(said: str, privilege: str) -> str:
    """Return what a vCenter said, with the privilege that the account lacks where it names one."""
    return " ".join(filter(None, (said, f"({privilege})" if privilege else "")))

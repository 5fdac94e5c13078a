"""The lab's calls as JSON: one line a request, one line an answer.

    {"call": "power_on", "args": ["<vm>", "<op>"]}  →  {"ok": null}  or  {"error": {...}}

Names may hold anything, lone surrogates included: JSON is ASCII here, so they pass untouched.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from migrate.sites.configuration import Configuration, Drive
from migrate.sites.ports import (
    ChangeId,
    Consistency,
    DiskState,
    NewAttachment,
    NewDisk,
    NewNic,
    NewVM,
    Snapshot,
    VMState,
)
from planner import errors
from planner.errors import SiteRefused, WherryError
from planner.model import Backing, BusSharing, Power

MAX_LINE = 64 * 1024 * 1024
_ERRORS: dict[str, type[WherryError]] = {
    kind.code: kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, WherryError)
}


def dump_line(body: object) -> bytes:
    """Return one line of JSON."""
    return json.dumps(body).encode("ascii") + b"\n"


def dump_error(error: BaseException) -> dict[str, object]:
    """Return an error as the ``error`` of an answer."""
    if isinstance(error, WherryError):
        return {"code": error.code, "message": error.message, "hint": error.hint}
    if isinstance(error, OSError):
        return {"errno": error.errno, "message": error.strerror or str(error)}
    return {
        "code": SiteRefused.code,
        "message": f"the lab cannot serve that call: {error}",
        "hint": "report this",
    }


def load_error(body: dict[str, Any]) -> Exception:
    """Return the error an answer carries."""
    if "errno" in body:
        return OSError(body["errno"], body["message"])
    return _ERRORS.get(body["code"], WherryError)(body["message"], body["hint"])


def dump(value: Any) -> Any:
    """Return a value of the site protocol as JSON data."""
    if isinstance(value, Snapshot):
        return {**_plain(value), "changes": {volume: str(change) for volume, change in value.changes.items()}}
    if isinstance(value, tuple):
        return [dump(item) for item in value]
    return _plain(value)


def _plain(value: Any) -> Any:
    return asdict(value) if hasattr(value, "__dataclass_fields__") else value


def load_vm(body: dict[str, Any]) -> NewVM:
    """Return the VM to create; raises KeyError, TypeError, ValueError."""
    disks = tuple(
        NewAttachment(**{**disk, "bus_sharing": BusSharing(disk["bus_sharing"])}) for disk in body["disks"]
    )
    nics = tuple(NewNic(**nic) for nic in body["nics"])
    # The definition is of a site that can build it, and the choices are about it: a lab does not.
    kept = {key: value for key, value in body.items() if key not in ("definition", "choices")}
    return NewVM(**{**kept, "disks": disks, "nics": nics})


def load_disk(body: dict[str, Any]) -> NewDisk:
    """Return the volume to create; raises KeyError, TypeError, ValueError."""
    return NewDisk(**{**body, "backing": Backing(body["backing"])})


def load_state(body: dict[str, Any]) -> VMState:
    """Return a VM's state; raises KeyError, TypeError, ValueError."""
    disks = tuple(
        DiskState(
            **{**disk, "backing": Backing(disk["backing"]), "bus_sharing": BusSharing(disk["bus_sharing"])}
        )
        for disk in body["disks"]
    )
    return VMState(**{**body, "power": Power(body["power"]), "disks": disks})


def load_configuration(body: dict[str, Any]) -> Configuration:
    """Return a VM's configuration; raises KeyError, TypeError, ValueError."""
    modes = tuple((key, mode) for key, mode in body["modes"])
    return Configuration(
        **{**body, "modes": modes, "drives": tuple(Drive(**drive) for drive in body["drives"])}
    )


def load_snapshot(body: dict[str, Any]) -> Snapshot:
    """Return a snapshot; raises KeyError, TypeError, ValueError."""
    changes = {volume: ChangeId.parse(text) for volume, text in body["changes"].items()}
    return Snapshot(**{**body, "label": Consistency(body["label"]), "changes": changes})

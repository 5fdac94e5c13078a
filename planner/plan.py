"""The Plan document: what moves when, reviewed and signed.

A plan is immutable. Its fingerprint covers the whole content; a wave's fingerprint covers exactly
what the wave will do, so that changing another wave leaves an approval of this one valid. Both are
SHA-256 over canonical JSON (sorted keys, no blanks, UTF-8).
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from planner.errors import BadInput, NotFound, PlanTampered
from planner.model import Backing, BusSharing
from planner.settings import Policies, Window

SCHEMA: Literal["wherry.plan/1"] = "wherry.plan/1"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def canonical(value: Any) -> bytes:
    """Return the canonical JSON bytes that fingerprints are made of."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode(
        "utf-8", "surrogatepass"
    )


def _digest(value: Any) -> str:
    return hashlib.sha256(canonical(value)).hexdigest()


class PlannedAttachment(_Part):
    """How one VM holds a volume: controller, unit, sharing."""

    vm: str
    disk: str
    label: str
    bus: int = 0
    unit: int = 0
    bus_sharing: BusSharing = BusSharing.NONE
    multi_writer: bool = False


class PlannedDisk(_Part):
    """One volume: what it is, what it becomes, and the rule that decided."""

    volume: str
    size_bytes: int
    source: Backing
    target: Backing
    source_lun: str = ""
    target_lun: str = ""
    rule: str
    attachments: tuple[PlannedAttachment, ...]

    @property
    def converts(self) -> bool:
        """True when the backing changes between VMDK and RDM."""
        return self.source.is_rdm != self.target.is_rdm


class PlannedNic(_Part):
    """A network adapter and where it will be plugged."""

    label: str
    source: str
    target: str
    mac: str = ""
    adapter: str = ""


class PlannedVM(_Part):
    """A VM as it is to be built at the target."""

    id: str
    name: str
    cpus: int
    memory_bytes: int
    firmware: str = ""
    guest_os: str = ""
    powered_on: bool
    nics: tuple[PlannedNic, ...] = ()


class PlannedReason(_Part):
    """Why two VMs of a group move together."""

    a: str
    b: str
    why: str


class PlannedGroup(_Part):
    """A move group inside a wave."""

    name: str
    vms: tuple[str, ...]
    reasons: tuple[PlannedReason, ...] = ()


class Spread(_Part):
    """A quantity's median and 95th percentile."""

    p50: float
    p95: float


class PlannedEstimate(_Part):
    """What a wave is expected to take."""

    seed_h: Spread
    downtime_min: Spread


class PlannedTask(_Part):
    """What is to be done about one VM before its wave is seeded: all that one check found there.

    ``vm`` is empty when it is done once for several VMs of the wave; ``found`` says for how many then.
    ``id`` stays the same in every plan. ``due`` is ISO 8601 in UTC, empty without a window; ``fix`` is
    the step kind by which wherry does it itself, empty = a person's work.
    """

    id: str
    check: str
    vm: str
    title: str
    found: tuple[str, ...]
    remedy: str
    owner: str = ""
    effort_min: int
    outage: bool = False
    due: str = ""
    fix: str = ""


class Wave(_Part):
    """Groups that cut over in one window. ``boot`` is a list of batches, started in order."""

    name: str = Field(pattern=r"^[A-Za-z0-9._-]{1,40}$")
    title: str
    window: Window | None = None
    groups: tuple[PlannedGroup, ...]
    vms: tuple[PlannedVM, ...]
    boot: tuple[tuple[str, ...], ...]
    disks: tuple[PlannedDisk, ...]
    policies: Policies
    estimate: PlannedEstimate
    why: str = ""
    tasks: tuple[PlannedTask, ...] = ()

    @property
    def fingerprint(self) -> str:
        """SHA-256 over what this wave will do; titles, reasons, estimates and tasks before it don't count."""
        body = self.model_dump(mode="json", exclude={"title", "why", "estimate", "tasks"})
        for group in body["groups"]:
            del group["reasons"]
        for disk in body["disks"]:
            del disk["rule"]
        return _digest(body)

    @property
    def size_bytes(self) -> int:
        """Bytes of all volumes, shared ones once."""
        return sum(disk.size_bytes for disk in self.disks)

    @property
    def effort_min(self) -> int:
        """Minutes of work in all tasks."""
        return sum(task.effort_min for task in self.tasks)

    @property
    def outages(self) -> int:
        """VMs with a task that takes them down; all tasks of one VM share one outage."""
        return len({task.vm for task in self.tasks if task.outage})

    def subject(self, task: PlannedTask) -> str:
        """Return the name of the VM that a task is about, as it is; of a shared one that it is shared."""
        return self.vm(task.vm).name if task.vm else "(whole wave)"

    def vm(self, vm_id: str) -> PlannedVM:
        """Return the VM of that id; raises NotFound."""
        for vm in self.vms:
            if vm.id == vm_id:
                return vm
        raise NotFound(f"VM {vm_id} is not in wave {self.name}")


class Unplanned(_Part):
    """A VM that is in no wave, and why."""

    vm: str
    name: str
    why: str


class Score(_Part):
    """How good the plan is, beside the bound that limits it."""

    waves: int
    waves_bound: int
    order_violations: int
    hard_violations: int


class Plan(_Part):
    """An immutable plan. ``inventory`` and ``settings`` are the fingerprints it was made on."""

    schema_: Literal["wherry.plan/1"] = Field(SCHEMA, alias="schema")
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    project: str
    created_at: str
    inventory: str
    settings: str
    waves: tuple[Wave, ...]
    unplanned: tuple[Unplanned, ...] = ()
    score: Score
    notes: tuple[str, ...] = ()

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the whole content."""
        body = self.model_dump(mode="json", by_alias=True)
        for wave in body["waves"]:
            if not wave["tasks"]:  # plans from before there were tasks keep their fingerprint
                del wave["tasks"]
        return _digest(body)

    def wave(self, name: str) -> Wave:
        """Return the wave of that name, case ignored; raises NotFound."""
        for wave in self.waves:
            if wave.name.casefold() == name.casefold():
                return wave
        known = ", ".join(wave.name for wave in self.waves) or "none"
        raise NotFound(f"wave {name!r} does not exist in this plan", f"use one of: {known}")


def dump_plan(plan: Plan) -> str:
    """Return the plan file: the document with its fingerprints, indented."""
    body = plan.model_dump(mode="json", by_alias=True)
    body["wave_fingerprints"] = {wave.name: wave.fingerprint for wave in plan.waves}
    body["fingerprint"] = plan.fingerprint
    return json.dumps(body, indent=2, ensure_ascii=False) + "\n"


def load_plan(path: Path) -> Plan:
    """Read a plan file; raises BadInput, and PlanTampered when its fingerprint is wrong."""
    try:
        body = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}", "check the path") from error
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{path} is not a plan file: it holds no JSON", "export it again") from error
    if not isinstance(body, dict) or body.get("schema") != SCHEMA:
        raise BadInput(f"{path} is not a plan file of this version", f"it must say schema {SCHEMA}")
    claimed = body.pop("fingerprint", None)
    body.pop("wave_fingerprints", None)
    try:
        plan = Plan.model_validate(body)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadInput(f"{path} is not a valid plan at {where}: {first['msg']}", "export it again") from error
    if claimed != plan.fingerprint:
        raise PlanTampered(
            f"{path} was changed after it was exported: its fingerprint does not match its content",
            "export the plan again, and change plans with wherry, not by hand",
        )
    return plan

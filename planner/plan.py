"""The Plan document: what moves when, reviewed and signed.

A plan is immutable. Its fingerprint covers the whole content; a wave's fingerprint covers exactly
what the wave will do, so that changing another wave leaves an approval of this one valid. Both are
SHA-256 over canonical JSON (sorted keys, no blanks, UTF-8).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from planner.conduct import Part
from planner.conduct_planned import PlannedConduct
from planner.errors import NotFound
from planner.garbage import uncollected
from planner.model import Backing, BusSharing, LeftOut, RuleKind, Sending
from planner.score_card import Score as Score
from planner.score_card import Spread as Spread
from planner.score_card import Used as Used
from planner.settings import LATER_POLICIES, Policies, Window, drop_unset

SCHEMA: Literal["wherry.plan/1"] = "wherry.plan/1"
# Of a plan that leaves disks out: a reader that knows nothing of that would send them, and must refuse it.
SCHEMA_LEAVING_OUT: Literal["wherry.plan/2"] = "wherry.plan/2"
_EXPLAINING = (
    "proof",
    "mind",
    "way_back",
    "send_why",
    "send_who",
)  # words on a disk that change nothing of what is done


class _Signed(Part):
    """A part with a fingerprint, which is dear and worked out once: nothing of a part ever changes."""

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with the values of ``update``; its fingerprint is worked out anew."""
        copied = super().model_copy(update=update, deep=deep)
        copied.__dict__.pop("fingerprint", None)
        return copied


def canonical(value: Any) -> bytes:
    """Return the canonical JSON bytes that fingerprints are made of."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode(
        "utf-8", "surrogatepass"
    )


def _digest(value: Any) -> str:
    return hashlib.sha256(canonical(value)).hexdigest()


_NO_WAVES = b'"waves":[]}'  # ends the canonical JSON of a plan without them: no key comes after it


class PlannedAttachment(Part):
    """How one VM holds a volume: controller, unit, sharing."""

    vm: str
    disk: str
    label: str
    bus: int = 0
    unit: int = 0
    bus_sharing: BusSharing = BusSharing.NONE
    multi_writer: bool = False
    independent: bool = Field(False, description="several VMs write it, and their snapshots leave it out")


class PlannedDisk(Part):
    """One volume: what it is, what it becomes, and the rule that decided.

    ``proof`` compares the sectors of both sides, ``mind`` is what people have to look after and
    ``way_back`` how the disk returns. A VMDK that stays one has neither proof nor way back of its own.
    """

    volume: str
    size_bytes: int
    source: Backing
    target: Backing
    source_lun: str = ""
    target_lun: str = ""
    rule: str
    attachments: tuple[PlannedAttachment, ...]
    proof: str = ""
    mind: tuple[str, ...] = ()
    way_back: str = ""
    datastore: str = Field("", description="the target datastore or storage class; empty = nobody said")
    policy: str = Field("", description="the target storage policy; empty = the datastore's default")
    send: Sending = Field(Sending.ALWAYS, description="once: with the seed only; never: it arrives empty")
    send_why: str = Field("", description="why it is sent once or never")
    send_who: str = Field("", description="who decided that; empty = nobody said")

    @property
    def decision(self) -> LeftOut | None:
        """The person's decision that it travels once or never."""
        return LeftOut(self.send, self.send_why, self.send_who) if self.left_out else None

    @property
    def left_out(self) -> bool:
        """True when what it holds at the cutover does not travel, by a person's decision."""
        return self.send is not Sending.ALWAYS

    @property
    def converts(self) -> bool:
        """True when the backing changes between VMDK and RDM."""
        return self.source.is_rdm != self.target.is_rdm


class PlannedNic(Part):
    """A network adapter and where it will be plugged."""

    label: str
    source: str
    target: str
    mac: str = ""
    adapter: str = ""


class PlannedVM(Part):
    """A VM as it is to be built at the target."""

    id: str
    name: str
    cpus: int
    memory_bytes: int
    firmware: str = ""
    guest_os: str = ""
    powered_on: bool
    nics: tuple[PlannedNic, ...] = ()
    datastore: str = Field("", description="where its own files land; empty = nobody said")
    folder: str = Field("", description="the VM folder it lands in; empty = nobody said")
    pool: str = Field("", description="the resource pool it lands in; empty = its cluster's own")
    policy: str = Field(
        "", description="the storage policy of its own files; empty = the datastore's default"
    )


class PlannedRule(Part):
    """A DRS rule of the source that is built again at the target. ``vms`` are all it names, id → name.

    Groups are told by their names; ``affine`` says of one with hosts whether VMs run on them or elsewhere.
    """

    name: str
    kind: RuleKind
    vms: dict[str, str]
    enabled: bool = True
    mandatory: bool = False
    vm_group: str = ""
    host_group: str = ""
    affine: bool = True


class PlannedReason(Part):
    """Why two VMs of a group move together."""

    a: str
    b: str
    why: str


class Take(Part):
    """What one VM or one group takes alone: hours of seeding, minutes down, of these the last copy.

    ``what`` is a VM's id or a group's name; ``converges`` is False when it writes faster than the link
    carries.
    """

    what: str
    seed_h: Spread
    final_min: Spread
    downtime_min: Spread
    converges: bool


class PlannedGroup(Part):
    """A move group inside a wave."""

    name: str
    vms: tuple[str, ...]
    reasons: tuple[PlannedReason, ...] = ()


class PlannedEstimate(Part):
    """What a wave is expected to take."""

    seed_h: Spread
    downtime_min: Spread


class PlannedTask(Part):
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


class Wave(_Signed):
    """Groups that cut over in one window. ``boot`` is a list of batches, started in order."""

    name: str = Field(pattern=r"^[A-Za-z0-9._-]{1,40}$")
    title: str
    window: Window | None = None
    groups: tuple[PlannedGroup, ...]
    vms: tuple[PlannedVM, ...]
    boot: tuple[tuple[str, ...], ...]
    disks: tuple[PlannedDisk, ...]
    policies: Policies
    conduct: PlannedConduct = PlannedConduct()
    estimate: PlannedEstimate
    why: str = ""
    tasks: tuple[PlannedTask, ...] = ()
    rules: tuple[PlannedRule, ...] = Field((), description="DRS rules that name any of its VMs")
    takes: tuple[Take, ...] = Field((), description="what each VM, then each group takes alone")
    load: tuple[Used, ...] = Field((), description="how much of each cap it takes")
    overrun: float | None = Field(None, description="probability that it does not end in its window")

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over what this wave will do; titles, reasons, estimates and tasks before it don't count."""
        body = self.model_dump(
            mode="json", exclude={"title", "why", "estimate", "tasks", "takes", "load", "overrun"}
        )
        for group in body["groups"]:
            del group["reasons"]
        for disk in body["disks"]:
            for word in ("rule", *_EXPLAINING):
                del disk[word]
        _drop_unlanded(body)
        for rule in body["rules"]:
            rule["vms"] = sorted(rule["vms"])  # what others are called changes nothing
        _drop_unsaid(body, ("rules",))
        _keep_said(self, body)
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


class Unplanned(Part):
    """A VM that is in no wave, and why."""

    vm: str
    name: str
    why: str


def leaves_out(waves: Iterable[Wave]) -> bool:
    """Return whether a disk of these waves is sent once or never."""
    return any(disk.left_out for wave in waves for disk in wave.disks)


# Entries that came later: an older plan, which has none of them, keeps its fingerprint.
_LATER_PLAN = ("seed", "effort", "after", "by_hand", "method")
_LATER_WAVE = ("tasks", "rules", "takes", "load", "overrun")
_LATER_SCORE = (
    *("makespan_h", "makespan_bound_h", "cut_share", "stretch_gb", "peak_share", "latency_violations"),
    *("baseline", "binds", "utilisation", "risk_ramp", "stability", "makespan_spread_h"),
)


def _drop_unsaid(body: dict[str, Any], names: tuple[str, ...]) -> None:
    for name in names:
        if body[name] in (None, "", [], {}, 0, Sending.ALWAYS):
            del body[name]


def _drop_unlanded(wave: dict[str, Any]) -> None:
    for vm in wave["vms"]:
        _drop_unsaid(vm, ("datastore", "folder", "pool", "policy"))
    for disk in wave["disks"]:
        _drop_unsaid(disk, ("datastore", "policy", "send"))
        for held in disk["attachments"]:
            _drop_unsaid(held, ("independent",))


def _keep_said(wave: Wave, body: dict[str, Any]) -> None:
    """Leave of a wave's conduct what was said: entries that come later leave older approvals valid.

    So it is with those of its policies that came later.
    """
    body["conduct"] = wave.conduct.model_dump(mode="json", exclude_defaults=True)
    _drop_unsaid(body, ("conduct",))
    drop_unset(wave.policies, body["policies"], LATER_POLICIES)


def _said(wave: Wave) -> dict[str, Any]:
    """Return a wave as the fingerprint of its plan covers it."""
    body = wave.model_dump(mode="json")
    _drop_unsaid(body, _LATER_WAVE)
    _drop_unlanded(body)
    _keep_said(wave, body)
    for disk in body["disks"]:
        _drop_unsaid(disk, _EXPLAINING)
    return body


class Plan(_Signed):
    """An immutable plan. ``inventory`` and ``settings`` are the fingerprints it was made on."""

    schema_: Literal["wherry.plan/1", "wherry.plan/2"] = Field(SCHEMA, alias="schema")
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    project: str
    created_at: str
    inventory: str
    settings: str
    waves: tuple[Wave, ...]
    unplanned: tuple[Unplanned, ...] = ()
    score: Score
    notes: tuple[str, ...] = ()
    seed: int | None = Field(None, description="of everything that was drawn; the same gives the same plan")
    effort: str = ""
    after: str = Field("", description="fingerprint of the plan it was to stay near")
    by_hand: tuple[str, ...] = Field((), description="edits of people that the plan keeps, oldest first")
    method: tuple[str, ...] = Field((), description="how the waves were found, one sentence each")

    @model_validator(mode="after")
    def _says_what_is_left_out(self) -> Self:
        if self.schema_ == SCHEMA and leaves_out(self.waves):
            raise ValueError(f"disks are left out by decision: the schema must be {SCHEMA_LEAVING_OUT}")
        return self

    @cached_property
    @uncollected()
    def fingerprint(self) -> str:
        """SHA-256 over the whole content."""
        body = self.model_dump(mode="json", by_alias=True, exclude={"waves"}) | {"waves": []}
        _drop_unsaid(body, _LATER_PLAN)
        _drop_unsaid(body["score"], _LATER_SCORE)
        head = canonical(body)
        assert head.endswith(_NO_WAVES)
        found = hashlib.sha256(head[:-2])
        # Wave by wave: as one body, 100,000 VMs are gigabytes.
        for number, wave in enumerate(self.waves):
            found.update(b"," * (number > 0) + canonical(_said(wave)))
        found.update(head[-2:])
        return found.hexdigest()

    def wave(self, name: str) -> Wave:
        """Return the wave of that name, case ignored; raises NotFound."""
        for wave in self.waves:
            if wave.name.casefold() == name.casefold():
                return wave
        raise no_wave(name, [wave.name for wave in self.waves])


def no_wave(name: str, known: list[str]) -> NotFound:
    """Return the error of a wave that a plan does not have; ``known`` are those it has."""
    return NotFound(f"wave {name!r} does not exist in this plan", f"use one of: {', '.join(known) or 'none'}")

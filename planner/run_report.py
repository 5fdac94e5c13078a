"""The run report as a document: what was done to a wave, what was planned, and what proves it.

Its JSON Schema is published as ``planner/schemas/run-report.schema.json``; ``migrate.papers`` reads it from
the record. A time is ISO 8601 in UTC, the moment an entry became durable; a duration is in seconds. What
nobody knows is None or empty, and then a text beside it says why.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

SCHEMA = "wherry.run-report/2"

Hash = Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class StepLine(_Part):
    """One step: when it began and ended, how often it was tried, what it said."""

    step: str
    kind: str
    title: str
    effect: str
    status: str
    begun: str
    ended: str
    seconds: float | None
    attempts: int
    said: str


class DiskProof(_Part):
    """The digests of one volume at the cutover, empty when it was not compared.

    A disk that is ``left_out`` by decision never is.
    """

    disk: str
    volume: str
    size_bytes: int
    was: str
    became: str
    source_digest: str = Field(description="BLAKE3 of the whole disk, made where it is")
    target_digest: str
    equal: bool
    left_out: str = Field("", description="who decided that it is sent once or never, and why")
    table: str = Field("", description="what its partition table says, where it lies on more than it had")


class Figures(_Part):
    """Planned and achieved RTO and RPO of a VM, a group or the wave, in seconds; of several the worst counts.

    The RTO is from the stop at the one site to the last answer of the probes that count at the other. The
    RPO before the cutover is the age at the stop of the newest whole copy; that of the cutover itself is 0
    when the last copy was taken after the stop and every byte was compared. ``back_s`` is how long it was
    down until it ran again where it was. None is not known, and the text beside it says why.
    """

    id: str
    name: str
    rto_s: float | None
    rto_why: str
    rto_planned_p50_s: float | None
    rto_planned_p95_s: float | None
    rto_planned_by: str = Field(description="whose figure it is, or why there is none")
    rpo_s: float | None
    rpo_why: str
    rpo_target_s: float | None
    cutover_rpo_s: float | None
    cutover_rpo_why: str
    back_s: float | None


class Window(_Part):
    """When the cutover was to be, and when it was: from passing the go gate until all was landed or back.

    ``first_probe_s`` is from the first stop of a VM to the first probe that one passed at the other site.
    """

    planned_start: str
    planned_end: str
    planned_s: float | None
    start: str
    end: str
    seconds: float | None
    said: str
    first_probe_s: float | None
    first_probe_why: str


class PhaseTime(_Part):
    """One phase: planned and actual duration. ``planned_by`` says whose figure that is, or that it has none.

    A phase is from the begin of its first step to the end of its last, so phases overlap where VMs do not
    wait for each other. ``said`` is what else there is to know.
    """

    phase: str
    planned_p50_s: float | None
    planned_p95_s: float | None
    planned_by: str
    begun: str
    ended: str
    seconds: float | None
    said: str


class Deviation(_Part):
    """What went another way than planned, as a sentence; ``at`` and ``step`` are empty where it has none."""

    kind: str
    at: str
    step: str
    said: str


class Probe(_Part):
    """What was asked of a VM, and what came back."""

    vm: str
    step: str
    asked: str
    status: str
    answer: str
    at: str
    waited_s: float | None
    times: int | None
    optional: bool


class GateWord(_Part):
    """One person's word at a gate."""

    verdict: str
    who: str = Field(description="the login, as the kernel told it")
    uid: int
    at: str
    plan_hash: str
    ticket: str
    reason: str
    counts: bool = Field(description="it is on what this run does")
    witnessed: bool = Field(description="the audit chain has a line of it")


class Gate(_Part):
    """A gate or a human step: when and on whose word it was passed, and all that was said at it."""

    gate: str
    title: str
    kind: Literal["gate", "human"]
    status: str
    passed_at: str
    who: str
    plan_hash: str
    policy: str = Field(description="what the approved plan's policy did here, empty for people's words")
    recovered: bool
    words: tuple[GateWord, ...]


class Hook(_Part):
    """A program of the conduct."""

    step: str
    title: str
    status: str
    at: str
    said: str


class AuditHead(_Part):
    """The end of the audit chain when this was printed; ``broken_at`` is what checking all of it found."""

    digest: Hash
    lines: int
    verified: bool
    broken_at: int | None


class Bar(_Part):
    """A stretch of time in the timeline; without ``ended`` it was under way when this was printed."""

    phase: str
    begun: str
    ended: str


class Row(_Part):
    """One line of the timeline: the wave and its groups over the whole run, its VMs in the cutover."""

    name: str
    kind: Literal["wave", "group", "vm"]
    bars: tuple[Bar, ...]


class Mark(_Part):
    """A gate or human step that was passed, in the timeline."""

    name: str
    at: str


class Kept(_Part):
    """A checkpoint that a rollback kept of what the target wrote."""

    name: str
    bytes: int
    path: str


class RehearsalLine(_Part):
    """One rehearsal of the wave; ``same_plan`` when it was of exactly what this run does."""

    at: str
    who: str
    depth: str
    verdict: str
    notes: str
    plan: int
    plan_hash: str
    same_plan: bool


class CycleLine(_Part):
    """One whole copy before the cutover; ``instant`` is what a loss of the source would have led back to."""

    group: str
    number: int
    instant: str
    ended: str
    data_bytes: int
    wire_bytes: int


class OtherRun(_Part):
    """Another run of the same wave."""

    run: int
    kind: str
    begun: str
    state: str


class RunReport(_Part):
    """Everything about one run of one wave."""

    schema_: Literal["wherry.run-report/2"] = Field(alias="schema")
    project: str
    wave: str
    title: str
    kind: Literal["wave", "failback"]
    run: int
    state: str
    over: bool = Field(description="False: under way, what is here may still change")
    missing: tuple[str, ...] = Field(description="of a run under way: what is still to come")
    recovered: bool = Field(description="the record was rebuilt after a loss: evidence is lost")
    plan: int
    fingerprint: str = Field(description="of what this run does")
    approved_by: str
    approved_at: str
    begun: str
    begun_by: str
    ended: str
    printed: str
    audit: AuditHead
    window: Window
    objectives: Figures
    groups: tuple[Figures, ...]
    vms: tuple[Figures, ...]
    phases: tuple[PhaseTime, ...]
    deviations: tuple[Deviation, ...]
    looked_for: tuple[str, ...] = Field(description="the kinds of deviations that were looked for")
    not_looked_for: tuple[str, ...] = Field(description="what the record cannot tell")
    gates: tuple[Gate, ...]
    disks: tuple[DiskProof, ...]
    probes: tuple[Probe, ...]
    hooks: tuple[Hook, ...]
    rows: tuple[Row, ...]
    marks: tuple[Mark, ...]
    kept: tuple[Kept, ...]
    rehearsals: tuple[RehearsalLine, ...] = Field(description="the newest first")
    reminder: str = Field(description="why the wave should be rehearsed (again), empty when not")
    cycles: tuple[CycleLine, ...]
    others: tuple[OtherRun, ...] = Field(description="other runs of the wave, oldest first")
    steps: tuple[StepLine, ...]

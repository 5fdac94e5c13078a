"""The project's settings: one validated document, spoken in TOML.

Everything a plan depends on besides the inventory is here: sites, link, windows, freezes, caps,
owners, pins, maps and policies. Every default is explained where it stands. Passwords never are.
What contradicts itself is refused at once, by the name of the entry.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from planner.conduct import Conduct
from planner.conduct_planned import said_of
from planner.destinations import same_path_twice
from planner.journal_room import checked_room
from planner.model import Method
from planner.settings_notices import Notices
from planner.settings_sites import Site as Site
from planner.settings_spreading import Spreading
from planner.settings_transfers import Transfers


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"time zone {name!r} does not exist") from error
    return name


Zone = Annotated[str, AfterValidator(_known_zone)]
Named = Annotated[str, Field(min_length=1)]
Room = Annotated[str, AfterValidator(checked_room), Field(max_length=40)]
_LONGEST_DAYS = 3660  # of windows that come back


Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[str, ...] = get_args(Weekday)


class Hours(_Part):
    """Hours of some days of the week in which migration may use another part of the line."""

    days: tuple[Weekday, ...] = Field(("monday", "tuesday", "wednesday", "thursday", "friday"), min_length=1)
    first: int = Field(ge=0, le=23, description="the hour it begins")
    until: int = Field(ge=1, le=24, description="the hour it ends")
    share: float = Field(ge=0, le=1)

    @model_validator(mode="after")
    def _forward(self) -> Hours:
        if self.until <= self.first:
            raise ValueError(f"the hours from {self.first} until {self.until} end before they start")
        return self


class Link(_Part):
    """The line between the sites."""

    rate_mbit: float = Field(1000.0, gt=0, description="line rate in Mbit/s")
    share: float = Field(0.7, gt=0, le=1, description="part of the line that migration may use")
    hours: tuple[Hours, ...] = Field((), description="another share at some hours; the last one said counts")
    zone: Zone = Field("UTC", description="the zone of these hours")
    reserve_mbit: float = Field(
        0.0, ge=0, description="kept free for applications whose ends are apart; 0 = none is kept"
    )

    @model_validator(mode="after")
    def _something_left(self) -> Link:
        if self.reserve_mbit >= self.rate_mbit:
            raise ValueError(f"a reserve of {self.reserve_mbit:g} Mbit/s leaves nothing of the line")
        return self


class Window(_Part):
    """A time in which a wave may cut over. Times without an offset are read in ``zone``."""

    start: datetime
    hours: float = Field(6.0, gt=0, le=72)
    zone: Zone = "UTC"

    @property
    def start_utc(self) -> datetime:
        """Start as aware UTC time."""
        start = self.start if self.start.tzinfo else self.start.replace(tzinfo=ZoneInfo(self.zone))
        return start.astimezone(ZoneInfo("UTC"))

    @property
    def end_utc(self) -> datetime:
        """End as aware UTC time."""
        return self.start_utc + timedelta(hours=self.hours)


class Recurring(_Part):
    """A window that comes back: on a day of the week, from the day ``first`` until the day ``until``."""

    every: Weekday
    at: time = Field(time(22), description="when it begins: maintenance is usually at night")
    hours: float = Field(6.0, gt=0, le=72)
    first: date
    until: date
    zone: Zone = "UTC"
    of_month: tuple[Literal[1, 2, 3, 4, 5], ...] = Field((), description="which of the month; empty = all")

    @model_validator(mode="after")
    def _forward(self) -> Recurring:
        if self.until < self.first:
            raise ValueError(f"windows from {self.first} until {self.until} end before they start")
        if (self.until - self.first).days > _LONGEST_DAYS:
            raise ValueError(f"windows from {self.first} until {self.until} are more than ten years")
        if self.at.tzinfo is not None:
            raise ValueError("the time of day has an offset: name the zone instead")
        return self

    def windows(self) -> Iterator[Window]:
        """Yield its windows in order of time."""
        day = self.first + timedelta((WEEKDAYS.index(self.every) - self.first.weekday()) % 7)
        while day <= self.until:
            if not self.of_month or (day.day + 6) // 7 in self.of_month:
                yield Window(start=datetime.combine(day, self.at), hours=self.hours, zone=self.zone)
            day += timedelta(days=7)


class Holiday(_Part):
    """A day on which nothing may cut over, in the zone of each window."""

    day: date
    name: str = ""


class Freeze(_Part):
    """A time in which nothing may cut over; with ``only`` nothing of those applications, owners or VMs."""

    start: datetime
    end: datetime = Field(description="a day without a time is frozen to its end")
    why: str = ""
    zone: Zone = "UTC"
    only: tuple[str, ...] = Field((), description="applications, owners or VMs; empty = everybody")

    @field_validator("end", mode="before")
    @classmethod
    def _whole_day(cls, said: object) -> object:
        """A day without a time is over when it is over, not when it begins."""
        day = said
        if isinstance(day, str):
            try:
                day = date.fromisoformat(day.strip())
            except ValueError:
                return said
        if isinstance(day, date) and not isinstance(day, datetime) and day < date.max:
            return datetime.combine(day + timedelta(days=1), time())
        return said

    @model_validator(mode="after")
    def _forward(self) -> Freeze:
        if self.end_utc <= self.start_utc:
            raise ValueError("a freeze ends before it starts")
        return self

    @property
    def start_utc(self) -> datetime:
        """Start as aware UTC time."""
        return Window(start=self.start, zone=self.zone).start_utc

    @property
    def end_utc(self) -> datetime:
        """End as aware UTC time."""
        return Window(start=self.end, zone=self.zone).start_utc


class Caps(_Part):
    """What fits into one wave. Those without a default are no caps until they are set."""

    vms: int = Field(50, ge=1, description="VMs per wave: a team's usual weekend is 30 to 50")
    tib: float = Field(8.0, gt=0, description="provisioned TiB per wave")
    cutovers: int | None = Field(None, ge=1, description="move groups per wave")
    engineer_hours: float | None = Field(None, gt=0, description="hours of people's work per wave")
    groups_per_owner: int | None = Field(None, ge=1, description="move groups of one owner per wave")
    groups_per_team: int | None = Field(None, ge=1, description="move groups of one team per wave")
    tib_per_datastore: float | None = Field(None, gt=0, description="TiB read from one datastore per wave")
    disks_per_host: int | None = Field(None, ge=1, description="disks read on one host per wave")


class Pin(_Part):
    """A person's word on where something moves: ``what`` is a VM or a move group."""

    what: str = Field(min_length=1)
    wave: str = Field(
        min_length=1,
        description="the name of a wave (W03), or when its window begins: 2026-10-03 or with a time",
    )


class Pair(_Part):
    """Two VMs, move groups or applications that must not cut over together."""

    a: str
    b: str
    why: str = ""

    @model_validator(mode="after")
    def _two(self) -> Pair:
        if self.a == self.b:
            raise ValueError(f"{self.a!r} cannot be kept apart from itself")
        return self


class Target(_Part):
    """What is free at the target; what is not said is taken from the target's inventory, if there is one."""

    vcpus: float | None = Field(None, gt=0, description="virtual processors it may carry in addition")
    memory_gib: float | None = Field(None, gt=0)
    storage_tib: float | None = Field(None, gt=0)
    spare_hosts: int = Field(1, ge=0, le=16, description="largest hosts of each cluster kept free: N+1")
    vcpus_per_core: float = Field(
        4.0, gt=0, description="how far processors are shared, where cores are known"
    )


class Remap(_Part):
    """A person's word on one disk, overriding the rule. ``disk`` is ``VM name or id/disk label or key``."""

    disk: str
    to: Literal["keep", "vmdk", "rdm-physical", "rdm-virtual"]
    lun: str = ""


class Send(_Part):
    """A person's decision that a disk travels once, with its seed, or never. ``disk`` is as in a remap."""

    disk: str
    send: Literal["once", "never"] = Field(
        description="once: with the first copy, later changes stay behind; never: it arrives empty"
    )
    why: Named = Field(description="what is on it that may be left behind, for those who read the plan")
    who: str = Field("", description="who decided; empty = nobody said")


class Lun(_Part):
    """A LUN at the target that wherry may map."""

    name: str
    size_bytes: int = Field(gt=0)


class Policies(_Part):
    """How runs behave."""

    delta_cycles: int = Field(2, ge=1, le=20, description="deltas before the cutover gate")
    cycle_min: float = Field(
        15.0,
        ge=0,
        le=10080,
        description="minutes between deltas until the cutover, 0 = none",
    )
    rpo_min: float = Field(60.0, ge=0, le=43200, description="minutes that a copy may be old, 0 = no matter")
    stop_timeout_s: float = Field(300.0, gt=0, description="graceful shutdown, then forced power-off")
    probe_timeout_s: float = Field(300.0, gt=0, description="a VM must answer its probe within this")
    commit_window_h: float = Field(24.0, ge=0.08, le=168, description="time to decide after cutover")
    physical_rdm: Literal["vmdk", "keep"] = Field("vmdk", description="what becomes of a physical RDM")
    block_kib: Literal[64, 128, 256, 512, 1024] = Field(1024, description="block size of a seed")
    zstd_level: int = Field(1, ge=0, le=19, description="compression on the wire, 0 = none")
    history_h: float = Field(24.0, ge=0, le=720, description="hours checkpoints reach back, 0 = keep none")
    journal_limit: Room = Field("100%", description="what a group's journal may take, of its disks")
    journal_warning: Room = Field("", description="from where on it is a warning; empty = 75% of the limit")


class Remedies(_Part):
    """How findings are cleared before a wave."""

    owner: str = Field("", description="who gets a task when neither VM nor application names an owner")
    hardware_version: int = Field(
        15, ge=7, le=22, description="what old virtual hardware is upgraded to; 15 needs ESXi 6.7 U2"
    )


class Settings(_Part):
    """All settings of a project."""

    sites: dict[str, Site] = Field(default_factory=dict)
    method: Method = Field(Method.WARM, description="how VMs are moved: warm (running) or cold (off)")
    link: Link = Link()
    windows: tuple[Window, ...] = ()
    recurring: tuple[Recurring, ...] = ()
    freezes: tuple[Freeze, ...] = ()
    holidays: tuple[Holiday, ...] = ()
    caps: Caps = Caps()
    waves: Spreading = Spreading()
    target: Target = Target()
    pins: tuple[Pin, ...] = Field((), description="where a VM or a move group moves, by a person's word")
    apart: tuple[Pair, ...] = Field((), description="what must not cut over together")
    owners: dict[str, str] = Field(default_factory=dict, description="application → owner")
    teams: dict[str, str] = Field(default_factory=dict, description="owner → team")
    networks: dict[str, str] = Field(default_factory=dict, description="source network → target network")
    datastores: dict[str, Named] = Field(
        default_factory=dict, description="source datastore → target datastore, or storage class"
    )
    folders: dict[str, Named] = Field(
        default_factory=dict,
        description="source VM folder → target VM folder; the longest path decides, folders in it come along",
    )
    pools: dict[str, Named] = Field(
        default_factory=dict,
        description="source resource pool → target resource pool; the longest path decides, for pools in it "
        "too; without a map: the cluster's own pool",
    )
    storage_policies: dict[str, Named] = Field(
        default_factory=dict,
        description="source storage policy → target storage policy; without a map: the datastore's default",
    )
    shared_services: tuple[str, ...] = Field((), description="VM names everyone needs; they move last")
    exclude: tuple[str, ...] = Field((), description="VM names that stay")
    remaps: tuple[Remap, ...] = ()
    sends: tuple[Send, ...] = Field((), description="disks of swap or temporary files, sent once or never")
    luns: tuple[Lun, ...] = Field((), description="LUNs zoned to the target and free to use")
    policies: Policies = Policies()
    transfers: Transfers = Transfers()
    notices: Notices = Notices()
    remedies: Remedies = Remedies()
    conduct: Conduct = Conduct()

    @model_validator(mode="after")
    def _one_site_per_role(self) -> Settings:
        roles = [site.role for site in self.sites.values()]
        for role in ("source", "target"):
            if roles.count(role) > 1:
                raise ValueError(f"two sites have the role {role}")
        return self

    @model_validator(mode="after")
    def _one_pin_each(self) -> Settings:
        said: dict[str, str] = {}
        for pin in self.pins:
            if said.setdefault(pin.what, pin.wave) != pin.wave:
                raise ValueError(f"{pin.what!r} is pinned to {said[pin.what]} and to {pin.wave}")
        return self

    @model_validator(mode="after")
    def _one_map_each(self) -> Settings:
        for noun, paths in (("folder", self.folders), ("pool", self.pools)):
            if twice := same_path_twice(paths):
                raise ValueError(f"{twice[0]!r} and {twice[1]!r} are one {noun}, mapped twice")
        return self

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the settings that shape a plan; where sites are and how disks travel doesn't count.

        Entries that came later count once they are set, so that older plans keep their settings.
        """
        body = self.model_dump(mode="json", exclude={"sites", "transfers", "notices"})
        body["conduct"] = said_of(self.conduct)
        if not body["conduct"]:
            del body["conduct"]
        drop_unset(self, body, _LATER)
        drop_unset(self.caps, body["caps"], _LATER_CAPS)
        drop_unset(self.policies, body["policies"], LATER_POLICIES)
        drop_unset(self.link, body["link"], ("hours", "zone", "reserve_mbit"))
        for freeze, said in zip(self.freezes, body["freezes"], strict=True):
            drop_unset(freeze, said, ("only",))
        return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


_LATER = (
    *("recurring", "holidays", "waves", "target", "pins", "apart", "teams", "datastores", "folders"),
    *("sends", "pools", "storage_policies"),
)
LATER_POLICIES = ("cycle_min", "rpo_min", "history_h", "journal_limit", "journal_warning")
_LATER_CAPS = (
    "cutovers",
    "engineer_hours",
    "groups_per_owner",
    "groups_per_team",
    "tib_per_datastore",
    "disks_per_host",
)


def drop_unset(part: BaseModel, body: dict[str, Any], names: tuple[str, ...]) -> None:
    """Leave out of a part's plain ``body`` those of ``names`` that are as they are where nobody said so."""
    fields = type(part).model_fields
    for name in names:
        if getattr(part, name) == fields[name].get_default(call_default_factory=True):
            del body[name]

"""The project's settings: one validated document, spoken in TOML.

Everything a plan depends on besides the inventory is here: sites, link, windows, freezes, caps,
owners, maps and policies. Every default is explained where it stands. Passwords never are.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from planner.model import Method


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"time zone {name!r} does not exist") from error
    return name


Zone = Annotated[str, AfterValidator(_known_zone)]


class Site(_Part):
    """A place VMs leave or reach: ``lab:DIR``, ``simulated:`` or ``vcenter://USER@HOST``."""

    url: str
    role: Literal["source", "target"]

    @field_validator("url")
    @classmethod
    def _scheme(cls, url: str) -> str:
        if not url.startswith(("lab:", "simulated:", "vcenter://")):
            raise ValueError(f"site url {url!r} starts with none of lab:, simulated:, vcenter://")
        return url


class Link(_Part):
    """The line between the sites."""

    rate_mbit: float = Field(1000.0, gt=0, description="line rate in Mbit/s")
    share: float = Field(0.7, gt=0, le=1, description="part of the line that migration may use")


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


class Freeze(_Part):
    """A time in which nothing may cut over."""

    start: datetime
    end: datetime
    why: str = ""
    zone: Zone = "UTC"

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
    """What fits into one wave."""

    vms: int = Field(50, ge=1, description="VMs per wave: a team's usual weekend is 30 to 50")
    tib: float = Field(8.0, gt=0, description="provisioned TiB per wave")


class Remap(_Part):
    """A person's word on one disk, overriding the rule. ``disk`` is ``VM name or id/disk label or key``."""

    disk: str
    to: Literal["keep", "vmdk", "rdm-physical", "rdm-virtual"]
    lun: str = ""


class Lun(_Part):
    """A LUN at the target that wherry may map."""

    name: str
    size_bytes: int = Field(gt=0)


class Policies(_Part):
    """How runs behave."""

    delta_cycles: int = Field(2, ge=1, le=20, description="deltas before the cutover gate")
    stop_timeout_s: float = Field(300.0, gt=0, description="graceful shutdown, then forced power-off")
    probe_timeout_s: float = Field(300.0, gt=0, description="a VM must answer its probe within this")
    commit_window_h: float = Field(24.0, ge=0.08, le=168, description="time to decide after cutover")
    physical_rdm: Literal["vmdk", "keep"] = Field("vmdk", description="what becomes of a physical RDM")
    block_kib: Literal[64, 128, 256, 512, 1024] = Field(1024, description="block size of a seed")
    zstd_level: int = Field(1, ge=0, le=19, description="compression on the wire, 0 = none")


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
    freezes: tuple[Freeze, ...] = ()
    caps: Caps = Caps()
    owners: dict[str, str] = Field(default_factory=dict, description="application → owner")
    networks: dict[str, str] = Field(default_factory=dict, description="source network → target network")
    shared_services: tuple[str, ...] = Field((), description="VM names everyone needs; they move last")
    exclude: tuple[str, ...] = Field((), description="VM names that stay")
    remaps: tuple[Remap, ...] = ()
    luns: tuple[Lun, ...] = Field((), description="LUNs zoned to the target and free to use")
    policies: Policies = Policies()
    remedies: Remedies = Remedies()

    @model_validator(mode="after")
    def _one_site_per_role(self) -> Settings:
        roles = [site.role for site in self.sites.values()]
        for role in ("source", "target"):
            if roles.count(role) > 1:
                raise ValueError(f"two sites have the role {role}")
        return self

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the settings that shape a plan; sites are where, not what, and don't count."""
        body = self.model_dump(mode="json", exclude={"sites"})
        return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()

"""Settings of sites: where they are, and what this machine has to reach a vCenter's disks by."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator


class Site(BaseModel):
    """A place VMs leave or reach: ``lab:DIR``, ``simulated:`` or ``vcenter://USER@HOST``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str
    role: Literal["source", "target"]
    mounts: dict[str, Annotated[str, Field(min_length=1)]] = Field(
        default_factory=dict, description="of a vCenter: datastore → where this machine has it mounted"
    )
    vddk: str = Field("", description="of a vCenter: the folder of your VDDK here, for disks over NBD")
    devices: str = Field(
        "/", description="of a vCenter: where dev and sys of this machine are, for a mover in a container"
    )
    mover: str = Field("", description="of a vCenter: the VM that this machine is, for hot-add")
    carrier: str = Field(
        "", description="of a vCenter: a VM that is off and has replicas while they are written over NBD"
    )
    disks: Literal["thin", "thick", "eager"] = Field(
        "thin", description="of a vCenter: how new VMDKs take their room; eager = zeroed at once"
    )

    @field_validator("url")
    @classmethod
    def _scheme(cls, url: str) -> str:
        if not url.startswith(("lab:", "simulated:", "vcenter://")):
            raise ValueError(f"site url {url!r} starts with none of lab:, simulated:, vcenter://")
        return url

"""Settings of transfers: compression, the throttle of the line, patience, who goes first. They shape no plan.

A run looks at them anew while it goes on, so a change counts within a second.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Priority(BaseModel):
    """A wave or a move group that gets more of the line, or less, than others while it is short."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    what: str = Field(
        min_length=1, description="the name of a wave or a move group; the group counts before its wave"
    )
    weight: float = Field(
        gt=0, le=100, description="its part against others, which have 1; nobody gets nothing"
    )


class Transfers(BaseModel):
    """How disks travel. It shapes no plan, and a change counts for transfers under way."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    adapts: bool = Field(
        True,
        description="compression follows whichever binds, line or processor, and begins at "
        "policies.zstd_level; no = it stays there. Level 0 stays in any case",
    )
    dedupe: bool = Field(
        True,
        description="a first copy leaves out what the target site holds on any disk of this project; it "
        "is read and hashed there, never assumed",
    )
    throttle: bool | None = Field(
        None,
        description="hold transfers to the share of the line at each hour; empty = as soon as the line is "
        "another one than the default",
    )
    limit_mbit: float | None = Field(
        None,
        gt=0,
        description="Mbit/s for all transfers together, however much the calendar of the line allows; "
        "empty = no limit of their own",
    )
    disks: int = Field(
        1, ge=1, le=16, description="copied at once in a run; more need more memory, 30 MiB each"
    )
    disks_per_host: int | None = Field(
        None, ge=1, description="of these, read through one host; hosts nobody knows count as one"
    )
    disks_per_datastore: int | None = Field(None, ge=1, description="of these, read from one datastore")
    patience_s: float = Field(
        900.0,
        ge=0,
        le=86400,
        description="for so long a transfer or a comparison is tried again when nobody answers, and nothing "
        "moved; 0 = a person is asked at once",
    )
    snapshot_floor: float = Field(
        2.0,
        ge=0,
        le=4,
        description="% of a source's datastore: with less free, or all of it gone within five minutes at the "
        "pace at which it fills up, a run ends the passes that read from a snapshot there, removes the "
        "snapshot and waits for room; 0 = never, even if the datastore runs full",
    )
    priorities: tuple[Priority, ...] = Field((), description="who gets more of the line while it is short")

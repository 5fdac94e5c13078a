"""Settings of how waves are spread over the calendar: begin and end, pilots, order, what moves whole."""

from __future__ import annotations

from collections import Counter
from datetime import date

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Spreading(BaseModel):
    """How waves are spread over the calendar."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    starts: date | None = Field(None, description="the day work begins; nothing is seeded before it")
    exit: date | None = Field(
        None,
        description="the day by which the source must be empty; no wave gets a window that ends after it",
    )
    lead_days: int = Field(
        14, ge=0, le=365, description="from the begin of work to the first cutover: seeding begins at T-14"
    )
    soak_days: float = Field(
        0.0, ge=0, le=90, description="least days between two waves; 0 = as windows come"
    )
    environments: tuple[str, ...] = Field(
        ("dev", "test", "uat", "prod"),
        description="of one application, each moves a wave after the one before it; empty = no such order",
    )
    whole_applications: bool = Field(
        True, description="an environment of an application shares a wave where the caps allow"
    )
    whole_networks: tuple[str, ...] = Field(
        (), description="networks that cannot be stretched: all their VMs move in one wave"
    )
    pilots: tuple[str, ...] = Field((), description="VMs that go first, in a wave of their own")
    pilot_vms: int = Field(
        0, ge=0, le=50, description="or so many VMs of low risk; 3 to 5 is usual, 0 = none"
    )
    vm_hours: float = Field(1.0, ge=0, description="people's work per VM at its cutover, tests included")

    @model_validator(mode="after")
    def _sensible(self) -> Spreading:
        names = [name.casefold() for name in self.environments]
        if twice := [name for name, count in Counter(names).items() if count > 1]:
            raise ValueError(f"environment {twice[0]!r} stands twice in the order")
        if self.starts and self.exit and self.exit <= self.starts:
            raise ValueError(f"the exit on {self.exit} is not after the begin of work on {self.starts}")
        return self

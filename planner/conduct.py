"""How a cutover is conducted: probes, hooks, gates and what ends the commit window.

    Conduct ─┬─ probes   when is a VM well, beside its power state
             ├─ hooks    programs and human steps at a place of the runbook
             ├─ gates    who has to say go and commit, and with what words
             ├─ nics, subnets   which addresses the guests get (``conduct_addressing``)
             └─ ending   what happens when the commit window is over

It is part of the settings; what of it concerns a wave is planned (``conduct_planned``) and signed with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from planner.conduct_addressing import AddressedNic, SubnetMap
from planner.ticket import compile_ticket

_T = TypeVar("_T")


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ProbeKind(StrEnum):
    """What a probe asks."""

    POWER = "power"  # the VM runs
    TOOLS = "tools"  # the tools in the guest answer
    TCP = "tcp"  # a port can be connected to
    HTTP = "http"  # a URL answers with a status, and a word in its text
    TLS = "tls"  # the certificate is valid for the name and some days longer
    COMMAND = "command"  # a program ends with 0: SQL clients, scripts


class ProbeRule(Part):
    """What one probe asks. ``host``, ``url`` and ``argv`` may hold ``{vm}``, ``{address}`` and ``{id}``."""

    name: str = Field(min_length=1, max_length=80)
    kind: ProbeKind
    host: str = Field("{address}", description="where to connect: {vm} is its name, {address} its first one")
    port: int = Field(0, ge=0, le=65535)
    url: str = Field("", description="of http: may hold {vm} and {address}")
    status: int = Field(200, ge=100, le=599)
    holds: str = Field("", description="of http: words that its text must hold")
    days: int = Field(0, ge=0, description="of tls: days that the certificate must still be valid")
    trust: str = Field(
        "",
        description="of tls and https: a file of certificates to trust instead of the system's; "
        "'expiry-only' reads the date of whatever certificate is shown and trusts nobody",
    )
    argv: tuple[str, ...] = Field((), description="of command: a program and its arguments, no shell")
    every_s: float = Field(1.0, gt=0, le=60)
    timeout_s: float = Field(0.0, ge=0, description="0 = that of the policies")
    optional: bool = Field(False, description="its failure is noted and holds nobody up")

    @model_validator(mode="after")
    def _complete(self) -> ProbeRule:
        needed = {
            ProbeKind.TCP: "port",
            ProbeKind.TLS: "port",
            ProbeKind.HTTP: "url",
            ProbeKind.COMMAND: "argv",
        }
        if (name := needed.get(self.kind)) and not getattr(self, name):
            raise ValueError(f"probe {self.name!r} of kind {self.kind.value} needs {name}")
        if self.url and not self.url.startswith(("http://", "https://")):
            raise ValueError(f"the url of probe {self.name!r} begins with neither http:// nor https://")
        if self.trust == EXPIRY_ONLY and self.kind is not ProbeKind.TLS:
            raise ValueError(f"probe {self.name!r} trusts nobody, which only one of kind tls can")
        return self


EXPIRY_ONLY = "expiry-only"


class Probe(ProbeRule):
    """One probe, of the VMs that a filter finds among those that boot."""

    vms: str = Field("", description="which VMs, in the filter language; empty = all that boot")


class Place(StrEnum):
    """Where in a runbook a hook stands."""

    BEFORE_CUTOVER = "before-cutover"  # after the go gate, before anything is quiesced
    AFTER_STOP = "after-stop"  # all sources are off, before the last delta
    BEFORE_START = "before-start"  # all is built and marked, nothing runs
    AFTER_START = "after-start"  # every probe passed, before the commit gate
    BEFORE_COMMIT = "before-commit"  # after the commit gate, before the first fence
    AFTER_COMMIT = "after-commit"
    ON_ROLLBACK = "on-rollback"  # when the sources run again


class HookRule(Part):
    """A program (``argv``) or a human step (``says``) at a place of the runbook.

    ``argv`` and values of ``environment`` may hold ``{wave}``, and, once a VM, ``{vm}``, ``{address}`` and
    ``{id}``.
    """

    name: str = Field(min_length=1, max_length=80)
    place: Place
    argv: tuple[str, ...] = Field((), description="a program and its arguments, no shell")
    says: str = Field("", description="what a person has to do; the run waits until it is said to be done")
    environment: dict[str, str] = Field(default_factory=dict, description="all that the program gets")
    timeout_s: float = Field(600.0, gt=0)
    takes_s: float = Field(
        0.0, ge=0, description="how long it usually takes, for rehearsals; 0 = nobody said"
    )
    optional: bool = False

    @model_validator(mode="after")
    def _one_of(self) -> HookRule:
        if bool(self.argv) == bool(self.says):
            raise ValueError(f"hook {self.name!r} needs argv or says, and not both")
        if self.argv and not self.argv[0]:
            raise ValueError(f"hook {self.name!r} names no program")
        return self


class Hook(HookRule):
    """A program (``argv``) or a human step (``says``) at a place of the runbook, once a wave or once a VM."""

    vms: str = Field("", description="a filter: then once for each VM of the wave that it finds")


class GateRule(Part):
    """What opens a gate: so many persons, words that match, a clock."""

    persons: Annotated[int, Field(ge=1, le=2)] = 1
    ticket: str = Field("", description="a pattern that the change ticket must match, empty = none is asked")
    in_window: bool = Field(False, description="only while the wave's window is open")

    @field_validator("ticket")
    @classmethod
    def _pattern(cls, said: str) -> str:
        """A pattern that could take for ever, or is none, is refused where it is set."""
        if said:
            compile_ticket(said)
        return said


class Gates(Part):
    """The gates of a wave."""

    go: GateRule = GateRule()
    commit: GateRule = GateRule()


def _below_datacenter(path: str) -> str:
    if path.startswith("/"):
        raise ValueError(f"{path!r} begins with a slash: a folder is named by its path below the datacenter")
    return path


Folder = Annotated[str, AfterValidator(_below_datacenter)]


class Ending(Part):
    """What happens when the commit window is over. By default nothing but an alarm."""

    act: Literal["alarm", "commit", "rollback"] = "alarm"
    keep_days: int = Field(30, ge=0, le=3650, description="how long a fenced source is kept")
    folder: Folder = Field(
        "wherry-moved", description="of a vCenter: where fenced sources are moved to; empty = they stay"
    )
    reverse: bool = Field(
        True,
        description="after commit, protect the target's VMs at the source, in a journal that keeps what was "
        "committed",
    )


class Conduct(Part):
    """How a cutover is conducted."""

    probes: tuple[Probe, ...] = ()
    hooks: tuple[Hook, ...] = ()
    gates: Gates = Gates()
    ending: Ending = Ending()
    addresses: dict[str, str] = Field(
        default_factory=dict, description="VM → address at the target, where it is another than today"
    )
    nics: tuple[AddressedNic, ...] = Field((), description="addresses that adapters of guests get")
    subnets: tuple[SubnetMap, ...] = Field((), description="subnets whose guests get addresses of another")
    test_networks: dict[str, str] = Field(
        default_factory=dict, description="target network → isolated network of rehearsals"
    )

    @model_validator(mode="after")
    def _one_set_each(self) -> Conduct:
        if twice := _twice((one.vm, one.nic, one.way) for one in self.nics):
            raise ValueError(f"an adapter of {twice[0]!r} has two sets of addresses that are {twice[2]}")
        return self

    @model_validator(mode="after")
    def _one_name_each(self) -> Conduct:
        for what, names in (
            ("probes", (probe.name for probe in self.probes)),
            ("hooks", (hook.name for hook in self.hooks)),
        ):
            if twice := _twice(names):
                raise ValueError(f"two {what} are called {twice!r}")
        return self


def _twice(names: Iterable[_T]) -> _T | None:
    return next((name for name, count in Counter(names).items() if count > 1), None)

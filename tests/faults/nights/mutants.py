"""Parts that break one rule each. A night that is struck at the right step has to show every one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from migrate.replication.leases import Leases
from migrate.replication.messages import Hello
from migrate.replication.receiver import Receiver
from migrate.run.actions import Ask
from migrate.run.driver import Driver
from migrate.run.history import Event
from migrate.run.patience import Tried
from migrate.run.runbook import Step
from migrate.sites.ports import Extent
from migrate.steps.kind import Context, Result
from migrate.steps.kinds import KINDS
from migrate.steps.outage import Resume
from migrate.steps.power import Start
from migrate.steps.reconfigure import DiskMode
from migrate.steps.snapshots import TakeSnapshot
from migrate.steps.transfer import Transfer
from migrate.transfers.keeping import KeepsHere
from migrate.transfers.ports import Written
from planner.errors import Unreachable
from tests.faults.nights.night import Product, Way
from tests.faults.nights.strikes import Fault, Moment


class _Hopeful(Driver):
    """Takes an outcome that nobody knows for success."""

    def _ask(self, action: Ask, unanswered: Unreachable | None = None, tried: Tried | None = None) -> None:
        self._note(action.step, Event.DONE, action.attempt, {})


class _Hasty(Driver):
    """Takes an outcome that nobody knows for failure, and does it again."""

    def _ask(self, action: Ask, unanswered: Unreachable | None = None, tried: Tried | None = None) -> None:
        self._note(action.step, Event.NOT_DONE, action.attempt, {})


class _Twice(Start):
    """Is done twice."""

    def act(self, ctx: Context, step: Step, op: str) -> Result:
        super().act(ctx, step, op)
        return super().act(ctx, step, op)


class _Leaves(TakeSnapshot):
    """Does not look for the snapshot that an attempt before it took."""

    def verify(self, ctx: Context, step: Step, op: str) -> Result | None:
        return None


class _Touches(Transfer):
    """Writes a byte to the disk that it reads."""

    def act(self, ctx: Context, step: Step, op: str) -> Result:
        result = super().act(ctx, step, op)
        held: Any = ctx.source
        held.disks[step.params["volume"]].seen[0] ^= 1
        return result


class _LetsAllIn(Leases):
    """Lets several write at once."""

    @contextmanager
    def hold(self, volume: str, generation: int, channel: Any) -> Iterator[None]:
        yield


class _Loose(dict[str, Any]):
    """Lets go twice of what two hold."""

    def __delitem__(self, key: str) -> None:
        self.pop(key, None)


class _Unfenced(Receiver):
    """Does not look at generations."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._gatherings = _Loose()

    def _admit(self, disk: Any, hello: Hello, log: Any) -> Any:
        return super()._admit(disk, hello.model_copy(update={"generation": 2**40}), log)


class _Stays(Resume):
    """Takes it that a VM was started, whoever died before it was."""

    def verify(self, ctx: Context, step: Step, op: str) -> Result | None:
        return {"started": True}


class _Forgets(DiskMode):
    """Remembers what it finds, and not how it was when it was looked at."""

    def verify(self, ctx: Context, step: Step, op: str) -> Result | None:
        found = super().verify(ctx, step, op)
        return found and {**found, "before": found["after"]}


def _goes_on_where_another_was() -> type[KeepsHere]:
    """Return a keeper that leaves out what one before it has read, and what it makes replaces all of that."""
    read: set[tuple[str, Extent]] = set()

    class Trusting(KeepsHere):
        def _written(self, one: Written, here: Any, report: Any) -> Iterator[Extent]:
            for piece in super()._written(one, here, report):
                if (one.volume, piece) not in read:
                    read.add((one.volume, piece))
                    yield piece

    return Trusting


@dataclass(frozen=True)
class Mutant:
    """What is put in, what has to strike during which step to show it, and the words that say so."""

    product: Callable[[], Product]
    kind: str
    fault: Fault
    moment: Moment
    shows: str
    way: Way = Way.OUT


MUTANTS = {
    "an unknown outcome is taken for success": Mutant(
        lambda: Product(driver=_Hopeful), "start", Fault.ENGINE, Moment.BEGIN, "dc2 is"
    ),
    "an unknown outcome is taken for failure": Mutant(
        lambda: Product(driver=_Hasty), "start", Fault.ENGINE, Moment.END, "did power_on"
    ),
    "a step is done twice": Mutant(
        lambda: Product(kinds={**KINDS, "start": _Twice()}), "check", Fault.LINK, Moment.BEGIN, "did power_on"
    ),
    "a snapshot is not looked for": Mutant(
        lambda: Product(kinds={**KINDS, "snapshot": _Leaves()}),
        "snapshot",
        Fault.ENGINE,
        Moment.END,
        "still has snapshot",
    ),
    "a source is written": Mutant(
        lambda: Product(kinds={**KINDS, "transfer": _Touches()}),
        "check",
        Fault.LINK,
        Moment.BEGIN,
        "is not what its guests wrote",
    ),
    "a mover does not mind that its pipe closed": Mutant(
        lambda: Product(minds_pipe=False), "transfer", Fault.ENGINE, Moment.MIDDLE, "went on after its pipe"
    ),
    "what somebody kept before is taken for kept": Mutant(
        lambda: Product(keeps=_goes_on_where_another_was()),
        "undo mark",
        Fault.ENGINE,
        Moment.END,
        "is not kept as the target left it",
        Way.BACK,
    ),
    "a remedy that nobody knows the outcome of is taken for made": Mutant(
        lambda: Product(driver=_Hopeful),
        "upgrade-hardware",
        Fault.ENGINE,
        Moment.BEGIN,
        "dc1 is",
        Way.REMEDY,
    ),
    "a VM that is down for its remedy is taken for started": Mutant(
        lambda: Product(kinds={**KINDS, "resume": _Stays()}),
        "resume",
        Fault.ENGINE,
        Moment.BEGIN,
        "a VM that ran is down",
        Way.REMEDY,
    ),
    "a remedy forgets how it was before": Mutant(
        lambda: Product(kinds={**KINDS, "disk-mode": _Forgets()}),
        "disk-mode",
        Fault.ENGINE,
        Moment.END,
        ", and was ",
        Way.UNREMEDY,
    ),
    "a frozen mover is not fenced": Mutant(
        lambda: Product(receiver=_Unfenced, leases=_LetsAllIn),
        "transfer",
        Fault.FREEZE,
        Moment.MIDDLE,
        "writes after",
    ),
}

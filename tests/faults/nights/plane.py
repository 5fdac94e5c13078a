"""The data plane of a night: the product's receiver and transfers, its movers as processes of a schedule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from migrate.replication.leases import Leases
from migrate.replication.passes import PassSpec
from migrate.replication.progress import ProgressLog
from migrate.replication.receiver import Receiver
from migrate.replication.wire import WireError
from migrate.transfers.ports import HistoryWanted, Reach
from planner.errors import WherryError
from tests.faults.nights.links import Links
from tests.faults.nights.rack import GRAIN, Rack
from tests.simulation.flusher import Flusher
from tests.simulation.network import End
from tests.simulation.oracle import Broken, Ledger, Watched, WatchedDisk
from tests.simulation.schedule import Process, Task
from tests.simulation.storage import SimulatedLog
from tests.simulation.turns import SimulatedTurns

_ACK_BYTES = GRAIN


class Receiving:
    """The receiver of a site: whoever needs it starts it. ``kind`` is what is under test."""

    def __init__(self, links: Links, rack: Rack, kind: type[Receiver], leases: Callable[[], Leases]) -> None:
        self._links, self.rack, self._kind, self._leases = links, rack, kind, leases
        self.process: Process | None = None
        self.ledgers: dict[str, Ledger] = {}
        self._logs: dict[str, SimulatedLog] = {}
        self._specs: dict[Task, PassSpec] = {}

    def alive(self) -> Process:
        """Return the process, started where none runs."""
        if self.process is None or self.process.dead:
            self.process, self._receiver = Process(), self._made()
        return self.process

    def ledger(self, volume: str) -> Ledger:
        """Return what was said and written of a volume."""
        if volume not in self.ledgers or self.ledgers[volume].disk is not self.rack.disks[volume]:
            self.ledgers[volume] = Ledger(self.rack.disks[volume])
            self._logs[volume] = SimulatedLog(self._links.schedule)
        return self.ledgers[volume]

    def connect(self, spec: PassSpec | None) -> End:
        """Return a connection for a pass, or for a question about a disk."""
        connection = self._links.connect()
        process, schedule = self.alive(), self._links.schedule
        receiver = self._receiver
        channel: Any = connection.far
        if spec is not None:
            channel = Watched(connection.far, self.ledger(spec.volume), spec, _ACK_BYTES)

        def serve() -> None:
            if spec is not None:
                self._specs[schedule.current] = spec
            try:
                receiver.serve(channel)
            except Broken:
                raise
            except (WherryError, WireError) as error:
                schedule.note(f"receiver: {error}")
            finally:
                connection.far.close()

        schedule.spawn(process, "receive", serve)
        return connection.near

    def _open(self, volume: str) -> Any:
        spec = self._specs.get(self._links.schedule.current)
        if spec is None:
            return self.rack.open_write(volume)
        return _Mapped(self.rack.disks[volume], self.ledger(volume), spec, self.rack)

    def _log(self, volume: str) -> ProgressLog:
        self.ledger(volume)
        return ProgressLog(self._logs[volume], volume)

    def _made(self) -> Receiver:
        schedule = self._links.schedule
        return self._kind(
            self._open,
            self._log,
            leases=self._leases(),
            ack_bytes=_ACK_BYTES,
            make_flusher=lambda: Flusher(schedule),
            make_hasher=lambda: Flusher(schedule, "digest"),
            turns=lambda: SimulatedTurns(schedule),
            random_bytes=schedule.rng.randbytes,
        )


class _Mapped(WatchedDisk):
    """A replica whose writes the site's change map knows."""

    def __init__(self, disk: Any, ledger: Ledger, spec: PassSpec, rack: Rack) -> None:
        super().__init__(disk, ledger, spec)
        self._rack = rack

    def write(self, data: bytes | memoryview, offset: int) -> None:
        super().write(data, offset)
        self._rack.touched(self._spec.volume, offset, len(data))


class Journals:
    """The histories that the receiver keeps, on paper: what is kept and promoted outlives it."""

    def __init__(self, links: Links, receiving: Receiving) -> None:
        self._links, self._receiving = links, receiving
        self.held: dict[str, HistoryWanted] = {}
        self.ended: dict[str, dict[str, Any]] = {}

    def _ask(self, name: str, takes_s: float, effect: Callable[[], Any]) -> Any:
        def work() -> Any:
            self._links.schedule.sleep(takes_s)
            return effect()

        return self._links.ask(self._receiving.alive(), f"{name} of a history", work, far=True)

    def keep(self, group: str, wanted: HistoryWanted, *, anew: bool) -> None:
        """Keep one from now on."""
        self._ask("keep", 1.0, lambda: self.held.update({group: wanted}))

    def fold(self, group: str) -> int:
        """Move it into the replicas."""
        return int(self._ask("fold", 5.0, lambda: 1))

    def promote(
        self, group: str, name: str, moved_bytes: int, report: Callable[[int], None]
    ) -> dict[str, Any]:
        """End it; done already it only says so."""

        def effect() -> dict[str, Any]:
            if group not in self.ended:
                del self.held[group]
                self.ended[group] = {"record": 1, "name": name}
            return self.ended[group]

        return dict(self._ask("promote", 3.0, effect))

    def dismiss(self, group: str) -> bool:
        """Remove it."""
        return bool(self._ask("dismiss", 1.0, lambda: self.held.pop(group, None)))

    def resynced(self, volume: str, why: str) -> None:
        """Note nothing."""

    def kept(self, group: str) -> Reach | None:
        """Know nothing of it."""
        return None

"""The pair under test: senders and a receiver, of the product, on a made-up network, storage and clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from migrate.disks.ports import WritableDisk
from migrate.replication.channel import Channel, ChannelClosed
from migrate.replication.dedupe.answering import Answering
from migrate.replication.dedupe.pools import Pool
from migrate.replication.dedupe.table import Table
from migrate.replication.dedupe.volumes import Volumes
from migrate.replication.leases import Leases
from migrate.replication.passes import Mode, PassResult, PassSpec
from migrate.replication.progress import ProgressLog
from migrate.replication.receiver import Receiver
from migrate.replication.sender import send_pass
from migrate.replication.sink import DiskSink, Sink
from migrate.replication.streams import Streams
from migrate.replication.wire import WireError
from migrate.sites.ports import Extent
from planner.errors import ProjectBusy, SiteRefused, WherryError
from tests.migrate.replication.model import KIB
from tests.simulation.estate import Source, Volume
from tests.simulation.flusher import Flusher
from tests.simulation.joiners import Ticket, barge_in
from tests.simulation.network import Connection
from tests.simulation.oracle import Broken, Watched, WatchedDisk
from tests.simulation.schedule import Process, Schedule, Task
from tests.simulation.turns import SimulatedTurns

TIMEOUT_S = 60.0
_BUCKETS = 16
_PAUSE_MAX_S = 64.0


@dataclass(frozen=True)
class Product:
    """What is under test; mutants put something else in the place of a part."""

    make_sink: Callable[[WritableDisk], Sink] = DiskSink
    receiver: type[Receiver] = Receiver
    send: Callable[..., PassResult] = send_pass
    make_answering: Callable[[Pool, str, int, WritableDisk], Answering] = Answering
    open_disk: Callable[[WritableDisk], WritableDisk] = lambda disk: disk


class Pair:
    """All processes of a run. Senders and the receiver may die and come again.

    ``store`` is a folder for what the receiver remembers of digests: hints, which may be lost.
    """

    def __init__(self, schedule: Schedule, volumes: list[Volume], product: Product, store: Path) -> None:
        self.schedule = schedule
        self.volumes = volumes
        self.quiet = False  # faults are over
        self.skew_s = 0.0
        self.failing_sources: set[str] = set()
        self.changing: set[str] = set()
        self.receiving: Process | None = None
        self.senders: dict[Process, tuple[Volume, int]] = {}
        self.connections: list[tuple[Connection, Process, Process]] = []
        self._product = product
        self._ack_bytes = schedule.rng.choice((48, 64, 128)) * KIB
        self._overlap = schedule.rng.random() < 0.5
        self.tickets: list[tuple[Volume, Ticket]] = []  # all that were ever given, the newest last
        self.lurking: dict[str, Ticket] = {}  # to come, by volume, when its next pass is under way
        self._specs: dict[Task, PassSpec] = {}  # of the conversation that a receiver's task holds
        self._store = store
        self._pool: Pool | None = None
        self._receiver = self._new_receiver()

    def start(self, volume: Volume, generation: int) -> None:
        """Start a sender's process."""
        process = Process()
        self.senders[process] = (volume, generation)
        self.schedule.spawn(process, f"send {volume.name}", lambda: self._drive(process, volume, generation))

    def alive(self) -> list[tuple[Connection, Process, Process]]:
        """Return the connections on which a sender and the receiver still speak."""
        return [item for item in self.connections if not (item[1].dead or item[2].dead)]

    def power_off(self, process: Process) -> None:
        """End a process together with its machine: nobody hears of it."""
        for connection, sender, receiver in self.connections:
            if process in {sender, receiver}:
                connection.go_silent(up=True, down=True)
        self.schedule.kill(process)

    def close(self) -> None:
        """Close the files of the pool."""
        if self._pool is not None:
            self._pool.table.close()
            self._pool.volumes.close()

    def _open_pool(self) -> None:
        self.close()
        disks = {volume.name: volume.disk for volume in self.volumes}
        table = Table(self._store / "table", _BUCKETS, random_bytes=self.schedule.rng.randbytes)
        self._pool = Pool(table, Volumes(self._store / "volumes"), disks.__getitem__)

    def _new_receiver(self) -> Receiver:
        named = {volume.name: volume for volume in self.volumes}

        def open_disk(name: str) -> WritableDisk:
            volume = named[name]
            disk = WatchedDisk(volume.disk, volume.ledger, self._specs[self.schedule.current])
            return self._product.open_disk(disk)

        return self._product.receiver(
            open_disk,
            lambda name: ProgressLog(named[name].log, name),
            leases=Leases(0.0),
            make_sink=self._product.make_sink,
            ack_bytes=self._ack_bytes,
            overlap=self._overlap,
            make_flusher=lambda: Flusher(self.schedule),
            make_hasher=lambda: Flusher(self.schedule, "digest"),
            turns=lambda: SimulatedTurns(self.schedule),
            make_answering=self._product.make_answering,
            random_bytes=self.schedule.rng.randbytes,
        )

    def _connect(self, sender: Process, volume: Volume, spec: PassSpec) -> Connection:
        rng = self.schedule.rng
        if self.receiving is None or self.receiving.dead:
            if not self.quiet and rng.random() < 0.4:
                raise ChannelClosed("nobody listens")
            self.receiving, self._receiver = Process(), self._new_receiver()
            self._open_pool()
            self.schedule.note("receiver starts")
        return self._serve(sender, volume, spec)

    def _serve(self, sender: Process, volume: Volume, spec: PassSpec) -> Connection:
        """Return a connection to the receiver that lives."""
        if self.receiving is None or self.receiving.dead:
            raise ChannelClosed("nobody listens")
        connection = Connection(self.schedule, TIMEOUT_S)
        process, receiver = self.receiving, self._receiver
        self.connections.append((connection, sender, process))

        def admitted(ticket: str, dedupe: str) -> None:
            content = volume.ledger.contents[spec.pass_id]
            if late := self.lurking.pop(volume.name, None):
                self.barge_in(volume, late)
            self.tickets.append((volume, Ticket(spec, ticket, bytes.fromhex(dedupe), content)))

        def serve() -> None:
            self._specs[self.schedule.current] = spec
            watched = Watched(connection.far, volume.ledger, spec, self._ack_bytes, admitted)
            try:
                receiver.serve(watched, pool=lambda: self._pool)
            except WireError as error:
                raise Broken(f"the receiver did not understand: {error}") from error
            except WherryError as error:
                self.schedule.note(f"receiver: {error}")
            except Broken:
                raise
            except AssertionError as error:
                raise Broken(f"the receiver contradicts itself: {error}") from error
            finally:
                connection.far.close()

        self.schedule.spawn(process, f"receive {volume.name}", serve)
        return connection

    def barge_in(self, volume: Volume, held: Ticket) -> None:
        """Have a connection come with a ticket of whatever age, from a process of its own."""
        process = Process()
        nonce = self.schedule.rng.randbytes(16).hex()

        def work() -> None:
            try:
                channel = self._serve(process, volume, held.spec).near
            except ChannelClosed:
                return
            try:
                barge_in(channel, held, nonce)
                self.schedule.meet("let in late")
            except SiteRefused:
                self.schedule.meet("kept out late")
            except WherryError as error:
                self.schedule.note(f"late joiner: {error}")
            finally:
                channel.close()

        self.schedule.spawn(process, f"join {volume.name}", work)

    def _drive(self, process: Process, volume: Volume, generation: int) -> None:
        """Bring each version in turn, again and again until it is there."""
        if volume.begins_s > self.schedule.now:
            self.schedule.sleep(volume.begins_s)
        at, pause_s = (volume.done or 0), 1.0
        last = len(volume.versions) - 1
        while at <= last:
            spec, mode, extents = volume.offer(at, generation)
            try:
                complete = self._pass(process, volume, at, spec, mode, extents)
            except SiteRefused as error:
                if generation >= volume.generation:
                    raise Broken(f"the newest generation was refused: {error}") from error
                self.schedule.meet("fenced")
                return
            except WireError as error:
                raise Broken(f"the sender did not understand: {error}") from error
            except (WherryError, OSError) as error:
                if isinstance(error, ProjectBusy):
                    self.schedule.meet("busy")
                self.schedule.note(f"sender: {error}")
                self.schedule.sleep(pause_s)
                pause_s = min(2 * pause_s, _PAUSE_MAX_S)
                complete = False
            if complete:
                volume.done, pause_s = at, 1.0
                at += 1
            elif volume.name in self.changing and at < last:
                self.changing.discard(volume.name)
                self.schedule.meet("source changed")
                at += 1

    def _pass(
        self,
        process: Process,
        volume: Volume,
        number: int,
        spec: PassSpec,
        mode: Mode,
        extents: tuple[Extent, ...] | None,
    ) -> bool:
        schedule = self.schedule
        rng = schedule.rng
        connection = self._connect(process, volume, spec)
        asked = rng.randint(1, 4) if not self.quiet and rng.random() < 0.1 else 0

        def stop() -> bool:
            nonlocal asked
            asked -= 1
            return asked == 0

        many = rng.choice((1, 1, 2, 3, 4))
        streams = Streams(
            lambda: self._serve(process, volume, spec).near,
            lambda: many,
            lambda name, work: schedule.spawn(process, name, work),
            lambda: SimulatedTurns(schedule),
        )
        channel: Channel = connection.near
        source = Source(volume.versions[number].content, schedule, self.failing_sources, volume.name)
        schedule.note(f"{mode} {spec.pass_id} generation {spec.generation}")
        try:
            result = self._product.send(
                source,
                channel,
                spec,
                mode=mode,
                extents=extents,
                level=rng.randint(0, 1),
                adapts=rng.random() < 0.5,
                block_bytes=rng.choice((64, 128)) * KIB,
                workers=0,
                dedupe=rng.random() < 0.7,
                streams=streams if rng.random() < 0.8 else None,
                stop=stop,
                clock=lambda: schedule.now + self.skew_s,
                random_bytes=rng.randbytes,
            )
        finally:
            channel.close()
        if result.complete:
            if spec.pass_id not in volume.ledger.completed:
                raise Broken(f"{spec.pass_id} is complete for the sender alone")
            schedule.met[f"{result.mode} pass"] += 1
            if result.streams > 1:
                schedule.met["several streams"] += 1
            if result.deduped_bytes:
                schedule.met["deduped"] += 1
            if result.resumed_bytes:
                schedule.met["resumed"] += 1
            if result.why:
                schedule.met["compared instead"] += 1
        else:
            schedule.meet("stopped")
        schedule.note(f"{spec.pass_id} {'complete' if result.complete else 'stopped'}")
        return result.complete

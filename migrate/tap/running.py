"""A tap from its start to its end: guests are served, writes streamed, questions answered.

It ends in the other order: guests are let go first, then the target gets what it lacks if it is there,
then the disks are flushed and the maps left in order.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from migrate.daemons.control import ControlServer
from migrate.protection.policy import Policy
from migrate.replication.channel import Channel
from migrate.replication.memory import keep_memory
from migrate.tap.answers import TapAnswers
from migrate.tap.chunks import Point
from migrate.tap.copying import Copying
from migrate.tap.front import serve
from migrate.tap.opening import Opened
from migrate.tap.packing import Packer
from migrate.tap.protecting import Protecting
from migrate.tap.recorder import Recorder
from migrate.tap.streamed import Streamed
from migrate.tap.streaming import Streaming
from migrate.tap.tapping import Tap
from planner.errors import Blocked

_LAST_S: Final = 10.0  # for so long the target may take what it lacks, at the end


async def run(
    state: Path,
    opened: Opened,
    listening: socket.socket,
    stop: asyncio.Event,
    *,
    limit_bytes: int,
    connect: Callable[[], Channel] | None,
    every_s: float,
    ready: Callable[[TapAnswers], None],
    policy: Policy | None = None,
    generation: int = 0,
) -> None:
    """Run until ``stop``; the caller holds the lock of ``state``. Raises BadInput, OSError.

    ``connect`` leads to the target, None for a tap that only keeps its map. With ``policy`` the guests are
    held for checkpoints. A tap of a newer ``generation`` takes the group over from another one.
    """
    keep_memory()
    recorder = Recorder(limit_bytes, opened.areas.cool)
    tap = Tap(opened.tapped(recorder), opened.areas, recorder)
    packer = Packer(recorder.slabs)
    streaming = None
    if connect is not None:
        streamed = _streamed(opened, every_s, generation)
        copying = Copying(tap.areas, opened.disks, recorder, tap.in_front)
        streaming = Streaming(streamed, recorder, copying, connect, packer=packer)
    volumes = [disk.name for disk in tap.disks]
    protecting = Protecting(policy, opened.group, volumes, recorder, state) if policy is not None else None
    answers = TapAnswers(opened.group, tap, recorder, streaming, protecting)
    loop = asyncio.get_running_loop()
    control = ControlServer(state, answers.handlers())

    async def drain() -> None:
        if protecting is not None:
            await loop.run_in_executor(None, protecting.stop)
        if streaming is not None:
            with suppress(Blocked):  # it does not stream: areas remember
                streaming.checkpoint(Point(time.time_ns() // 1_000_000))
                await loop.run_in_executor(None, streaming.settle, _LAST_S)
            await loop.run_in_executor(None, streaming.stop)
        await loop.run_in_executor(None, packer.close)
        await loop.run_in_executor(None, control.close)

    if streaming is not None:
        streaming.start()
    if protecting is not None:
        protecting.start()
    ready(answers)
    await serve(tap, listening, stop, drain)


def _streamed(opened: Opened, every_s: float, generation: int) -> Streamed:
    pairs = zip(opened.volumes, opened.disks, strict=True)
    disks = tuple((volume, disk.size_bytes) for volume, disk in pairs)
    return Streamed(opened.group, disks, opened.name, generation, every_s)

"""A tap that streams to a receiver of its own process over TLS: its recovery point, and its catch-up.

``python -m benchmarks.tap.rpo [--quick]``. Guests are a loop that writes to the disks of the tap as its
front does; seeds are of the same kind of bytes, to the same receiver, before.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar, cast

from benchmarks.wire.ours import SITE, make_keys
from benchmarks.wire.sheet import ratio
from benchmarks.wire.timed import Server
from planner.units import KIB, MIB

_ROOT = Path(__file__).resolve().parents[2]
DISKS, WRITE = 16, 16 * KIB
RATE = 20_000_000  # bytes a second
CUT_S = 600
_SEEDS = 4
_GROUP = "bench"
T = TypeVar("T")


def rows(folder: Path, quick: bool) -> list[dict[str, Any]]:
    """Return the rows; ``folder`` takes 14 GiB."""
    result = folder / "rpo.json"
    size = (64 if quick else 256) * MIB
    server = _start(folder, size)
    try:
        subprocess.run(
            [sys.executable, "-m", "benchmarks.tap.rpo", "tap", str(folder), str(size),
             "10" if quick else "120", str(server.process.pid)],
            cwd=_ROOT, check=True,
        )  # fmt: skip
        far_mib = server.peak_mib()
    finally:
        server.stop()
    told = json.loads(result.read_text("utf-8"))
    what = f"{RATE / 1e6:.0f} MB/s of 16 KiB writes over {DISKS} disks"
    return [
        {"what": f"{what}: age of the oldest write not at the target, P50 of its worst in each second",
         "value": round(told["p50_s"], 3), "unit": "s"},
        {"what": f"{what}: P99", "value": round(told["p99_s"], 3), "unit": "s, aim: below 5"},
        {"what": f"{what}: written by the guests", "value": round(told["written"] / told["seconds"] / 1e6, 1),
         "unit": "MB/s"},
        {"what": f"{what}: processor time of the tap", "value": round(told["cpu_s"] / told["seconds"], 3),
         "unit": "s a second"},
        {"what": "seed, level 1, TLS", "value": round(told["seed_mb_s"], 1), "unit": "MB/s"},
        {"what": f"catch-up of {told['caught'] / 1e9:.1f} GB, what {CUT_S // 60} minutes of it leave",
         "value": round(told["caught"] / told["catch_up_s"] / 1e6, 1), "unit": "MB/s"},
        ratio("catch-up: speed by that of the seed", told["caught"] / told["catch_up_s"] / 1e6,
              told["seed_mb_s"], "at least 0.8"),
        {"what": "seed, level 1, TLS: processor time of both ends", "value": round(told["seed_cpu"], 2),
         "unit": "s a GB"},
        {"what": "catch-up: processor time of both ends", "value": round(told["catch_up_cpu"], 2),
         "unit": "s a GB"},
        {"what": "memory of the receiver at most", "value": round(far_mib), "unit": "MiB"},
    ]  # fmt: skip


def _start(folder: Path, size: int) -> Server:
    keys, volumes = make_keys(folder), []
    for number in range(DISKS + _SEEDS):
        path = folder / f"target-{number}.img"
        with path.open("wb") as file:
            file.truncate(size)
        seeds = number >= DISKS
        volumes.append(
            {"id": f"{'s' if seeds else 'd'}{number}", "path": str(path), "group": "" if seeds else _GROUP}
        )
    (folder / "volumes.json").write_text(json.dumps({"volumes": volumes}), "utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "tui.cli.entry", "receiver", "--store", str(folder / "store"), "--keys",
         str(keys / "receiver.pem"), "--volumes", str(folder / "volumes.json"), "--listen", "127.0.0.1:0"],
        cwd=_ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout is not None
    said = process.stdout.readline().decode()
    (folder / "port").write_text(said.split()[0].rpartition(":")[2], "utf-8")
    return Server(process)


def _content(rng: random.Random, length: int) -> bytes:
    """Return bytes that pack to about half."""
    return b"".join(rng.randbytes(2048) + bytes(2048) for _ in range(length // 4096))


def _tap(folder: Path, size: int, seconds: float, far: Server) -> dict[str, Any]:
    from migrate.disks.flat import FlatDisk
    from migrate.replication.memory import keep_memory
    from migrate.replication.passes import Mode, PassSpec
    from migrate.replication.sender import send_pass
    from migrate.replication.tls import TlsChannel, TlsKeys, connect_tls
    from migrate.tap.copying import Copying
    from migrate.tap.opening import open_group
    from migrate.tap.recorder import Recorder
    from migrate.tap.rpo import Ages
    from migrate.tap.streamed import Streamed
    from migrate.tap.streaming import Streaming

    keep_memory()  # as a tap does
    rng = random.Random(1)
    keys, port = TlsKeys(make_keys(folder) / "sender.pem"), int((folder / "port").read_text("utf-8"))
    is_up = True

    def connect() -> TlsChannel:
        if not is_up:
            raise ConnectionError("it is cut")
        return connect_tls("127.0.0.1", port, keys, SITE)

    def cpu_s() -> float:
        return time.process_time() + far.cpu_s()

    piece = _content(rng, 4 * MIB)
    paths = [folder / f"source-{number}.img" for number in range(DISKS)]
    for number, path in enumerate(paths):
        with path.open("wb") as file:
            for at in range(0, size, len(piece)):
                file.write((number * size + at).to_bytes(8, "little") + piece[8:])
    os.sync()
    begun, used = time.perf_counter(), cpu_s()
    for number in range(_SEEDS):
        with closing(FlatDisk(paths[number])) as disk, closing(connect()) as channel:
            send_pass(disk, channel, PassSpec(f"s{DISKS + number}", "1", size), mode=Mode.SEED, level=1)
    seed_mb_s = _SEEDS * size / (time.perf_counter() - begun) / 1e6
    seed_cpu = (cpu_s() - used) / (_SEEDS * size / 1e9)

    lock = threading.Lock()

    def in_front(call: Callable[[], T]) -> T:
        with lock:
            return call()

    state = folder / "tap"
    state.mkdir()
    opened = open_group(state, _GROUP, [(f"d{number}", path) for number, path in enumerate(paths)])
    areas = opened.areas
    recorder = Recorder(256 * MIB, areas.cool)
    disks = opened.tapped(recorder)
    streamed = Streamed(_GROUP, tuple((volume, size) for volume in opened.volumes), opened.name)
    copying = Copying(areas, opened.disks, recorder, in_front)
    streaming = Streaming(streamed, recorder, copying, connect, backoff_s=(0.1,))
    streaming.start()
    if not streaming.settle(600):
        raise RuntimeError(f"the first copy did not end: {streaming.status()}")

    data = [_content(rng, WRITE) for _ in range(64)]
    ages, written, cpu = Ages(), 0, time.process_time()
    begun = time.perf_counter()
    while (spent := time.perf_counter() - begun) < seconds:
        while written < spent * RATE:
            number, place = rng.randrange(DISKS), rng.randrange(size // WRITE) * WRITE
            with lock:
                while not disks[number].may_begin(place, WRITE):
                    change = areas.change()
                    assert change is not None
                    change.write()
                    areas.changed(change)
                disks[number].write(rng.choice(data), place)
            written += WRITE
        with lock:
            areas.cool_down(areas.tend(recorder.last))
        ages.saw(time.monotonic(), recorder.age_s() or 0.0)
        time.sleep(0.005)
    told: dict[str, Any] = {"seconds": spent, "written": written, "cpu_s": time.process_time() - cpu,
            "p50_s": ages.quantile(0.5), "p99_s": ages.quantile(0.99), "seed_mb_s": seed_mb_s,
            "seed_cpu": seed_cpu}  # fmt: skip
    if not streaming.settle(60):
        raise RuntimeError(f"it does not settle: {streaming.status()}")
    streaming.stop()
    grains = {(rng.randrange(DISKS), rng.randrange(size // (64 * KIB))) for _ in range(CUT_S * RATE // WRITE)}
    for number, grain in sorted(grains):
        areas.lose(number, grain * 64 * KIB, 64 * KIB)
    again = Streaming(streamed, recorder, copying, connect)
    os.sync()
    begun, used = time.perf_counter(), cpu_s()
    again.start()
    if not again.settle(600):
        raise RuntimeError(f"it does not catch up: {again.status()}")
    told |= {"catch_up_s": time.perf_counter() - begun, "caught": len(grains) * 64 * KIB}
    told["catch_up_cpu"] = (cpu_s() - used) / (told["caught"] / 1e9)
    again.stop()
    return told


def main(arguments: list[str]) -> int:
    """Run it, or one of its ends."""
    if arguments[:1] == ["tap"]:
        folder = Path(arguments[1])
        far = Server(cast("Any", SimpleNamespace(pid=int(arguments[4]))))
        told = _tap(folder, int(arguments[2]), float(arguments[3]), far)
        (folder / "rpo.json").write_text(json.dumps(told), "utf-8")
        return 0
    with tempfile.TemporaryDirectory(prefix="wherry-rpo-", dir=os.environ.get("WHERRY_BENCH_DIR")) as name:
        print(json.dumps(rows(Path(name), "--quick" in arguments), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

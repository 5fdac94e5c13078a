"""The peers: tools of Debian's that bring a disk to another process until its bytes are durable."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from benchmarks.wire.timed import Server, Took, loopback_bytes, timed

_Popen = subprocess.Popen[bytes]


def _started(*command: str | Path, **how: object) -> _Popen:
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL} | how
    return subprocess.Popen([str(part) for part in command], **quiet)  # type: ignore[call-overload, no-any-return]


def missing(*tools: str) -> str:
    """Return which tool is not installed, empty when all are."""
    return next((tool for tool in tools if shutil.which(tool) is None), "")


def free_port() -> int:
    """Return a port of the loopback nobody listens on now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


_KNOCK = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 1).close()"


def _answers(host: str, port: int, near: Sequence[str] = ()) -> None:
    """Wait until somebody listens there, asked from where the sender will be."""
    for _ in range(100):
        knock = [*near, sys.executable, "-c", _KNOCK, host, str(port)]
        if subprocess.run(knock, capture_output=True, check=False).returncode == 0:
            return
        time.sleep(0.05)
    raise RuntimeError(f"nobody listens on port {port}")


@contextmanager
def _server(*command: str | Path) -> Iterator[Server]:
    server = Server(_started(*command))
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def _nbdkit(target: Path, path: Path) -> Iterator[tuple[Server, str]]:
    """Serve ``target`` on a Unix socket and yield the server and its address."""
    path.unlink(missing_ok=True)
    with _server("nbdkit", "-f", "-U", path, "file", target) as server:
        while not path.exists():
            time.sleep(0.01)
        yield server, f"nbd+unix:///?socket={path}"


def fresh(target: Path, size: int) -> None:
    """Make ``target`` a file of holes."""
    target.unlink(missing_ok=True)
    with target.open("wb") as file:
        file.truncate(size)


def copied(source: Path, target: Path) -> None:
    """Make ``target`` a copy, holes kept."""
    target.unlink(missing_ok=True)
    subprocess.run(["cp", "--sparse=always", str(source), str(target)], check=True)


def nbdcopy_unix(source: Path, target: Path, folder: Path) -> Took:
    """Copy with nbdcopy to nbdkit over a Unix socket, ended by NBD's flush."""
    fresh(target, source.stat().st_size)
    with _nbdkit(target, folder / "nbd.sock") as (server, address):
        command = ("nbdcopy", "--flush", "--target-is-zero", source, address)
        return timed(lambda: [_started(*command)], target, [server])


def certificates(folder: Path) -> Path:
    """Make the pair of keys that nbdkit and nbdcopy want, with openssl, and return their folder."""
    keys = folder / "x509"
    if not keys.exists():
        keys.mkdir()
        run = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
        made = ["-keyout", str(keys / "server-key.pem"), "-out", str(keys / "server-cert.pem"), "-days", "30"]
        subprocess.run([*run, *subject, *made], check=True, capture_output=True)
        shutil.copy(keys / "server-cert.pem", keys / "ca-cert.pem")
    return keys


def nbdcopy_tls(source: Path, target: Path, folder: Path) -> Took:
    """Copy with nbdcopy to nbdkit over TLS on the loopback."""
    fresh(target, source.stat().st_size)
    keys, port = certificates(folder), free_port()
    tls = (f"--tls-certificates={keys}", "--tls=require")
    with _server("nbdkit", "-f", "-i", "127.0.0.1", "-p", str(port), *tls, "file", target) as server:
        _answers("127.0.0.1", port)
        address = f"nbds://localhost:{port}/?tls-certificates={keys}"
        begun = loopback_bytes()
        took = timed(
            lambda: [_started("nbdcopy", "--flush", "--target-is-zero", source, address)], target, [server]
        )
        return replace(took, wire_bytes=loopback_bytes() - begun)


def qemu_img(source: Path, target: Path, folder: Path) -> Took:
    """Convert with qemu-img to nbdkit over a Unix socket, 16 requests at once."""
    fresh(target, source.stat().st_size)
    with _nbdkit(target, folder / "nbd.sock") as (server, address):
        command = (
            "qemu-img",
            "convert",
            "-n",
            "--target-is-zero",
            "-m",
            "16",
            "-W",
            "-f",
            "raw",
            "-O",
            "raw",
        )
        return timed(lambda: [_started(*command, source, address)], target, [server])


def cp_sparse(source: Path, target: Path, folder: Path) -> Took:
    """Copy with cp, one process, no wire."""
    target.unlink(missing_ok=True)
    fresh(target, 0)
    return timed(lambda: [_started("cp", "--sparse=always", source, target)], target)


def zstd_socket(source: Path, target: Path, folder: Path, level: int = 1) -> Took:
    """Compress with two threads into a socket, unpack at its other end into a sparse file."""
    target.unlink(missing_ok=True)
    fresh(target, 0)

    def start() -> Sequence[_Popen]:
        left, right = socket.socketpair()
        with left, right:
            sender = _started("zstd", f"-{level}", "-T2", "-q", "-c", source, stdout=left)
            receiver = _started("zstd", "-d", "-q", "-f", "--sparse", "-o", target, stdin=right)
        return [sender, receiver]

    return timed(start, target)


def zstd_bytes(source: Path, level: int = 1) -> int:
    """Return how much ``zstd_socket`` puts into its socket."""
    with subprocess.Popen(
        ["zstd", f"-{level}", "-T2", "-q", "-c", str(source)], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        total = 0
        while chunk := process.stdout.read(1 << 20):
            total += len(chunk)
    return total


def rsync(
    source: Path,
    target: Path,
    folder: Path,
    *options: str,
    host: str = "127.0.0.1",
    near: Sequence[str] = (),
    far: Sequence[str] = (),
) -> Took:
    """Send to an rsync daemon; ``options`` say how, ``near`` and ``far`` are prefixes of both commands."""
    port = free_port()
    settings = folder / "rsyncd.conf"
    settings.write_text(
        f"use chroot = no\nport = {port}\naddress = {host}\n[to]\npath = {target.parent}\n"
        "read only = no\nuid = 0\ngid = 0\n"
    )
    with _server(*far, "rsync", "--daemon", "--no-detach", f"--config={settings}") as server:
        _answers(host, port, near)
        begun = loopback_bytes()
        to = f"rsync://{host}:{port}/to/{target.name}"
        took = timed(lambda: [_started(*near, "rsync", *options, source, to)], target, [server])
        return replace(took, wire_bytes=loopback_bytes() - begun)


def rsync_whole(source: Path, target: Path, folder: Path) -> Took:
    """Send the whole file, holes kept."""
    target.unlink(missing_ok=True)
    fresh(target, 0)
    return rsync(source, target, folder, "--whole-file", "--sparse", "--ignore-times")


def rsync_zstd(source: Path, target: Path, folder: Path) -> Took:
    """Send the whole file packed by zstd."""
    target.unlink(missing_ok=True)
    fresh(target, 0)
    how = ("--whole-file", "--sparse", "--ignore-times", "-z", "--compress-choice=zstd", "--compress-level=1")
    return rsync(source, target, folder, *how)


def rsync_delta(source: Path, target: Path, folder: Path) -> Took:
    """Bring ``target`` up to date in place, by rsync's own rolling checksums."""
    return rsync(source, target, folder, "--inplace", "--no-whole-file", "--ignore-times")


def borg(repository: Path, source: Path, name: str) -> Took:
    """Put ``source`` into a borg repository as one more archive; it deduplicates by content."""
    command = ("borg", "create", "--compression", "zstd,1", f"{repository}::{name}", source)
    return timed(lambda: [_started(*command)], source)


def borg_repository(path: Path) -> None:
    """Make an empty repository."""
    shutil.rmtree(path, ignore_errors=True)
    subprocess.run(["borg", "init", "--encryption=none", str(path)], check=True, capture_output=True)


Peer = Callable[[Path, Path, Path], Took]
SEEDS: dict[str, tuple[Peer, tuple[str, ...]]] = {
    "nbdcopy, Unix socket": (nbdcopy_unix, ("nbdcopy", "nbdkit")),
    "nbdcopy, TLS": (nbdcopy_tls, ("nbdcopy", "nbdkit", "openssl")),
    "qemu-img convert, Unix socket": (qemu_img, ("qemu-img", "nbdkit")),
    "cp --sparse": (cp_sparse, ("cp",)),
    "zstd -1 -T2, socket": (zstd_socket, ("zstd",)),
    "rsync daemon, whole file": (rsync_whole, ("rsync",)),
    "rsync daemon, zstd 1": (rsync_zstd, ("rsync",)),
}

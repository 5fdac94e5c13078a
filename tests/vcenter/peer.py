"""A simulated vCenter in a process of its own, on loopback, with a certificate a client can verify.

It keeps its files in a private directory and is ended by its process id; closing fails when the
simulator panicked meanwhile. ``rules`` and ``calls`` speak to the overlay's own addresses.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import ssl
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.vcenter.certificates import Certificate

_END_S = 20


class VCenterPeer:
    """One simulated vCenter; ``arguments`` are the simulator's own flags, e.g. ``"-vm", "3"``.

    ``certificate`` on the instance is the PEM file of the authority a client has to trust.
    """

    host = "127.0.0.1"
    user = "admin"
    password = "s3cret"

    def __init__(self, binary: Path, certificate: Certificate, *arguments: str) -> None:
        self._binary = binary
        self._arguments = arguments
        self._directory = Path(tempfile.mkdtemp(prefix="wherry-vcsim-"))
        self._log = self._directory / "log"
        self._process: subprocess.Popen[str] | None = None
        self.instance_uuid = ""
        self.port = 0
        self._start(certificate)

    def _start(self, certificate: Certificate) -> None:
        self.served = certificate
        room = self._directory / "run"
        room.mkdir()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(self._binary, "-leashed", "-l", f"{self.host}:{self.port}"),
                    *("-username", self.user, "-password", self.password),
                    *("-tlscert", certificate.leaf, "-tlskey", certificate.key),
                    *("-instance-uuid", self.instance_uuid, *self._arguments),  # "" = of its own choosing
                ],
                stdin=subprocess.PIPE,  # closes when this process dies, and the simulator ends
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**os.environ, "TMPDIR": str(room)},
                start_new_session=True,  # Ctrl-C in the terminal is for pytest, which then closes this
            )
        assert self._process.stdout is not None
        ready = self._process.stdout.readline()
        if not ready.startswith("READY "):
            self._end()
            said = self._log.read_text(errors="replace")[-2000:]
            shutil.rmtree(self._directory, ignore_errors=True)
            raise RuntimeError(f"the test vCenter did not start: {said}")
        _, url, self.instance_uuid = ready.split()
        self.port = int(url.rpartition(":")[2].partition("/")[0])

    @property
    def url(self) -> str:
        """Where a client finds it, without a name or a password."""
        return f"https://{self.host}:{self.port}"

    @property
    def certificate(self) -> Path:
        """The PEM file of the authority whose certificate is served."""
        return self.served.authority

    @property
    def pid(self) -> int:
        """The simulator's process id, 0 when it has ended."""
        return self._process.pid if self._process else 0

    @property
    def log(self) -> str:
        """What the simulator has said so far."""
        return self._log.read_text(errors="replace")

    def connect(self, **settings: Any) -> Any:
        """Return a pyVmomi ServiceInstance, logged in, with the certificate verified."""
        from pyVim.connect import SmartConnect

        return SmartConnect(
            host=self.host,
            port=self.port,
            **{"user": self.user, "pwd": self.password, "sslContext": self._trust(), **settings},
        )

    def _trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.certificate)

    def _lab(self, method: str, path: str, body: object = None) -> Any:
        connection = http.client.HTTPSConnection(self.host, self.port, timeout=30, context=self._trust())
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            answer = connection.getresponse()
            text = answer.read()
            if answer.status != http.client.OK:
                raise ValueError(f"{method} {path}: {answer.status} {text.decode().strip()}")
            return json.loads(text)
        finally:
            connection.close()

    def rules(self, rules: Iterable[Mapping[str, object]], *, folder_login: bool | None = None) -> None:
        """Replace the fault rules (see README.md); ``folder_login``: /folder asks for a session."""
        asked = "" if folder_login is None else f"?auth={int(folder_login)}"
        self._lab("PUT", f"/lab/rules{asked}", list(rules))

    def fired(self) -> list[int]:
        """Return how often each rule has had its effect, in the order they were given."""
        return [rule["fired"] for rule in self._lab("GET", "/lab/rules") or ()]

    def calls(self, *, reset: bool = False) -> dict[str, int]:
        """Return how often each method was called over the wire since the last reset."""
        counts: dict[str, int] = self._lab("DELETE" if reset else "GET", "/lab/calls")
        return counts

    def tracking(self, lie: str = "", **more: object) -> None:
        """Have change tracking lie from now on, "" for no more (see README.md)."""
        self._lab("PUT", "/lab/tracking", {"lie": lie, **more})

    def room(self, store: str, free_bytes: int, capacity_bytes: int) -> None:
        """Have a datastore be so full from now on, as soon as it is counted anew (see README.md)."""
        self._lab("PUT", "/lab/room", {"name": store, "free": free_bytes, "capacity": capacity_bytes})

    def restart(self, certificate: Certificate | None = None) -> None:
        """Start afresh on the same port, as the same vCenter, with another certificate if given."""
        self._end()
        shutil.rmtree(self._directory / "run", ignore_errors=True)
        self._start(certificate or self.served)

    def reboot(self, away_s: float, **how: object) -> None:
        """Restart its services: nobody is served for so long, sessions and tasks are gone (README.md)."""
        self._lab("PUT", "/lab/restart", {"awayMs": round(1000 * away_s), **how})

    def reboots(self) -> int:
        """Return how often its services have restarted."""
        return int(self._lab("GET", "/lab/restart"))

    def kill(self) -> None:
        """End the simulator at once, as a vCenter that goes away does."""
        if self._process:
            self._process.kill()
            self._end()

    def _end(self) -> None:
        if not self._process:
            return
        self._process.terminate()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()
        self._process = None

    def close(self) -> None:
        """End it, remove its files; fails when the simulator panicked."""
        self._end()
        if not self._directory.exists():
            return
        panics = [line for line in self.log.splitlines() if "panic" in line.lower()]
        shutil.rmtree(self._directory, ignore_errors=True)
        assert not panics, panics

    def __enter__(self) -> VCenterPeer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

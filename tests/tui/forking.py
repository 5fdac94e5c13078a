"""Children of the product by fork of a process that has loaded it: a start is most of what a child costs.

    Popen of this module ── socket, with the fds ──▶ nursery ── clone(CLONE_PARENT) ──▶ the child

The child is one of the process that tests, with the arguments, environment, directory and fds it would have
had. What is not a module of ours by ``python -P -m`` is started as ever.
"""

from __future__ import annotations

import json
import os
import platform
import socket
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

_ROOT = Path(__file__).resolve().parents[2]
_FORKS = sys.platform == "linux" and platform.machine() in ("x86_64", "aarch64")


class Popen(subprocess.Popen[bytes]):
    """``subprocess.Popen`` for modules of ours."""

    _nursery: ClassVar[subprocess.Popen[bytes] | None] = None
    _asking: ClassVar[socket.socket]
    _lock: ClassVar[threading.Lock] = threading.Lock()

    def _execute_child(self, args: Any, *more: Any) -> None:
        """Have the nursery fork; the arguments are those of Python 3.11 and later."""
        (_executable, preexec, _close, pass_fds, cwd, env, _info, _flags, shell, p2cread, p2cwrite,
         c2pread, c2pwrite, errread, errwrite, *rest) = more  # fmt: skip
        command = [os.fsdecode(part) for part in args]
        if not _FORKS or shell or preexec or command[:3] != [sys.executable, "-P", "-m"]:
            super()._execute_child(args, *more)  # type: ignore[misc]
            return
        session, group = rest[-2:]
        asked = {
            "argv": command[3:],
            "env": dict(os.environ if env is None else env),
            "cwd": os.fspath(cwd or Path.cwd()),
            "session": bool(session),
            "group": group,
            "passed": [int(fd) for fd in pass_fds],
        }
        standard = [fd if fd != -1 else number for number, fd in enumerate((p2cread, c2pwrite, errwrite))]
        self.pid = self._forked(asked, [*standard, *asked["passed"]])
        self._child_created = True
        self._close_pipe_fds(p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite)  # type: ignore[attr-defined]

    @classmethod
    def _forked(cls, asked: dict[str, Any], fds: list[int]) -> int:
        with cls._lock:
            if cls._nursery is None:
                cls._asking, far = socket.socketpair()
                with far:
                    cls._nursery = subprocess.Popen(
                        [sys.executable, "-m", "tests.tui.nursery", str(far.fileno())],
                        cwd=_ROOT,
                        pass_fds=(far.fileno(),),
                        stdin=subprocess.DEVNULL,
                        start_new_session=True,
                    )
            body = json.dumps(asked).encode()
            socket.send_fds(cls._asking, [len(body).to_bytes(4, "big")], fds)
            cls._asking.sendall(body)
            told = cls._asking.recv(4, socket.MSG_WAITALL)
            if len(told) < 4:
                raise OSError("the nursery is gone")
            return int.from_bytes(told, "big")

    @classmethod
    def close(cls) -> None:
        """Let the nursery end."""
        with cls._lock:
            if cls._nursery is not None:
                cls._asking.close()
                cls._nursery.wait()
                cls._nursery = None


SUBPROCESS = SimpleNamespace(**{**vars(subprocess), "Popen": Popen})

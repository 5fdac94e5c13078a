"""The process whose forks are the children of a process that tests; see ``tests.tui.forking``."""

from __future__ import annotations

import atexit
import ctypes
import gc
import importlib
import json
import os
import pkgutil
import platform
import runpy
import signal
import socket
import sys
import threading
import traceback
from typing import Any, NoReturn

_CLONE_PARENT = 0x8000  # the child is a child of our parent, who can wait for it then
_BEGUN = ("tui.study.child", "tui.study.judging", "tui.jobs.leashed")  # each runs as the main module
_CLONE = {"x86_64": 56, "aarch64": 220}[platform.machine()]


def main(fd: int) -> None:
    """Fork as often as it is asked for, until nobody is there to ask."""
    _load()
    gc.collect()
    gc.freeze()
    with socket.socket(fileno=fd) as asking:
        while True:
            size, fds, _flags, _address = socket.recv_fds(asking, 4, 16)
            if len(size) < 4:
                return
            asked = json.loads(asking.recv(int.from_bytes(size, "big"), socket.MSG_WAITALL))
            pid = _fork()
            if pid == 0:
                asking.close()
                _become(asked, fds)
            asking.sendall(pid.to_bytes(4, "big"))
            for one in fds:
                os.close(one)


def _load() -> None:
    """Import what the children are made of."""
    import tui.cli.verbs
    import tui.study.ops

    names = ["tui.cli.entry", "tui.cli.main", *_BEGUN]
    for package in (tui.study.ops, tui.cli.verbs):
        names += [f"{package.__name__}.{item.name}" for item in pkgutil.iter_modules(package.__path__)]
    for name in names:
        importlib.import_module(name)
    for name in _BEGUN:
        del sys.modules[name]
    assert threading.active_count() == 1


def _fork() -> int:
    """Fork a child of our parent; Python's own locks are looked after as in ``os.fork``."""
    python, libc = ctypes.pythonapi, ctypes.CDLL(None, use_errno=True)
    python.PyOS_BeforeFork()
    pid = int(libc.syscall(_CLONE, _CLONE_PARENT | signal.SIGCHLD, 0, 0, 0, 0))
    if pid == 0:
        python.PyOS_AfterFork_Child()
        return 0
    python.PyOS_AfterFork_Parent()
    if pid < 0:
        raise OSError(ctypes.get_errno(), "the child could not be forked")
    return pid


def _become(asked: dict[str, Any], fds: list[int]) -> NoReturn:
    """Be ``python -P -m`` with these arguments."""
    code = 1
    try:
        _place(asked, fds)
        runpy.run_module(asked["argv"][0], run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
    except BaseException:  # noqa: BLE001 (as the interpreter does)
        traceback.print_exc()
    finally:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code)


def _place(asked: dict[str, Any], fds: list[int]) -> None:
    if asked["session"]:
        os.setsid()
    elif asked["group"] is not None and asked["group"] >= 0:
        os.setpgid(0, asked["group"])
    high = [os.dup2(fd, 1000 + number) for number, fd in enumerate(fds)]  # out of each other's way
    for fd in fds:
        os.close(fd)
    wanted = [0, 1, 2, *asked["passed"]]
    for fd, number in zip(high, wanted, strict=True):
        os.dup2(fd, number, inheritable=True)
        os.close(fd)
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["env"])
    sys.argv = list(asked["argv"])
    signal.signal(signal.SIGINT, signal.default_int_handler)


if __name__ == "__main__":
    main(int(sys.argv[1]))

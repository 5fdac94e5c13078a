"""Becomes qemu-nbd with a listening socket and an image already open; run as a program by ``sparse``.

It may write no file and leaves no core. Arguments: number of the socket, number of the image, and
the command.
"""

from __future__ import annotations

import os
import resource
import sys

LISTENING, IMAGE = 3, 4  # where the command finds them


def main(arguments: list[str]) -> None:
    """Put both descriptors in their places and become the command."""
    os.dup2(int(arguments[0]), LISTENING)
    os.dup2(int(arguments[1]), IMAGE)
    for what in (resource.RLIMIT_FSIZE, resource.RLIMIT_CORE):
        resource.setrlimit(what, (0, 0))
    # A socket handed over is for the process that these say, and for no child of it.
    environment = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1", "PATH": os.defpath}
    os.execve(arguments[2], arguments[2:], environment)  # noqa: S606


if __name__ == "__main__":
    main(sys.argv[1:])

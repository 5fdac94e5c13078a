"""A folder that appears whole or not at all: filled beside its place and moved there at the end.

Who wants a single file puts it in the folder's own place; it is moved in the same way.
"""

from __future__ import annotations

import errno
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from planner.errors import BadInput, NoSpace
from planner.names import visible


def _vacant(target: Path) -> bool:
    return not target.exists() or (target.is_dir() and not any(target.iterdir()))


@contextmanager
def staged(target: Path) -> Iterator[Path]:
    """Give a folder to fill that becomes ``target`` when all went well; raises BadInput, NoSpace.

    ``target`` must not exist or be an empty folder: nothing of anyone else is ever replaced.
    """
    shown = visible(str(target), 120)
    folder: Path | None = None
    try:
        if not _vacant(target):
            raise BadInput(f"{shown} exists and is not empty", "name a new folder")
        target.parent.mkdir(parents=True, exist_ok=True)
        made = target.parent / f".filling-{secrets.token_hex(8)}"
        made.mkdir()
        folder = made
        yield folder
        if target.exists():
            target.rmdir()
        folder.rename(target)
        folder = None
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise NoSpace(f"{shown} cannot be written: the disk is full", "free some space") from error
        raise BadInput(
            f"{shown} cannot be written: {error.strerror}", "name a folder in a place that you may write to"
        ) from error
    finally:
        if folder is not None:
            if folder.is_dir():
                shutil.rmtree(folder, ignore_errors=True)
            else:
                folder.unlink(missing_ok=True)

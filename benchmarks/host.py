"""Facts about the machine that stand beside every figure."""

from __future__ import annotations

import datetime
import os
import platform


def facts() -> dict[str, str | int | None]:
    """Return what a reader needs to judge a figure."""
    return {
        "cpus": os.cpu_count(),
        "machine": platform.machine(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }

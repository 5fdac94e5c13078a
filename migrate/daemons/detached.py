"""Run a module as a process of its own: ``python -m migrate.daemons.detached MODULE ARGS...``.

The starter waits for a child that ends at once; the grandchild runs the module, belongs to
nobody and leaves no zombie behind.
"""

from __future__ import annotations

import os
import runpy
import sys


def main() -> None:
    """Fork, let the parent end, and run the module named by the first argument as ``__main__``."""
    module, *arguments = sys.argv[1:]
    if os.fork():
        os._exit(0)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()

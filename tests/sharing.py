"""How the tests are shared out over processes: whole files, those that take longest first.

What a module makes is then made once. Files that share something dear go to one process.
"""

from __future__ import annotations

from typing import Any

from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

_TOGETHER = {"tests/test_wheel.py": "tests/test_demo.py"}  # one showing, from one wheel
_WAITING = (  # the longest of those that mostly wait, for processes, deaths and patience
    *("tests/faults/", "tests/test_demo.py", "tests/guest/", "tests/vcenter/", "tests/migrate/protection/"),
    *("tests/tui/test_walk", "tests/tui/test_tables.py", "tests/tui/serving/"),
    *("tests/tui/cli/test_hostile.py", "tests/migrate/sites/"),
)
_COMPUTING = (  # and of those that mostly compute
    *("tests/tui/screens/", "tests/tui/test_bindings.py", "tests/simulation/", "tests/migrate/tap/"),
    *("tests/tui/guides/", "tests/tui/jobs/", "tests/tui/study/", "tests/tui/test_"),
    *("tests/properties/", "tests/migrate/journal/"),
)


class WholeFiles(LoadScopeScheduling):
    """Gives a process that runs out of tests the next file, by turns one that waits and one that computes."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._kinds = [_WAITING, _COMPUTING]

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return _TOGETHER.get(file, file)

    def _assign_work_unit(self, node: WorkerController) -> None:
        self._kinds.reverse()
        longest = next(
            (file for kind in self._kinds for file in self.workqueue if file.startswith(kind)), None
        )
        if longest is not None:
            self.workqueue.move_to_end(longest, last=False)
        super()._assign_work_unit(node)

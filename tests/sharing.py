"""How the tests are shared out over processes: whole files, those that take longest first.

What a module makes is then made once. Files that share something dear go to one process.
"""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

_TOGETHER = {"tests/test_wheel.py": "tests/test_demo.py"}  # one showing, from one wheel
_LONGEST = (
    *("tests/faults/", "tests/test_demo.py", "tests/guest/", "tests/simulation/", "tests/vcenter/"),
    "tests/migrate/tap/",
    *(
        "tests/migrate/protection/",
        "tests/tui/screens/",
        "tests/tui/test_tables.py",
        "tests/tui/test_walk.py",
    ),
    "tests/tui/test_bindings.py",
)


class WholeFiles(LoadScopeScheduling):
    """Gives a process that runs out of tests the next file."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return _TOGETHER.get(file, file)

    def _assign_work_unit(self, node: WorkerController) -> None:
        longest = next((file for file in self.workqueue if file.startswith(_LONGEST)), None)
        if longest is not None:
            self.workqueue.move_to_end(longest, last=False)
        super()._assign_work_unit(node)

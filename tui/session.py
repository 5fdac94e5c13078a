"""What the screens show, read from the project: one immutable ``View`` after another.

The session owns no work and changes nothing. It reads rows, lines and tallies by SQL, never an estate or a
whole plan; one VM or wave is read when it is looked at, on a connection of its own. Checks are run by
another process; what they said is shown only while it is current.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner.errors import NotFound, WherryError
from planner.made_by import code_on_disk
from planner.store.project import Project
from tui.details import Details
from tui.listing import Row, Tally, by_wave, joined, listed
from tui.study.judge import Judge

if TYPE_CHECKING:
    from migrate.status import ProjectStatus
    from planner.model import VM, Backing, Finding
    from planner.plan import Wave
    from planner.settings import Settings
    from planner.store.approvals import Approval
    from planner.store.judged import CheckCount, Stamp
    from planner.store.plan_waves import WaveRow
    from planner.store.plans import PlanHead

_CODE_S = 30.0  # between two looks at the program on the disk
_UNWRITTEN_S = 1.5  # between two looks at what runs while nothing is written: a death is seen soon
Tie = tuple[bool, str, int | None]  # whether the VM needs the other one, its name, the port


@dataclass(frozen=True, slots=True)
class View:
    """Everything the screens show at one moment. A part that did not change stays the same object.

    ``tallies`` and what follows from them are None or empty unless ``judging`` is "current": checks that
    ran on something else say nothing about now. ``gaps`` are kinds that the source has no word on.
    """

    name: str = ""
    status: ProjectStatus | None = None
    inventory_id: int | None = None
    gaps: frozenset[str] = frozenset()
    rows: tuple[Row, ...] = ()
    plan: PlanHead | None = None
    waves: tuple[WaveRow, ...] = ()
    approvals: dict[str, Approval] = field(default_factory=dict)
    placed: dict[str, tuple[str, str]] = field(default_factory=dict)  # VM id → wave, group
    becomes: dict[tuple[str, str], tuple[Backing, str]] = field(default_factory=dict)  # VM id, disk key
    unplanned: dict[str, str] = field(default_factory=dict)  # VM id → why it is in no wave
    judging: str = "stale"  # or "running", "current"
    tallies: Mapping[str, Tally] | None = None
    wave_tallies: dict[str, Tally] = field(default_factory=dict)
    counts: tuple[CheckCount, ...] = ()
    outdated: bool = False  # the checks are those of a wherry that another one took the place of
    settings: int = 0  # version of the settings, 0 = they were never changed
    acts: frozenset[str] = frozenset()  # every act that was ever noted
    exported: bool = False
    error: str = ""
    hint: str = ""
    complete: bool = False  # every part has been read at least once, as far as it is known

    @property
    def running(self) -> tuple[str, ...]:
        """Waves with a live run process."""
        return self.status.running if self.status else ()

    @property
    def not_yet(self) -> str:
        """What stands where something is not read yet: that it comes, or that it cannot."""
        return "cannot be read now: the line above the keys says why" if self.error else "reading …"

    @property
    def blocked(self) -> int | None:
        """Number of VMs with a blocker, None while that is not known."""
        return None if self.tallies is None else sum(tally[0] > 0 for tally in self.tallies.values())


class Session:
    """An open project as the screens read it. ``refresh`` is for one worker thread, the rest for screens."""

    def __init__(
        self,
        root: Path,
        status_of: Callable[[Project], ProjectStatus] | None = None,
        patience_s: float = 5.0,
        judges: bool = True,
        code_of: Callable[[], str] = code_on_disk,
    ) -> None:
        """Open the project; raises NotFound and BadInput.

        ``status_of`` is the read model, None means wherry's own. With ``judges`` the checks are run by
        another process whenever what is stored is not current.
        """
        self._project = Project.open(root)
        self._details = Details(root)
        self._judge = Judge(root)
        self._judges = judges
        self._status_of = status_of
        self._patience_s = patience_s
        self._lock = threading.Lock()
        self._stamp: tuple[int, ...] = ()
        self._positions: dict[str, int] = {}  # of the VMs in the rows
        self._judged: Stamp | None = None  # of the tallies shown
        self._code_of = code_of
        self._code = ""  # of the program on the disk
        self._code_at = float("-inf")
        self._wanted: Stamp | None = None  # of the tallies that another process was last asked for
        self._columns: int | None = None  # the inventory whose columns are there
        self._asked_at = float("-inf")
        self._cost_s = 0.0  # what the last status took: asking again must not eat the machine
        self.view = View(name=self._project.name)

    def close(self) -> None:
        """Close the project; a read that is under way is given two seconds to end."""
        self._judge.close()
        self._details.close()
        if self._lock.acquire(timeout=2.0):
            try:
                self._project.close()
            finally:
                self._lock.release()

    @property
    def judges(self) -> bool:
        """Whether checks, and what else is dear, may be worked out by other processes unasked."""
        return self._judges

    @property
    def root(self) -> Path:
        """The project's directory."""
        return self._project.root

    # what one thing is, read when it is looked at

    def vm(self, vm_id: str) -> VM | None:
        """Return a VM of the inventory shown, None when it is not in it."""
        number, position = self.view.inventory_id, self._positions.get(vm_id)
        return None if number is None or position is None else self._details.vm(number, position)

    def findings_of(self, vm_id: str) -> tuple[Finding, ...]:
        """Return what nobody waived of a VM's findings, the heaviest first; none while not current."""
        return () if self.view.tallies is None else self._details.findings(self._judged, vm_id)

    def ties_of(self, vm_id: str) -> tuple[Tie, ...] | None:
        """Return what a VM needs, then what needs it; None while nobody has worked it out."""
        number, position, rows = self.view.inventory_id, self._positions.get(vm_id), self.view.rows
        if number is None or position is None:
            return ()
        found = self._details.neighbours(number, position)
        if found is None:
            return None
        return tuple(
            (tie.needs, tie.id if tie.position is None else rows[tie.position][1], tie.port) for tie in found
        )

    def wave(self, name: str) -> Wave:
        """Return a wave of the plan shown; raises NotFound."""
        plan = self.view.plan
        if plan is None:
            raise NotFound("the project has no plan yet", "run 'wherry plan' first")
        return self._details.wave(plan.version, name)

    def settings(self) -> Settings:
        """Return the settings in force."""
        return self._details.settings(self.view.settings)

    def plan_is_older_than(self) -> str:
        """Return what is newer than the plan shown: inventory or settings, empty for neither."""
        plan, number = self.view.plan, self.view.inventory_id
        if plan is None or number is None:
            return ""
        if plan.inventory != self._details.inventory_fingerprint(number):
            return "inventory"
        return "" if plan.settings == self.settings().fingerprint else "settings"

    # filters

    def saved_filters(self, place: str = "inventory") -> Mapping[str, str]:
        """Return the saved filters of a place, by name."""
        return self._details.filtering.saved(place)

    def matching(self, text: str, rows: Sequence[Row]) -> list[int]:
        """Return which of the inventory's rows match, by index; raises BadInput and NotFound."""
        number = self.view.inventory_id
        return [] if number is None else self._details.filtering.matching(text, number, rows)

    def completed(self, text: str) -> str:
        """Return a filter of the inventory with what could follow it, empty for nothing."""
        number = self.view.inventory_id
        return "" if number is None else self._details.filtering.completed(text, number, self.view.rows)

    # reading on

    def judge(self) -> None:
        """Have the checks run by another process, unless they are; ``refresh`` polls it."""
        self._judge.start()

    def refresh(self, force: bool = False) -> Iterator[View]:
        """Yield newer views, the quickest first; nothing when nothing changed or a read is under way."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            for view in self._read(force):
                if view is not self.view:
                    self.view = view
                    yield view
        except (WherryError, sqlite3.Error) as error:
            self._asked_at = float("-inf")
            view = replace(self.view, error=_sentence(error), hint=getattr(error, "hint", ""))
            if view != self.view:
                self.view = view
                yield view
        finally:
            self._lock.release()

    def _read(self, force: bool) -> Iterator[View]:
        old, stamp = self.view, self._newest()
        number = stamp[1] or None
        if number != old.inventory_id:
            old = self._with_inventory(old, number)
            if not old.complete:
                yield old  # the rows alone, nothing else is shown yet: all else loads more than they do
            old = self._with_gaps(old)
            yield old
        if stamp[2] != (old.plan.version if old.plan else 0):
            old = self._with_plan(old)
            yield old
        if old.plan is not None and stamp[2:4] != self._stamp[2:4]:
            from planner.store import approvals

            given = approvals.standing(self._project, old.plan.version)
            if given != old.approvals:
                old = replace(old, approvals=given)
        old = self._with_acts(old, stamp)
        old = self._with_status(old, stamp, force)
        self._stamp = stamp
        yield old
        old = self._with_tallies(old)
        if number is not None and not old.complete:
            self._details.vm(number, 0)  # what a first look at a VM would wait for
        if not old.complete or old.error:
            old = replace(old, complete=True, error="", hint="")
        yield old
        yield self._with_columns(old)

    def _newest(self) -> tuple[int, ...]:
        row = self._project.rows(
            "SELECT (SELECT max(id) FROM inventory WHERE role = 'source'), (SELECT max(version) FROM plan),"
            " (SELECT max(id) FROM approval), (SELECT max(version) FROM settings),"
            " (SELECT max(seq) FROM audit)"
        )[0]
        changes = self._project.rows("PRAGMA data_version")[0][0]
        return (int(changes), *(int(value or 0) for value in row))

    def _with_inventory(self, view: View, number: int | None) -> View:
        self._judged = None
        if number is None:
            return replace(view, inventory_id=None, rows=(), gaps=frozenset(), **_UNJUDGED)
        rows = listed(self._project, number, view.placed, None)
        self._positions = {row[0]: position for position, row in enumerate(rows)}
        return replace(view, inventory_id=number, rows=rows, gaps=frozenset(), **_UNJUDGED)

    def _with_gaps(self, view: View) -> View:
        from planner.store import inventories

        if view.inventory_id is None:
            return view
        return replace(view, gaps=inventories.gaps(self._project, view.inventory_id))

    def _with_plan(self, view: View) -> View:
        from planner.store import plans

        head = plans.find_head(self._project)
        if head is None:
            return replace(view, plan=None)
        placed = plans.placed(self._project, head.version)
        return replace(
            view,
            plan=head,
            waves=plans.waves(self._project, head.version),
            placed=placed,
            becomes=plans.becomes(self._project, head.version),
            unplanned=plans.unplanned(self._project, head.version),
            rows=joined(view.rows, placed, view.tallies),
            wave_tallies={} if view.tallies is None else by_wave(placed, view.tallies),
        )

    def _with_acts(self, view: View, stamp: tuple[int, ...]) -> View:
        papers = self._project.root / "exports"
        exported = papers.is_dir() and any(papers.iterdir())
        if stamp[4:] == self._stamp[4:] and exported == view.exported:
            return view
        acts = frozenset(row["act"] for row in self._project.rows("SELECT DISTINCT act FROM audit"))
        return replace(view, settings=stamp[4], acts=acts, exported=exported)

    def _with_status(self, view: View, stamp: tuple[int, ...], force: bool) -> View:
        now = time.monotonic()
        same = stamp == self._stamp
        if view.running:
            least_s, times = _UNWRITTEN_S if same else 0.0, 10
        else:  # while nothing is written only a commit window may have ended
            least_s, times = self._patience_s, 100 if same else 10
        wait_s = max(least_s, times * self._cost_s)
        due = now - self._asked_at >= wait_s
        changed = stamp != self._stamp and now - self._asked_at >= 10 * self._cost_s
        if not (force or due or changed or stamp[1:4] != self._stamp[1:4] or view.status is None):
            return view
        if self._status_of is None:
            from migrate.status import project_status

            self._status_of = project_status
        status = self._status_of(self._project)
        self._asked_at = time.monotonic()
        self._cost_s = self._asked_at - now
        return view if status == view.status else replace(view, status=status)

    def _with_tallies(self, view: View) -> View:
        from planner.store import judged

        if view.inventory_id is None:
            return view
        stamp = judged.fresh(self._project, on_disk=self._code_of)
        if stamp is None or stamp.inventory != view.inventory_id:
            return self._without_tallies(view)
        outdated = stamp.code != self._newest_code()
        if stamp == self._judged:
            return view if outdated == view.outdated else replace(view, outdated=outdated)
        found = judged.tally_rows(self._project, stale=True)
        counts = judged.counts(self._project, stale=True)
        if judged.fresh(self._project, on_disk=self._code_of) != stamp:
            return view  # another process judged in between
        tallies = {row[0]: tally for row, tally in zip(view.rows, found, strict=True)}
        self._judged = stamp
        return replace(
            view,
            judging="current",
            tallies=tallies,
            rows=joined(view.rows, view.placed, tallies),
            wave_tallies=by_wave(view.placed, tallies),
            counts=counts,
            outdated=outdated,
        )

    def _newest_code(self) -> str:
        """Return the digest of the program on the disk, looked at now and then: it is many files."""
        now = time.monotonic()
        if now - self._code_at >= _CODE_S:
            self._code, self._code_at = self._code_of(), now
        return self._code

    def _without_tallies(self, view: View) -> View:
        from planner.store import judged

        self._judged = None
        wanted = judged.stamp(self._project)
        if self._judges and wanted != self._wanted and not self._judge.running:
            self._wanted = wanted  # one that fails, or that a newer wherry answers, is not tried for ever
            self._judge.start()
        judging = "running" if self._judge.running else "stale"
        if view.tallies is None:
            return view if view.judging == judging else replace(view, judging=judging)
        rows = joined(view.rows, view.placed, None)
        return replace(view, rows=rows, **{**_UNJUDGED, "judging": judging})

    def _with_columns(self, view: View) -> View:
        """Show the same rows anew once they can be filtered by everything: filters are asked again."""
        number = view.inventory_id
        if number is None or number == self._columns or not self._details.warm(self._project, number):
            return view
        self._columns = number
        rows = (*view.rows,)
        self._details.filtering.warm_rows(rows)
        return replace(view, rows=rows)


_UNJUDGED: dict[str, Any] = {
    "judging": "stale",
    "tallies": None,
    "wave_tallies": {},
    "counts": (),
    "outdated": False,
}


def _sentence(error: Any) -> str:
    if isinstance(error, WherryError):
        return error.message
    return f"the project cannot be read now: {error}"

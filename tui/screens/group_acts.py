"""What is done on a protection group's page: each asks first, then does what its verb does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from planner.names import visible
from tui.actions.action import Action
from tui.dialogs.checkpoint import checkpoint_form
from tui.dialogs.confirm import Confirm
from tui.dialogs.form import Ask
from tui.jobs import orders
from tui.jobs.job import Job
from tui.screens.checkpointed import say_checkpoint
from tui.screens.group_words import has_come_home
from tui.screens.live_place import LivePlace
from tui.screens.overlooking import Overlooking
from tui.screens.restoring import Restoring
from tui.screens.steering import no_return
from tui.screens.table_place import TablePlace
from tui.text import line, stack

if TYPE_CHECKING:
    from planner.store.project import Project
    from tui.acts.histories import GroupTold
    from tui.jobs.orders import Order
    from tui.live.document import WaveNow

_OF_POINT = ("pin", "serve", "boot", "restore", "onto")
_HOMEWARD = ("committed", "reverse protected")


class GroupActs(Restoring, LivePlace, TablePlace, Overlooking):
    """A page about one group. Subclasses know it and the checkpoint under the cursor."""

    title_of_group = ""  # WAVE/GROUP

    @property
    def told(self) -> GroupTold | None:
        """The group as it was read last."""
        raise NotImplementedError

    @property
    def point(self) -> Mapping[str, Any] | None:
        """The checkpoint under the cursor."""
        raise NotImplementedError

    @property
    def now(self) -> WaveNow | None:
        """The wave as it is."""
        return self.live.wave(self.watched)

    def read_group(self) -> None:
        """Read the group again."""
        raise NotImplementedError

    def look_now(self) -> None:
        """Look again: something was just done."""
        super().look_now()
        self.read_group()

    # why not

    def why_not(self, action: Action) -> str:
        """Say also what has to be there first."""
        if why := super().why_not(action):
            return why
        if not self.ready or not action.id.startswith("group."):
            return ""
        return self._why_not(action.id.removeprefix("group."))

    def _why_not(self, name: str) -> str:
        wave, point = self.now, self.point
        called = visible(self.watched, 20)
        if wave is None:
            return f"{called} is in no plan any more"
        if name in _OF_POINT and point is None:
            return "there is no checkpoint under the cursor"
        stage = wave.status.stage
        match name:
            case "checkpoint" | "verify" if wave.run is None:
                return f"nothing of {called} is copied yet"
            case "overlook" if wave.run is None:
                return f"no run of {called} is under way"
            case "back" if stage not in (*_HOMEWARD, "failing back"):
                return f"{called} is {stage}: before commit the way back is b in 7 Cutover"
            case "back" | "commit" if stage == "failed back":
                return f"{called} came home, and that is committed"
            case "back" if has_come_home(self.told, wave):
                return f"{called} runs at its source already: c commits that"
            case "commit" if has_come_home(self.told, wave):
                return ""
            case "commit" if stage != "before commit" and wave.status.state != "before commit":
                return f"{called} is {stage}: it has not come to its commit gate"
        return ""

    # checkpoints

    def action_group_pin(self) -> None:
        """Keep the checkpoint under the cursor until it is unpinned, or let it age."""
        if (point := self.point) is None:
            return
        title, record, pinned = self.title_of_group, int(point["record"]), not point["pinned"]

        def work(project: Project, told: list[str]) -> str:
            from tui.acts import histories

            histories.pin(project, title, record, pinned)
            return (
                f"checkpoint {record} {'is kept until it is unpinned' if pinned else 'ages like any other'}"
            )

        self._act(work)

    def action_group_checkpoint(self) -> None:
        """Ask for a name and make a checkpoint."""
        title = self.title_of_group

        def do(told: Mapping[str, str] | None) -> None:
            if told is not None:
                self._work(
                    orders.checkpoint(title, told["name"].strip(), told["pin"] == "yes"), self._checkpointed
                )

        self.app.push_screen(checkpoint_form(title), do)

    def _checkpointed(self, job: Job) -> None:
        self.look_now()
        say_checkpoint(self, job)

    def action_group_verify(self) -> None:
        """Read every replica of the wave again."""
        wave = self.watched
        said = line("Every replica is read at the target and held against the record. Nothing is changed.")
        self.app.push_screen(
            Confirm(f"Verify {visible(wave, 40)}?", said, "Verify"),
            lambda yes: self._work(orders.verify(wave)) if yes else None,
        )

    def _work(self, order: Order, then: Callable[[Job], None] | None = None) -> None:
        """Start a job, which can be stopped or left alone; the page shows what came of it."""
        job = Job(order.argv(self.wherry.session.root), order.title)
        self.wherry.start(job, then or (lambda _job: self.look_now()))

    # copies

    @property
    def serving(self) -> Job | None:
        """The job that serves disks of this group, or that failed to."""
        mine = [job for job in self.wherry.aside if job.argv[-2:-1] == (self.title_of_group,)]
        return mine[-1] if mine else None

    def action_group_serve(self) -> None:
        """Serve the disks as they were at the checkpoint; again ends it."""
        job, point = self.serving, self.point
        if job is not None and job.state.running:
            job.stop()
            self.say("the disks are not served any more", "dim")
            return
        if point is None:
            return
        record = int(point["record"])
        lines = [
            line("They are served over NBD, for reading, at a socket of this machine. d ends it."),
            line("The checkpoint stays as it is. Leaving the application ends it too."),
        ]

        def do(yes: bool | None) -> None:
            if yes:
                order = orders.serve_image(self.title_of_group, record)
                root = self.wherry.session.root
                told = Job(order.argv(root), order.title, on_change=lambda *_: self._heard())
                self.wherry.start_aside(told)

        title = f"Serve {visible(self.title_of_group, 40)} as it was at {record}?"
        self.app.push_screen(Confirm(title, stack(lines), "Serve"), do)

    def _heard(self) -> None:
        self.post_from_thread(self.Done(self.show_point))

    def show_point(self) -> None:
        """Show the checkpoint under the cursor, and what is served."""
        raise NotImplementedError

    def action_group_boot(self) -> None:
        """Boot a copy of the wave as it was at the checkpoint; it is probed and removed again."""
        if (point := self.point) is None:
            return
        record, wave, now = int(point["record"]), self.watched, self.now
        lines = [
            line(f"Disks as they were at checkpoint {record} are copied and started under other names,"),
            line("on isolated networks, probed, and removed again. Replication goes on meanwhile."),
        ]
        kept = self.told.told if self.told is not None else None
        is_newest = kept is not None and point["record"] == kept["checkpoints"][-1]["record"]
        if now is not None and now.copies is not None and len(now.copies.groups) > 1:
            others = "their newest" if is_newest else "the newest that is not newer"
            lines.append(line(f"Of the other groups of {visible(wave, 20)}: {others}."))
        order = orders.boot(wave, {self.title_of_group: str(record)}, newest=is_newest)
        self._ask("Boot a copy of", lines, [], "Boot", lambda given: self._work(order, self._booted))

    def _booted(self, job: Job) -> None:
        from tui.screens.booted_words import show_booted

        self.look_now()
        show_booted(self, job)

    # on and back

    def action_group_overlook(self) -> None:
        """Let the run go on beside snapshots of others that are there now."""
        self.overlook()

    def action_group_back(self) -> None:
        """Bring the wave home to its source."""
        from migrate.run.execute import Purpose
        from tui.screens.group_words import failback_lines

        told = self.told
        lines = [
            line("What the target wrote is copied back. Then VMs stop there, and start at the source."),
            *(failback_lines(told.home) if told is not None and told.home is not None else ()),
            line("It stops at its own commit gate: until then it can be rolled back."),
        ]
        self._ask("Fail back", lines, [], "Fail back", lambda given: self._order(Purpose.FAILBACK))

    def action_group_commit(self) -> None:
        """Commit the wave: after it there is no rollback."""
        from migrate.run.execute import Purpose

        asks = [Ask("ticket", "Change ticket, where the gate asks for one")]
        lines = [no_return(has_come_home(self.told, self.now))]
        self._ask("Commit", lines, asks, "Commit",
                  lambda given: self._order(Purpose.COMMIT, given["ticket"].strip()))  # fmt: skip

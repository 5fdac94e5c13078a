"""The levers of 6 Replicate: each asks first, then does what its verb does, by the same function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from planner.names import visible
from planner.units import show_bytes
from tui.dialogs.checkpoint import checkpoint_form
from tui.dialogs.confirm import Confirm
from tui.dialogs.form import Ask, Form
from tui.dialogs.reader import Reader
from tui.dialogs.work import Work
from tui.jobs import orders
from tui.jobs.job import Job
from tui.live.document import WaveNow
from tui.screens.checkpointed import say_checkpoint
from tui.screens.live_place import LivePlace
from tui.screens.overlooking import Overlooking
from tui.screens.replicate_words import describe_maps
from tui.screens.table_place import TablePlace
from tui.text import line, plural, stack

if TYPE_CHECKING:
    from textual.content import Content

    from migrate.disk_maps import DiskMap
    from tui.live.lanes import Lane

_BEGUN = frozenset({"committed", "failed back"})
_LIMIT = "transfers.limit_mbit"


class ReplicateActs(LivePlace, TablePlace, Overlooking):
    """Steering what runs do. Subclasses know the lane under the cursor."""

    @property
    def lane(self) -> Lane | None:
        """The lane under the cursor."""
        raise NotImplementedError

    def why_no_lever(self, name: str, lane: Lane) -> str:
        """Return why a lever does nothing for a lane now, empty when it does something."""
        wave = self.live.wave(lane.wave)
        if wave is None or name in ("fold", "unfold"):
            return ""
        status = wave.status
        match name:
            case "map" if lane.depth < 2:
                return "go to a VM: its disks are drawn"
            case "pause" if not wave.driven and not _waits(wave):
                return f"no process drives {visible(lane.wave, 20)}, so there is nothing to pause"
            case "resume" if wave.run is None or status.stage in _BEGUN:
                return f"{visible(lane.wave, 20)} is not under way: n begins it"
            case "sync" if not status.approved_by and wave.run is None:
                return f"{visible(lane.wave, 20)} is not approved: A in 4 Waves"
            case "overlook" if wave.run is None:
                return f"no run of {visible(lane.wave, 20)} is under way"
            case "checkpoint" | "verify" if wave.run is None:
                return f"nothing of {visible(lane.wave, 20)} is copied yet"
            case "checkpoint" if not lane.group and _groups(wave) != 1:
                return "go to a group: a checkpoint is of one"
        return ""

    def _here(self) -> WaveNow | None:
        lane = self.lane
        return self.live.wave(lane.wave) if lane is not None else None

    def unbegun(self) -> str:
        """Return the wave under the cursor when it is approved and nothing of it was begun, else nothing."""
        wave = self._here()
        if wave is None or wave.run is not None or wave.order is not None or not wave.status.approved_by:
            return ""
        return wave.name

    def _asked(self, op: str, busy: str, said: str, **args: Any) -> None:
        """Ask the study for a lever, and look at what comes of it."""

        def done(answer: Any) -> None:
            words = [said, *(answer.get("said", ()) if isinstance(answer, dict) else ())]
            self.say(f"✔ {visible(' · '.join(words), 300)}", "good")
            self.look_now()
            self.wherry.read_again()

        self.say(f"◐ {busy} …", "dim")
        self.wherry.ask(op, args, done, busy)

    # runs

    def action_replicate_pause(self) -> None:
        """Ask whoever drives the wave to stop."""
        if (wave := self._here()) is None:
            return
        name = visible(wave.name, 40)
        lines = [
            line(f"{name} stops at the next edge: between two steps, or two blocks of a transfer."),
            line("What is done stays done; r goes on from there."),
        ]
        if _waits(wave):
            lines = [line(f"{name} waits for its cutover and is not brought up to date any more until r.")]
        then = f"{name} {'is not brought up to date until r' if _waits(wave) else 'stops at its next edge'}"
        self.app.push_screen(
            Confirm(f"Pause {name}?", stack(lines), "Pause"),
            lambda yes: self._asked("run.pause", f"pause {name}", then, wave=wave.name) if yes else None,
        )

    def action_replicate_resume(self) -> None:
        """Have the engine go on with the wave where it stands."""
        if (wave := self._here()) is None:
            return
        name = visible(wave.name, 40)
        lines = [
            line(f"{name} is {visible(wave.status.state)}. It goes on the way it went: forward, or back."),
            line("The engine does it; it is started if none is at work."),
        ]
        if wave.status.why:
            lines.insert(1, line(("it failed: ", "warn"), visible(wave.status.why, 300)))
        self.app.push_screen(
            Confirm(f"Go on with {name}?", stack(lines), "Go on", typed=wave.name),
            lambda yes: (
                self._asked("run.resume", f"resume {name}", f"{name} goes on", wave=wave.name)
                if yes
                else None
            ),
        )

    def action_replicate_sync(self) -> None:
        """Have the engine bring the copies of the wave up to date, or make them."""
        if (wave := self._here()) is None:
            return
        name, reverse = visible(wave.name, 40), wave.status.stage == "reverse protected"
        what = (
            "its first copies are made"
            if wave.run is None
            else "one more round of deltas is copied and proven"
        )
        lines = [line(f"{name}: {what}{', from the target to the source' if reverse else ''}."),
                 line("VMs go on running; they get a snapshot for as long as the copy takes."),
                 line("It stops at the gate of its cutover.")]  # fmt: skip
        then = f"{name} is being brought up to date"
        self.app.push_screen(
            Confirm(f"Bring {name} up to date now?", stack(lines), "Sync now", typed=wave.name),
            lambda yes: (
                self._asked("run.sync", f"sync {name}", then, wave=wave.name, reverse=reverse)
                if yes
                else None
            ),
        )

    def action_replicate_overlook(self) -> None:
        """Let the run go on beside snapshots of others that are there now."""
        if (wave := self._here()) is not None:
            self.watched = wave.name
            self.overlook()

    def action_replicate_map(self) -> None:
        """Draw where the disks of the VM under the cursor changed, round by round."""
        if (lane := self.lane) is None:
            return
        root, wave, vm = self.wherry.session.root, lane.wave, lane.vm

        def look() -> tuple[DiskMap, ...]:
            from migrate.disk_maps import disk_maps
            from planner.store.project import Project

            with Project.open(root) as project:
                return disk_maps(project, wave, vm)

        def show(found: tuple[DiskMap, ...]) -> None:
            told = describe_maps(found, self.size.width)
            self.app.push_screen(Reader(f"Where the disks of {visible(lane.name, 40)} change", told))

        self.in_thread(look, show, self.say_failed)

    # checkpoints and replicas

    def action_replicate_checkpoint(self) -> None:
        """Ask for a name and make a checkpoint of the group."""
        lane, wave = self.lane, self._here()
        if lane is None or wave is None or wave.copies is None:
            return
        group = f"{wave.name}/{lane.group or wave.copies.groups[0].group}"
        self.app.push_screen(
            checkpoint_form(group), lambda told: self._checkpoint(group, told) if told else None
        )

    def _checkpoint(self, group: str, told: Mapping[str, str]) -> None:
        order = orders.checkpoint(group, told["name"].strip(), told["pin"] == "yes")
        job = Job(order.argv(self.wherry.session.root), order.title)
        self.wherry.start(job, lambda done: say_checkpoint(self, done))

    def action_replicate_verify(self) -> None:
        """Read every replica of the wave again."""
        if (wave := self._here()) is None:
            return
        name = visible(wave.name, 40)
        size = sum(one.size_bytes for one in wave.copies.vms) if wave.copies else 0
        lines = [
            line(f"Every replica of {name} is read at the target and held against the record: about "
                 f"{show_bytes(size)}."),
            line("Nothing is changed. Leaving the application ends it."),
        ]  # fmt: skip
        self.app.push_screen(
            Confirm(f"Verify {name}?", stack(lines), "Verify"),
            lambda yes: self._verify(wave.name) if yes else None,
        )

    def _verify(self, wave: str) -> None:
        order = orders.verify(wave)
        self.wherry.start(Job(order.argv(self.wherry.session.root), order.title), self._verified)

    def _verified(self, job: Job) -> None:
        found = job.state.document
        if isinstance(found, list):
            self._close_work()
            self.app.push_screen(Reader(visible(job.state.title), stack(_verdicts(found))))

    def _close_work(self) -> None:
        if isinstance(self.app.screen, Work):
            self.app.pop_screen()  # what it led to is under it

    # the line

    def action_replicate_throttle(self) -> None:
        """Limit what all transfers together may take, under way or not."""
        limit = self.wherry.session.settings().transfers.limit_mbit
        ask = Ask("limit", "Mbit/s for all transfers together, empty for no limit of their own",
                  "" if limit is None else f"{limit:g}", placeholder="200", judge=_wrong_limit)  # fmt: skip
        lines = [line("It counts within a second for what is under way, and shapes no plan."),
                 line("The calendar of the line (0 Settings) may allow less.")]  # fmt: skip
        form = Form("Limit all transfers", [ask], "Set it", stack(lines))
        self.app.push_screen(
            form, lambda told: self._throttle(told["limit"].strip()) if told is not None else None
        )

    def _throttle(self, text: str) -> None:
        said = f"at most {text} Mbit/s from now on" if text else "no limit of their own any more"
        self._asked("settings.set", "set the limit", said, values={_LIMIT: float(text) if text else None})


def _waits(wave: WaveNow) -> bool:
    """Return whether a wave waits for its go, or its copies are kept up to date."""
    return wave.status.stage in ("in sync", "rehearsed", "ready", "reverse protected")


def _groups(wave: WaveNow) -> int:
    return len(wave.copies.groups) if wave.copies is not None else 0


def _wrong_limit(text: str) -> str:
    """Return what is wrong with a limit as it was typed."""
    if not text.strip():
        return ""
    try:
        limit = float(text)
    except ValueError:
        limit = 0.0
    return "" if 0 < limit < 1e9 else f"{visible(text, 20)!r} is no rate in Mbit/s above 0"


def _verdicts(found: Sequence[Mapping[str, Any]]) -> list[Content]:
    """Return what was found of each replica, those that differ first."""
    from migrate.verification import Verdict

    ill = (Verdict.DIFFERS, Verdict.MISSING)
    marks = {**dict.fromkeys(ill, ("✖", "bad")), Verdict.EQUAL: ("✔", "good"), Verdict.SEEDED: ("✔", "good")}
    wrong = [one for one in found if one["verdict"] in ill]
    if wrong:
        said = f"✖ {len(wrong)} of {plural(len(found), 'replica')} differ from the record: do not cut over"
        lines = [line((said, "bad"))]
    else:
        lines = [line((f"✔ none of {plural(len(found), 'replica')} differs from the record", "good"))]
    for one in (*wrong, *(one for one in found if one not in wrong)):
        mark = marks.get(one["verdict"], ("·", "dim"))
        proof = (f"  {visible(str(one['recorded_by']), 60)}", "dim")
        lines.append(line(mark, f" {visible(str(one['disk']), 60)}  {visible(str(one['verdict']))}", proof))
    return lines

"""Words at gates, cutover, way back and commit in 7 Cutover: each has its dialog and calls its verb."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.effects import Effect
from planner.names import visible
from tui.actions.action import Action
from tui.screens.cutover_levers import LeversPlace
from tui.screens.cutover_words import gate_lines
from tui.screens.steering import Said, Work, no_return
from tui.text import line

if TYPE_CHECKING:
    from migrate.sheet import Sheet
    from planner.store.project import Project

_AT_GATES = ("cutover.approve", "cutover.hold", "cutover.refuse", "cutover.release")
_OF_REPLAY = ("earlier", "later", "step_back", "step_on", "gate_back", "gate_on", "jump")


class ActingPlace(LeversPlace):
    """The levers of the run that is shown."""

    # why not

    def why_not(self, action: Action) -> str:
        """Say also what the run's state does not let be done."""
        if why := super().why_not(action):
            return why
        if not self.ready:
            return ""
        if self.replaying and action.effect in (Effect.DRY_RUN, Effect.LIVE, Effect.DESTRUCTIVE):
            return "this is a replay: p goes back to now"
        if not action.id.startswith("cutover."):
            return ""
        name = action.id.removeprefix("cutover.")
        if name in _OF_REPLAY:
            return "" if self.replaying else "p replays this run first"
        if name == "wave":
            return ""
        if name == "go":
            return self._why_no_go()
        if self.sheet is None:
            return "there is no run here: o cuts a wave over, w chooses another one"
        return self._why_not_of(action, self.sheet) if name not in ("replay", "here") else ""

    def _why_no_go(self) -> str:
        from migrate.run.runbook import GO

        if not self.watched:
            return "there is no wave to cut over: plan and approve one first, 4 Waves"
        sheet = self.sheet
        if sheet is not None and not sheet.outcome:
            step = sheet.step(GO)
            if sheet.mode.value != "forward":
                return "the run is on its way back: m goes on with it"
            if step is not None and step.status == "done":
                return "it is past its go: m goes on, a says yes at a gate"
        return ""

    def _why_not_of(self, action: Action, sheet: Sheet) -> str:
        if sheet.outcome:
            return f"the run is over: {sheet.outcome}"
        if action.id in _AT_GATES:
            return "" if self.gate is not None else "no gate of this run is open to words now"
        now = self.now
        driven = now is not None and now.driven
        match action.id:
            case "cutover.pause" if not driven and not _waits_for_go(sheet):
                return "no process drives this run, so there is nothing to hold"
            case "cutover.resume" if driven:
                return "it goes on already"
            case "cutover.retry" if not any(step.may_retry for step in sheet.steps):
                return "no step failed"
            case "cutover.ask" if self.step is None or self.step.kind != "probe":
                return "go to a probe: it is asked once, now"
            case "cutover.ask" if self.is_asking:
                return "a probe is being asked"
            case "cutover.skip":
                step = self.step
                if step is None or not step.may_skip:
                    return "only probes, hooks, notes and the freeze before the stop are passed over"
            case "cutover.back" if sheet.gates.back.verb == "failback":
                return "it is past commit: the way back is 'wherry failback'"
            case "cutover.back" if sheet.mode.value != "forward":
                return "it is on its way back: m goes on with it"
            case "cutover.commit":
                from migrate.run.runbook import COMMIT

                step = sheet.step(COMMIT)
                if step is None or step.status != "waits":
                    return "it has not come to its commit gate"
        return ""

    # words at gates

    def action_cutover_approve(self) -> None:
        """Say yes at a gate."""
        self._word("approve", "Say yes at", "Go on", ticket=True)

    def action_cutover_hold(self) -> None:
        """Say wait at a gate."""
        self._word("hold", "Hold", "Hold", reason=True, typed=False)

    def action_cutover_refuse(self) -> None:
        """Say no at a gate."""
        self._word("refuse", "Say no at", "Refuse", reason=True, typed=False)

    def action_cutover_release(self) -> None:
        """Take back what was said at a gate."""
        self._word("release", "Take your word back at", "Take back")

    def _word(
        self,
        verdict: str,
        title: str,
        yes: str,
        *,
        ticket: bool = False,
        reason: bool = False,
        typed: bool = True,
    ) -> None:
        from migrate.gates.opening import rule_of
        from tui.dialogs.form import Ask

        seen = self.gate
        if seen is None or self.sheet is None:
            return
        gate, wave = seen.gate.id, self.sheet.run.wave
        asks = []
        if ticket and (pattern := rule_of(seen.gate).ticket):
            asks.append(Ask("ticket", f"Change ticket, like {visible(pattern)}", needed=True))
        if reason:
            asks.append(Ask("reason", "Why: others read it at the gate", needed=True))

        def work(given: Said) -> Work:
            def say(project: Project, told: list[str]) -> str:
                from migrate.gates import seeing
                from migrate.gates.words import Verdict
                from tui.acts import conducting, ordering

                run, history = seeing.under_way(project, wave)
                conducting.say(project, run, history, gate, Verdict(verdict), given.get("ticket", ""),
                               given.get("reason", ""))  # fmt: skip
                ordering.wake(project, told.append)
                found = seeing.see(project, run, history, self.wherry.now()).gate(gate)
                needs = f": it needs {', '.join(found.missing)}" if found.missing else ""
                return f"{wave}: {gate} is {found.state}{needs}"

            return say

        said = [*gate_lines(seen), self._cost()]
        self._ask(f"{title} {gate} of", said, asks, yes, lambda given: self._act(work(given)), typed)

    # verbs of the engine

    def action_cutover_go(self) -> None:
        """Cut the wave over, or bring it home."""
        from migrate.gates.opening import rule_of
        from migrate.run.execute import Purpose
        from migrate.run.runbook import GO
        from tui.dialogs.form import Ask

        sheet = self.sheet if self.sheet is not None and not self.sheet.outcome else None
        home = sheet is not None and sheet.homeward
        first = "Deltas" if home else "Seed and deltas"
        here, there = ("target", "source") if home else ("source", "target")
        said = [
            line(
                f"{first} that are missing come first. Then VMs stop at the {here}, and start at the {there}."
            )
        ]
        asks = []
        if sheet is not None:
            seen = sheet.gates.gate(GO)
            said += gate_lines(seen)
            if pattern := rule_of(seen.gate).ticket:
                asks = [Ask("ticket", f"Change ticket, like {visible(pattern)}")]
        purpose, title = (Purpose.FAILBACK, "Bring home") if home else (Purpose.CUTOVER, "Cut over")
        self._ask(title, [*said, self._cost()], asks, title,
                  lambda given: self._order(purpose, given.get("ticket", "")))  # fmt: skip

    def action_cutover_back(self) -> None:
        """Go back to where the run began: what the target wrote is asked of it first."""
        from migrate.run.execute import Purpose

        sheet = self.sheet
        if sheet is None:
            return
        verb = sheet.gates.back.verb
        root = self.wherry.session.root

        def ask_target() -> str:
            """Say what is lost by going back; a site that does not answer leaves it unknown."""
            if not sheet.gates.back.on_since:
                return ""
            from dataclasses import replace

            from migrate.gates import way_back
            from migrate.run import store as runs
            from planner.store.project import Project
            from tui.cli.way_back import loss

            with Project.open(root) as project:
                history = runs.history(project, sheet.run)
                written = way_back.ask_target(project, history, homeward=sheet.homeward)
            return f"{loss(replace(sheet.gates.back, written_bytes=written))}, kept as a checkpoint"

        def ask(lost: str) -> None:
            said = [self._cost(), *([line((f"▲ {visible(lost)}", "warn"))] if lost else [])]
            said += [line((f"  undo {visible(step.title)}", "dim")) for step in sheet.gates.back.steps[:6]]
            title = "Roll back" if verb == "rollback" else "Abort"
            self._ask(title, said, [], title, lambda given: self._order(Purpose(verb)))

        self.in_thread(ask_target, ask, lambda said, hint: self.say(f"✖ {visible(said)}", "bad"))

    def action_cutover_commit(self) -> None:
        """Commit: after it there is no rollback."""
        from migrate.gates.opening import rule_of
        from migrate.run.execute import Purpose
        from migrate.run.runbook import COMMIT
        from tui.dialogs.form import Ask

        if self.sheet is None:
            return
        seen = self.sheet.gates.gate(COMMIT)
        pattern = rule_of(seen.gate).ticket
        asks = [Ask("ticket", f"Change ticket, like {visible(pattern)}")] if pattern else []
        said = [no_return(self.sheet.homeward), *gate_lines(seen)]
        self._ask("Commit", said, asks, "Commit",
                  lambda given: self._order(Purpose.COMMIT, given.get("ticket", "")))  # fmt: skip


def _waits_for_go(sheet: Sheet) -> bool:
    from migrate.run.runbook import GO

    step = sheet.step(GO)
    return step is not None and step.status == "waits"

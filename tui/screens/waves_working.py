"""What 4 Waves has done elsewhere: planning and what-if as jobs, approving, why, differences, scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from planner.names import visible
from tui.dialogs.confirm import Confirm
from tui.dialogs.form import Form
from tui.dialogs.pick import Choice, Pick
from tui.dialogs.reader import Reader
from tui.dialogs.work import Work
from tui.jobs import orders
from tui.jobs.job import Job
from tui.jobs.orders import Order
from tui.screens.wave_detail import describe_content
from tui.screens.waves_forms import describe_approval, plan_asks, supposed, what_if_asks
from tui.screens.waves_lines import WaveLine
from tui.screens.waves_place import WavesPlace
from tui.screens.waves_words import describe_card, describe_difference, describe_why
from tui.text import count, line, plural, short_time, stack

if TYPE_CHECKING:
    from tui.app import WherryApp

_WIDE = 110
_EDITS = "edits"  # in a list of plans


class Working(WavesPlace):
    """Jobs, approvals and long texts."""

    def run_order(self, order: Order, then: Any = None) -> None:
        """Start a job."""
        job = Job(order.argv(self.wherry.session.root), order.title, order.secret)
        self.wherry.start(job, then)

    # the solver

    def action_plan(self) -> None:
        """Ask how to plan, then do."""
        plan = self.view.plan

        def chosen(said: dict[str, str] | None) -> None:
            if said is not None:
                self.run_order(orders.plan(said["effort"], int(said["seed"])))

        note = "x stops with the best so far."
        if plan is not None:
            note = f"Edits and locks are kept; the plan stays near the last one. {note}"
        approved = [row.name for row in self.view.waves if row.name in self.view.approvals]
        if given := self._to_approve(approved):
            are = "wave is" if len(given) == 1 else "waves are"
            note = f"▲ {count(len(given))} {are} approved: what changes is approved no longer. {note}"
        note = self._without_unsaved() + note
        self.app.push_screen(Form("Plan", plan_asks(plan), "Plan", line(note)), chosen)

    def action_what_if(self) -> None:
        """Ask what would be different, plan so beside the plan, and show the difference."""

        def chosen(said: dict[str, str] | None) -> None:
            if said is not None:
                given = supposed(said)
                self.run_order(orders.what_if(**given), lambda job: self._supposed(job, given))

        note = f"{self._without_unsaved()}It is planned beside the plan, and shown as a difference."
        self.app.push_screen(Form("What if", what_if_asks(), "Try it", line(note), judge=_nothing), chosen)

    def _without_unsaved(self) -> str:
        many = plural(self.unsaved, "edit")
        return f"▲ {many} not saved will not be in it: save first. " if self.unsaved else ""

    def _supposed(self, job: Job, given: dict[str, Any]) -> None:
        found = job.state.document
        if not isinstance(found, dict):
            self.say("✖ the answer is too long to be shown here: run 'wherry plan what-if'", "bad")
            return
        if given.get("keep"):
            self.say(f"✔ stored as plan {found['kept_as']}, its settings too", "good")
            return
        words = describe_difference(found["difference"], f"plan {found['plan']}", "what if", {})
        if job.state.stopping:
            early = line(("▲ ", "warn"), "stopped before its time: this is the best there was by then")
            words = stack([early, line(""), words])
        if isinstance(self.app.screen, Work):
            self.app.pop_screen()  # the answer tells more than that it is done
        if self.wherry.read_only or given["drop_hosts"]:
            self.app.push_screen(Reader("What if", words))
            return

        def adopt(yes: bool | None) -> None:
            if yes:
                given["keep"] = True
                self.run_order(orders.what_if(**given), lambda job: self._supposed(job, given))

        self.app.push_screen(Confirm("What if: make it the plan?", words, "Make it the plan"), adopt)

    def action_import_table(self) -> None:
        """Read an edited table of the plan."""
        from tui.guides.importing import offer_table

        offer_table(cast("WherryApp", self.app))

    # approving

    def action_approve(self) -> None:
        """Show what is approved, then approve the wave or those marked."""
        self._approve(self._to_approve(self.marked_waves()))

    def action_approve_all(self) -> None:
        """Show what is approved, then approve every wave that did not begin."""
        self._approve(self._to_approve([wave.name for wave in self.view.waves]))

    def _to_approve(self, waves: list[str]) -> list[str]:
        """Return those that did not begin: a run keeps to what was approved before it."""
        begun = {row.wave for row in self.rows_now() if isinstance(row, WaveLine) and row.begun}
        return [wave for wave in waves if wave not in begun]

    def nothing_to_approve(self, name: str) -> str:
        """Say why none of the waves that an action approves can be, empty when one can."""
        waves = self.marked_waves() if name == "approve" else [wave.name for wave in self.view.waves]
        if not waves or self._to_approve(waves):
            return ""
        which = f"{visible(waves[0])} has" if len(waves) == 1 else "all of them have"
        return f"{which} begun: nothing is left to approve, see 'wherry status'"

    def _approve(self, waves: list[str]) -> None:
        from migrate.audit import person

        said = describe_approval(self.view, waves, person(), self.hand)
        shown = {wave.name: wave.fingerprint for wave in self.view.waves if wave.name in set(waves)}

        def answered(yes: bool | None) -> None:
            if yes:
                self.wherry.ask("approve", {"waves": waves, "shown": shown}, self._approved, "approving",
                                lambda said: self.wherry.read_again())  # fmt: skip

        self.app.push_screen(Confirm(f"Approve {plural(len(waves), 'wave')}?", said, "Approve"), answered)

    def _approved(self, given: list[dict[str, Any]]) -> None:
        self.wherry.read_again()
        self.say(f"✔ {plural(len(given), 'wave')} approved by {given[0]['who']}", "good")

    # texts

    def action_why(self) -> None:
        """Tell why the group moves in this wave."""
        if (row := self.groups.row) is not None:
            self.wherry.ask("hand.why", {"what": str(row[0])}, self._why, "trying waves")

    def _why(self, found: dict[str, Any]) -> None:
        self.app.push_screen(Reader("Why this wave", describe_why(found)))

    def action_diff(self) -> None:
        """Choose two plans, or the edits that are not saved, and show what is different."""
        self.wherry.ask("plans.versions", None, self._choose_before)

    def _choose_before(self, found: list[dict[str, Any]]) -> None:
        mine = Choice(_EDITS, "the edits", f"{count(self.unsaved)} not saved, against the plan they are of")
        if len(found) < 2 and not self.unsaved:
            self.say("there is one plan, so nothing to compare: p makes another", "warn")
        elif len(found) < 2:
            self._compare_edits()
        else:
            self._pick_plan("Differences: from plan", found[1:],
                            lambda before: self._choose_after(found, before),
                            (mine,) if self.unsaved else ())  # fmt: skip

    def _compare_edits(self) -> None:
        many = plural(self.unsaved, "edit")
        self.wherry.ask("hand.diff", None, lambda found: self._told_apart(found, many), "comparing")

    def _told_apart(self, found: dict[str, Any], many: str) -> None:
        before = f"plan {found['before']}"
        words = describe_difference(found, before, many, found["names"])
        if found["same"]:
            words = line(f"{many} not saved and {before} say the same")
        self.app.push_screen(Reader(f"From {before} to {many} not saved", words))

    def _choose_after(self, found: list[dict[str, Any]], before: int) -> None:
        newer = [one for one in found if one["version"] > before]
        self._pick_plan(
            f"Differences: from plan {before} to", newer, lambda after: self._compare(before, after)
        )

    def _pick_plan(
        self, title: str, found: list[dict[str, Any]], then: Any, first: Sequence[Choice] = ()
    ) -> None:
        choices = [
            Choice(str(one["version"]), f"plan {one['version']}",
                   f"{short_time(one['at'])} by {one['who']}, {plural(one['waves'], 'wave')}, "
                   f"{plural(one['vms'], 'VM')}")
            for one in found
        ]  # fmt: skip

        def chosen(key: str | None) -> None:
            if key == _EDITS:
                self._compare_edits()
            elif key is not None:
                then(int(key))

        self.app.push_screen(Pick(title, [*first, *choices], "no plan is called so"), chosen)

    def _compare(self, before: int, after: int) -> None:
        args = {"before": before, "after": after}
        self.wherry.ask("plans.diff", args, self._differences, "comparing plans")

    def _differences(self, found: dict[str, Any]) -> None:
        first, last = f"plan {found['before']}", f"plan {found['after']}"
        words = describe_difference(found, first, last, found["names"])
        if found["same"]:
            words = line(f"{first} and {last} say the same")
        self.app.push_screen(Reader(f"From {first} to {last}", words))

    def action_card(self) -> None:
        """Show the score card."""
        if (plan := self.view.plan) is not None:
            words = describe_card(plan, self.view.waves, min(_WIDE, self.size.width) - 8)
            self.app.push_screen(Reader(f"Score card of plan {plan.version}", words))

    def read_content(self) -> None:
        """Show all that a wave will do, as it was saved."""
        line_ = self.wave_line
        wave = None if line_ is None else self.saved_wave(line_.wave)
        if line_ is None or wave is None:
            self.say("this wave is in no saved plan yet: ^s saves it", "warn")
            return
        self.app.push_screen(
            Reader(f"{wave.name}: what it does", describe_content(wave, self.saved_size(wave.name)))
        )


def _nothing(said: Any) -> str:
    given = supposed(said)
    given.pop("effort")
    return "" if any(given.values()) else "nothing is supposed to be different: fill something in"

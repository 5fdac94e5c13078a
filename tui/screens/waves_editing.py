"""Planning by hand in 4 Waves: every key asks the study, and what it answers is on the screen at once.

A refused edit stays in sight with what it breaks, and with the waves that would take the groups instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.cells import cell_len
from textual.content import Content

from planner.names import visible
from tui.actions.action import Action
from tui.actions.keymap import shown
from tui.actions.table import action_named
from tui.dialogs.confirm import Confirm
from tui.dialogs.pick import Choice, Pick
from tui.dialogs.pick_some import PickSome
from tui.hand import heard
from tui.screens.waves_groups import GroupLine
from tui.screens.waves_lines import WaveLine
from tui.screens.waves_offers import Offers
from tui.screens.waves_words import score_words
from tui.text import count, line, plural, short_time

_MOVES = ("earlier", "later", "move", "new", "split", "merge")
_KEYS = "abc"


class Editing(Offers):
    """What is done to the plan by hand."""

    # what lies on the desk

    def lay_out(self) -> None:
        """Have the plan laid out by the study."""
        self.wherry.ask("hand.open", None, self._took, "laying the plan out")

    def on_screen_resume(self) -> None:
        """Moves made in other places arrive here."""
        super().on_screen_resume()
        if self.hand is not None:
            self.wherry.ask("hand.state", None, self._took)

    def ask_groups(self, waves: list[str]) -> None:
        """Ask for the groups of waves, once."""
        asked = [wave for wave in waves if wave not in self._asked_groups]
        if asked:
            self._asked_groups.update(asked)
            self.wherry.ask("hand.groups", {"waves": asked}, self._took_groups)

    def _took_groups(self, found: dict[str, Any]) -> None:
        self._asked_groups.difference_update(found)
        self.old_groups.difference_update(found)
        self.known_groups.update(found)
        if self.ready:
            self.show_wave()

    def _took(self, answer: dict[str, Any]) -> None:
        """Lay an answer over what was known, and show it."""
        if "gone" in answer and (self.hand is None or self.hand.plan != answer["plan"]):
            self.wherry.ask("hand.state", None, self._took)  # it says only what changed
            return
        self.hand = heard(self.hand, answer)
        if "gone" in answer:
            stale = {row["wave"] for row in answer["rows"]} | set(answer["gone"])
            self.known_groups = {name: held for name, held in self.known_groups.items() if name not in stale}
            if stale:  # what groups of other waves need first may have moved
                self.old_groups = set(self.known_groups)
        else:
            self.known_groups, self.old_groups = {}, set()
        self._asked_groups.clear()
        if self.ready:
            self.update()

    # acts

    def moving(self) -> list[str]:
        """Return the groups to be moved, by a VM of each: those marked, else the one under the cursor.

        Keys may come faster than groups are read: never is a group moved that is not of the wave in sight.
        """
        if self.groups.marks:
            return sorted(map(str, self.groups.marks))
        wave = self.wave_line.wave if self.wave_line else ""
        if self.followed[1] and self.followed[0] == wave:
            return [self.followed[1]]  # it has just been moved here
        if self.groups_in != wave and self.groups_of(wave) is not None:
            self.show_wave()
        return [str(self.groups.key)] if self.groups.key is not None and self.groups_in == wave else []

    def act(self, op: str, args: Mapping[str, Any], follow: str = "") -> None:
        """Ask for an edit; ``follow`` is a VM of the group to stay with."""
        self.wherry.ask(op, args, lambda answer: self._answered(op, args, answer, follow))

    def _answered(self, op: str, args: Mapping[str, Any], answer: dict[str, Any], follow: str) -> None:
        verdict = answer["verdict"]
        if not verdict["taken"]:
            self.refuse(op, args, verdict)
            self._took(answer)
            why = visible(verdict["refused"][0], 300)
            said = f"✖ {'; '.join(verdict['did'])}: {why}"  # where both do not fit, what was tried is known
            self.say(said if cell_len(said) < self.size.width - 1 else f"✖ {why}", "bad")
            return
        self.drop_offer()
        if follow and (wave := self._entered(verdict["did"])):
            self.follow(wave, follow)
        self._took(answer)
        more = f"; {verdict['told'][0]}" if verdict["told"] else ""
        self.say(f"✔ {'; '.join(verdict['did'])}: {verdict['spoken']}{more}", "good")

    @staticmethod
    def _entered(did: list[str]) -> str:
        """Return the wave that the first edit of an answer entered."""
        return did[0].rpartition(" to ")[2] if did and did[0].startswith("move ") else ""

    def action_shift(self, by: int) -> None:
        """Move the groups by a wave."""
        groups = self.moving()
        self.act("hand.move", {"groups": groups, "by": by}, groups[0])

    def action_new_wave(self) -> None:
        """Move the groups into a wave of their own."""
        groups = self.moving()
        self.act("hand.new", {"groups": groups}, groups[0])

    def action_move_to(self) -> None:
        """Choose the wave to move to: each says what it would cost, or why not."""
        groups = self.moving()
        self.wherry.ask("hand.choices", {"groups": groups}, lambda found: self._choose_wave(groups, found),
                        "trying waves")  # fmt: skip

    def _choose_wave(self, groups: list[str], found: list[dict[str, Any]]) -> None:
        lines = {row.wave: row for row in self.rows_now() if isinstance(row, WaveLine)}
        choices = [self._choice(one, lines.get(one["wave"])) for one in found]
        who = plural(len(groups), "group")

        def chosen(wave: str | None) -> None:
            if wave is not None:
                self.act("hand.move", {"groups": groups, "wave": wave}, groups[0])

        self.app.push_screen(Pick(f"Move {who} to", choices, "no wave is called so"), chosen)

    @staticmethod
    def _choice(one: Mapping[str, Any], row: WaveLine | None) -> Choice:
        name = f"{one['wave']} {row.title if row else 'new wave'}"
        if one["here"]:
            return Choice(one["wave"], name, why_not="· moves here now")
        if not one["tried"]:
            return Choice(one["wave"], name, "not tried yet: far from where it is")
        if one["refused"]:
            return Choice(one["wave"], name, why_not=f"✖ {one['refused'][0]}")
        there = f"{count(row.vms)} VMs, " if row else ""
        return Choice(one["wave"], name, f"✔ {there}{one['spoken']}")

    def action_split(self) -> None:
        """Choose the VMs to split off."""
        row, wave = self.groups.row, self.wave_line
        found = self.groups_of(wave.wave) if wave is not None else None
        group = next((one for one in found or () if row and one["vms"][0][0] == row[0]), None)
        if group is None:
            return
        vms = [(vm, name) for vm, name in group["vms"]]

        def chosen(picked: tuple[str, ...] | None) -> None:
            if picked:
                self.act("hand.split", {"group": vms[0][0], "vms": list(picked)})

        self.app.push_screen(PickSome(f"Split off {visible(group['name'])}", vms, "Split off"), chosen)

    def action_merge(self) -> None:
        """Choose the group to merge."""
        row, here = self.groups.row, self.wave_line
        if row is None or here is None or self.hand is None:
            return
        mine = str(row[1])
        choices = [
            Choice(name, name, wave)
            for wave, laid in sorted(self.hand.rows.items(), key=lambda pair: pair[0] != here.wave)
            for name in laid.groups
            if name != mine
        ]

        def chosen(other: str | None) -> None:
            if other is not None:
                self.act("hand.merge", {"group": str(row[0]), "other": other})

        self.app.push_screen(Pick(f"Merge into {visible(mine)}", choices, "no group is called so"), chosen)

    def action_lock(self) -> None:
        """Lock the wave, or unlock it."""
        if (wave := self.wave_line) is not None:
            self.act("hand.unlock" if wave.locked else "hand.lock", {"wave": wave.wave})

    def action_undo(self) -> None:
        """Take the newest unsaved edit back."""
        self.wherry.ask("hand.undo", None, lambda answer: self._walked(answer, "undo", "undone"))

    def action_redo(self) -> None:
        """Do again what was undone."""
        self.wherry.ask("hand.redo", None, lambda answer: self._walked(answer, "redo", "done again"))

    def _walked(self, answer: dict[str, Any], way: str, word: str) -> None:
        self.drop_offer()
        self._took(answer)
        self.say(f"{word}: {'; '.join(answer[way])}", "good")

    def action_save(self) -> None:
        """Save all edits as one plan."""
        self.wherry.ask("hand.save", None, self._saved, "saving the plan", self._not_saved)

    def _not_saved(self, said: str) -> None:
        """Ask how the edits lie now: somebody else may have stored a plan, and R is said then."""
        self.wherry.read_again()
        self.wherry.ask("hand.state", None, self._took)

    def _saved(self, saved: dict[str, Any]) -> None:
        self.drop_offer()  # what was still looked for would be said over this
        kept, group, wave = self.known_groups, self.groups.key, self.groups_in
        self.hand = None
        self._took(saved)
        self.known_groups, self.old_groups = kept, set(kept)  # all lies as it lay, only the plan is newer
        if group is not None and self.wave_line is not None and self.wave_line.wave == wave:
            self.follow(wave, str(group))
            self.update()
        self.wherry.read_again()
        void = saved["approvals_void"]
        lost = f"; approved no longer, as they changed: {', '.join(map(visible, void))}" if void else ""
        many = plural(len(saved["edits"]), "edit")
        self.say(f"✔ {many} saved as plan {saved['plan']}{lost}", "warn" if void else "good")

    def action_discard(self) -> None:
        """Drop all edits, once that was typed."""
        said = line(f"{plural(len(self.hand.unsaved) if self.hand else 0, 'edit')} not saved will be lost.")

        def answered(yes: bool | None) -> None:
            if yes:
                self.drop_offer()
                self.wherry.ask("hand.discard", None, self._discarded, failed=self._dropped)

        self.app.push_screen(Confirm("Drop the edits?", said, "Drop them", "drop", "bad"), answered)

    def _dropped(self, said: str) -> None:
        """The edits are gone, and the plan cannot be laid out: the saved one is shown."""
        self.hand, self.known_groups = None, {}
        self.wherry.unsaved = 0
        self.update()

    def _discarded(self, answer: dict[str, Any]) -> None:
        self.hand = None
        self._took(answer)
        self.say("dropped: the plan is as it was saved", "warn")

    def action_take_back(self) -> None:
        """Take a saved edit back: where there are several, the one that is chosen."""
        self.wherry.ask("hand.saved_edits", None, self._choose_edit)

    def _choose_edit(self, found: list[dict[str, Any]]) -> None:
        if len(found) < 2:
            self._take_back(None)
            return
        choices = [
            Choice(str(one["number"]), f"edit {one['number']}",
                   f"{one['did']}, {short_time(one['at'])} by {one['who']}")
            for one in found
        ]  # fmt: skip
        self.app.push_screen(
            Pick("Take back which edit?", choices, "no edit is called so"), self._chosen_edit
        )

    def _chosen_edit(self, number: str | None) -> None:
        if number is not None:
            self._take_back(int(number))

    def _take_back(self, number: int | None) -> None:
        self.wherry.ask("hand.take_back", {"number": number}, self._taken_back, "taking an edit back")

    def _taken_back(self, taken: dict[str, Any]) -> None:
        self.drop_offer()
        self.hand, self.known_groups = None, {}
        self.wherry.read_again()
        again = (
            f"plan {taken['plan']} is plan {taken['before']} again" if taken["plan"] else "p plans without it"
        )
        self.say(f"✔ taken back: {visible(taken['did'])}; {again}", "good")

    def action_renew(self) -> None:
        """Lay the newest plan out and make the edits again."""
        self.wherry.ask("hand.renew", None, self._renewed, "laying the plan out")

    def _renewed(self, answer: dict[str, Any]) -> None:
        self.drop_offer()
        self.hand = None
        self._took(answer)
        lost = answer["lost"]
        if lost:
            self.say(f"▲ {plural(len(lost), 'edit')} cannot be kept: {visible(lost[0], 300)}", "warn")
        else:
            self.say("✔ the edits stand on the newest plan", "good")

    # what is said

    def unsaved_note(self) -> Content:
        """Say the edits that are not saved, and what they do to the score."""
        assert self.hand is not None
        many = len(self.hand.unsaved)
        if self.hand.outdated:
            words = f"▲ another plan was stored: R makes your {plural(many, 'edit')} on it again"
            return line((words, "warn"))
        if older := self.wherry.session.plan_is_older_than():
            rest = (f" · ▲ {older} newer than the plan: save them, then p plans anew", "warn")
        else:
            rest = (f" · {score_words(self.hand)}", "")
        saves = f"  {shown(action_named('waves.save'), self.wherry.keys)} saves"
        return line(
            (f"● {many} unsaved: {visible(self.hand.unsaved[-1], 60)}", "accent"), (saves, "dim"), rest
        )

    def not_now(self, action: Action) -> str:
        """Return why an edit cannot be made now."""
        name = action.id.removeprefix("waves.")
        hand = self.hand
        edits = name in (*_MOVES, "lock")
        if (edits or name.startswith("fix.")) and (older := self.wherry.session.plan_is_older_than()):
            return f"the plan was made on older {older}: press p, or run 'wherry plan'"
        if edits:
            if self.wave_line is not None and self.wave_line.begun:
                return self.wave_line.begun
            if not self.moving():
                return "there is no group under the cursor: see 'wherry plan show'"
            if name in ("split", "merge") and self.followed[1]:
                return "the groups of this wave are being read: press it again, or see 'wherry plan show'"
            row = self.groups.row
            if name == "split" and isinstance(row, GroupLine) and row.vms < 2:
                return (
                    f"{visible(row.name, 40)} is one VM, so nothing can be split off: see 'wherry plan split'"
                )
        if name in ("save", "undo", "discard", "renew") and (hand is None or not hand.unsaved):
            return "nothing is unsaved: U takes saved edits back, as 'wherry plan undo'"
        if name == "save" and hand is not None and hand.outdated:
            return "another plan was stored: press R first, or run 'wherry plan show'"
        if name == "redo" and (hand is None or not hand.can_redo):
            return "nothing was undone: see 'wherry plan edits'"
        if name == "take_back" and hand is not None and hand.unsaved:
            return "there are unsaved edits: undo or save them first, then as 'wherry plan undo'"
        if name.startswith("fix.") and self.offer(int(name[-1]) - 1) is None:
            return "no fix is offered: one is where a rule is broken, see 'wherry plan why'"
        return ""

    def action_fix(self, number: int) -> None:
        """Do what is offered."""
        fix = self.offer(number)
        if fix is not None:
            self.act("hand.move", {"groups": list(fix.groups), "wave": fix.wave}, fix.groups[0])

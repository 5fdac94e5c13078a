"""What a person decides in 3 Dependencies: on ties, hubs, cuts, circles, suggestions; every act by the study.

What a key means follows from the table that is shown; ``why_not`` says what is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from planner.names import visible
from tui.actions.action import Action
from tui.dialogs.confirm import Confirm
from tui.dialogs.form import Ask, Form
from tui.dialogs.pick import Choice, Pick
from tui.screens.dependencies_around import Around
from tui.screens.dependencies_listings import ListingPlace
from tui.screens.dependencies_taken import ask_taken
from tui.screens.dependencies_told import leaving
from tui.screens.lookup import Lookup
from tui.text import line, plural
from tui.widgets.table import VirtualTable

_TIES = (
    ("hard", "they move together"),
    ("order", "the second is there before the first moves"),
    ("apart", "they never move in one wave"),
)
_LONGEST = 500  # characters of a reason, as the acts have it


def _short(text: str) -> str:
    return f"at most {_LONGEST} characters, please" if len(text) > _LONGEST else ""


def _dropped(done: Mapping[str, Any]) -> str:
    """Say which ties count no more, and where that is undone."""
    refused, back = done["refused"], done["taken_back"]
    words = [f"{plural(refused, 'tie')} refused"] if refused else []
    words += [f"{plural(back, 'added tie')} taken back"] if back else []
    return " and ".join(words) + (": t has them, - takes that back" if refused else "")


class DecidingPlace(ListingPlace):
    """The acts of the place."""

    def __init__(self) -> None:
        super().__init__()
        self.cuts = Lookup(lambda: self.wherry, "knots.cut", "name", "cheapest cut", self.show_cut)

    def show_cut(self, group: str, found: Any, why: str) -> None:
        """Show what parting a group would cost."""
        raise NotImplementedError

    # on what

    @property
    def around(self) -> Around:
        """The drawing of the group and its neighbours."""
        return self.query_one("#around", Around)

    @property
    def inside(self) -> VirtualTable:
        """The ties inside the group."""
        return self.query_one("#inside", VirtualTable)

    @property
    def group(self) -> Mapping[str, Any] | None:
        """The group that is drawn, as it was told."""
        raise NotImplementedError

    def tie_keys(self) -> list[Any]:
        """Return the keys of the ties that a decision is about."""
        if self.now == "ties":
            return self.chosen()
        if self.now == "groups" and self.inside.has_focus and self.inside.key is not None:
            return [self.inside.key]
        return []

    @property
    def row_told(self) -> Mapping[str, Any] | None:
        """What was told of the row under the cursor."""
        return None if self.table.key is None else self.told_of(str(self.table.key))

    def why_not(self, action: Action) -> str:
        """Return why an action cannot be used here now."""
        if why := super().why_not(action):
            return why
        name = action.id.partition(".")[2]
        if name in ("accept", "refuse", "forget"):
            return self._why_not_decide(name)
        if name == "why":
            return (
                "" if self.now in ("groups", "ties") else "turn to the groups or to all ties first: esc, or t"
            )
        if name == "name" and self.now == "suggestions":
            return "" if self.row_told else "nothing is suggested"
        if name == "name":
            if self.now == "groups" and self.table.row is not None and not self.group:
                return "the group is being read: press it again"
            return "" if self.now == "groups" and self.group else "choose a group first: esc"
        if name == "mend":
            edge = self.around.edge if self.now == "groups" and self.group else None
            return (
                ""
                if edge and edge["across"]
                else "choose a tie across waves in the drawing first: tab, then ↓"
            )
        if name == "crossing" and self.now not in ("groups", "ties"):
            return "turn to the groups or to all ties first: esc, or t"
        if name == "return" and not self.can_return:
            return "this is the group you began with"
        return ""

    @property
    def can_return(self) -> bool:
        """True when there is a group to go back to."""
        raise NotImplementedError

    def _why_not_decide(self, name: str) -> str:
        if self.now == "groups":
            return "" if self.tie_keys() else "choose a tie first: t for all, or tab to those inside"
        if self.now in ("oversized", "cycles") and name != "refuse":
            return "a cut or circle can only be refused here; t has what was decided"
        if self.now == "suggestions" and name == "forget":
            return ""
        said = self.row_told
        if not (self.tie_keys() if self.now == "ties" else said):
            return "there is no row under the cursor"
        if self.now == "hubs" and name == "forget" and said is not None and not said["decided"]:
            return "nobody decided on this one: a or r does"
        if self.now == "names" and name != "accept" and said is not None:
            settled = said["state"] in ("settled", "not ours")
            if settled is (name == "refuse"):
                return "it is settled: - opens it again" if settled else "nobody settled it: a or r does"
        if self.now == "oversized":
            found = self.cuts.get(str(self.table.key))
            return "" if found and found["cheapest"] else "no cut of it is known: wait for it, or see below"
        return ""

    def do(
        self, op: str, args: Mapping[str, Any], words: Callable[[Any], str], busy: str = "deciding"
    ) -> None:
        """Have the study do something, say it, and look at everything again."""
        self.wherry.ask(op, args, lambda said: self.after_act(words(said)), busy=busy)

    # ties and the like

    def action_accept(self) -> None:
        """Accept ties, confirm a hub, take a suggestion."""
        said = self.row_told
        if keys := self.tie_keys():
            self.do("edges.rule", {"ruling": "accept", "keys": keys},
                     lambda done: f"{plural(done['count'], 'tie')} accepted: - takes that back")  # fmt: skip
        elif said is not None and self.now == "hubs":
            self.do("decide", {"ruling": "hub", "vms": [said["id"]]}, lambda done: f"{done['said']}")
        elif said is not None and self.now == "suggestions":
            self._take(said["title"], "")
        elif said is not None and self.now == "names":
            self._which(said)

    def _take(self, title: str, name: str) -> None:
        self.do(
            "applications.accept",
            {"title": title, "name": name},
            lambda done: f"{name or title}: taken as import {done['import']}: - takes that back",
        )

    def action_refuse(self) -> None:
        """Refuse ties, deny a hub, take a cut, open a circle, dismiss a suggestion."""
        said = self.row_told
        if keys := self.tie_keys():
            self._refuse(keys, f"Refuse {plural(len(keys), 'tie')}")
        elif said is None:
            return
        elif self.now == "hubs":
            args = {"ruling": "no-hub", "vms": [said["id"]]}
            self._why(f"{visible(said['name'], 40)} is no hub", lambda why: self.do(
                "decide", {**args, "why": why}, lambda done: f"{done['said']}"
            ))  # fmt: skip
        elif self.now == "cycles":
            self._untie(said["drop"])
        elif self.now == "oversized":
            self._part(said["group"], self.cuts.get(said["group"]))
        elif self.now == "names":
            self._settle(said["label"], "", f"{said['label']} is none of the VMs")
        elif self.now == "suggestions":
            self.do("applications.dismiss", {"title": said["title"]},
                     lambda done: f"{said['title']}: dismissed: - brings it back")  # fmt: skip

    def _refuse(self, keys: list[Any], title: str) -> None:
        self._why(title, lambda why: self.do(
            "edges.rule", {"ruling": "refuse", "keys": keys, "why": why},
            lambda done: f"{plural(done['count'], 'tie')} refused: - takes that back",
        ))  # fmt: skip

    def _untie(self, drop: Sequence[Mapping[str, Any]]) -> None:
        keys = [tie["key"] for tie in drop]

        def go(why: str) -> None:
            self.do("knots.untie", {"keys": keys, "why": why}, _dropped)

        if all(tie["said"] for tie in drop):  # taking a word back needs no reason
            go("")
        else:
            self._why("Open the circle", go)

    def _why(self, title: str, then: Callable[[str], None]) -> None:
        ask = Ask("why", "Why, for the record", needed=True, placeholder="the job is gone", judge=_short)
        self.app.push_screen(
            Form(title, [ask], "Decide"), lambda said: then(said["why"]) if said is not None else None
        )

    def _part(self, group: str, found: Mapping[str, Any] | None) -> None:
        if found is None or found["cheapest"] is None:
            return
        fitting = found["fitting"] is not None
        cut = found["fitting"] or found["cheapest"]
        many = plural(len(cut["refuse"]), "tie")
        words = {
            True: "both sides fit the caps",
            None: "both sides may fit the caps, not all disks are known",
            False: "a side is still above the caps",
        }[cut["fits"]]
        added = sum(tie["said"] for tie in cut["refuse"])
        goes = [
            f"{plural(number, noun)} {'is' if number == 1 else 'are'} {does}"
            for number, noun, does in (
                (len(cut["refuse"]) - added, "tie", "refused"),
                (added, "added tie", "taken back"),
            )
            if number
        ]
        said = line(f"{leaving(len(cut['part']))} {visible(group, 40)}, {' and '.join(goes)}; {words}.")
        args = {
            "name": group,
            "fitting": fitting,
            "why": f"parts {visible(group, 60)}, which is above the caps",
        }

        def sure(yes: bool | None) -> None:
            if yes:
                self.do("knots.part", args, _dropped, "parting")

        self.app.push_screen(Confirm("Part the group?", said, "Refuse them", f"refuse {many}", "bad"), sure)

    def action_forget(self) -> None:
        """Take back what was decided."""
        said = self.row_told
        if self.now == "suggestions":
            ask_taken(self)
        elif keys := self.tie_keys():
            self.do("edges.forget", {"keys": keys},
                     lambda done: f"{plural(done['count'], 'decision')} taken back")  # fmt: skip
        elif said is not None and self.now == "hubs":
            self.do("decide.forget", {"vms": [said["id"]]}, lambda done: f"{done['said']}")
        elif said is not None and self.now == "names":
            self._settle(said["label"], None, f"{said['label']} is open again")

    # imported names

    def _which(self, said: Mapping[str, Any]) -> None:
        """Ask which VM a name means; those it could be come first."""
        near = {name.casefold() for name in said["means"]}
        choices = sorted(self._vms(), key=lambda one: one.name.casefold() not in near)

        def picked(vm: str | None) -> None:
            if vm is not None:
                name = next(one.name for one in choices if one.key == vm)
                self._settle(said["label"], vm, f"{said['label']} means {name}")

        self.app.push_screen(Pick(f"Which VM is {visible(said['label'], 40)}?", choices), picked)

    def _settle(self, label: str, vm: str | None, words: str) -> None:
        back = "" if vm is None else ": - takes that back"
        self.do("meanings.settle", {"label": label, "vm": vm}, lambda done: words + back, "matching names")

    # a tie by hand

    def _vms(self) -> list[Choice]:
        return [Choice(row[0], row[1], row[9]) for row in self.view.rows]

    def action_add(self) -> None:
        """Ask for two VMs, then for what ties them."""

        def first(a: str | None) -> None:
            if a is not None:
                rest = [choice for choice in choices if choice.key != a]
                title = f"… and which one does {visible(names[a], 30)} need?"
                self.app.push_screen(Pick(title, rest), lambda b: self._tie(a, b, names) if b else None)

        choices = self._vms()
        names = {choice.key: choice.name for choice in choices}
        self.app.push_screen(Pick("A tie by hand: which VM needs another …", choices), first)

    def _tie(self, a: str, b: str, names: Mapping[str, str]) -> None:
        asks = [
            Ask("tie", "What it means for the move", "hard", choices=_TIES),
            Ask("why", "Why, for the record", needed=True, placeholder="needs 1 ms", judge=_short),
        ]
        said = line(visible(names[a], 40), (" needs ", "dim"), visible(names[b], 40))
        self.app.push_screen(Form("Add a tie", asks, "Add", said), lambda values: self._added(values, a, b))

    def _added(self, values: Mapping[str, str] | None, a: str, b: str) -> None:
        if values is not None:
            args = {"ruling": values["tie"], "vms": [a, b], "why": values["why"]}
            self.do("decide", args, lambda done: f"{done['said']}")

    # applications

    def action_name(self) -> None:
        """Name the application of the group's VMs, or take a suggestion under another name."""
        said = self.row_told if self.now == "suggestions" else self.group
        if said is None:
            return
        if self.now == "suggestions":
            title = str(said["title"])
            self._named(title, lambda name: self._take(title, name))
            return
        vms = [vm["id"] for vm in said["vms"]]
        self._named(str(said["name"]), lambda name: self.do(
            "vms.name", {"vms": vms, "application": name},
            lambda done: f"{plural(len(vms), 'VM')} belong to {name}; "
            "back with: A, then -",
        ))  # fmt: skip

    def _named(self, value: str, then: Callable[[str], None]) -> None:
        ask = Ask("name", "What the application is called", value, needed=True)
        self.app.push_screen(
            Form("Name the application", [ask], "Name"),
            lambda said: then(said["name"]) if said is not None else None,
        )

    # a tie across waves

    def action_mend(self) -> None:
        """Offer moves that bring the two groups together."""
        edge, group = self.around.edge, self.group
        if edge is None or group is None:
            return
        args = {"name": group["name"], "other": edge["group"]}
        self.wherry.ask("fixes", args, self._offer, busy="laying the plan out")

    def _offer(self, offers: list[Mapping[str, Any]]) -> None:
        choices = []
        for at, one in enumerate(offers):
            costs = one["spoken"] or "costs nothing more"
            told = f"; {one['told'][0]}" if one["told"] else ""
            refused = "; ".join(one["refused"])
            name = f"{visible(one['group'], 20)} to {one['wave']}"
            choices.append(Choice(str(at), name, f"✔ {costs}{told}", f"✖ {refused}" if refused else ""))
        if all(choice.why_not for choice in choices):
            self.say("no move mends it: each breaks a rule", "warn")
        self.app.push_screen(Pick("Mend the tie by a move", choices), lambda at: self._move(at, offers))

    def _move(self, at: str | None, offers: list[Mapping[str, Any]]) -> None:
        if at is not None:
            one = offers[int(at)]

            def words(done: Mapping[str, Any]) -> str:
                if done["plan"] is None:
                    return f"{done['did'][0]}, not saved yet: ^s in 4 Waves"
                return f"{done['did'][0]}: plan {done['plan']}; back with: wherry plan undo"

            self.do("fixes.take", {"group": one["group"], "wave": one["wave"]}, words, "moving")

    # on paper

    def action_export_graph(self) -> None:
        """Write the graph of groups."""
        asks = [
            Ask(
                "format",
                "Format",
                "dot",
                choices=(("dot", "dot, for Graphviz"), ("mermaid", "Mermaid flowchart")),
            ),
            Ask("folder", "Folder", placeholder="exports of the project"),
        ]
        self.app.push_screen(Form("Write the graph", asks, "Write"), self._export)

    def _export(self, said: Mapping[str, str] | None) -> None:
        if said is not None:
            from tui.jobs.job import Job
            from tui.jobs.orders import export

            order = export((said["format"],), said["folder"])
            self.wherry.start(Job(order.argv(self.wherry.session.root), order.title))

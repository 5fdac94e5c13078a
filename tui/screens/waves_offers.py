"""What helps in 4 Waves: for a refused edit other waves, for a broken rule moves, found a slice at a time.

The search goes on only while nobody asks for anything else, so that no edit waits for an offer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from planner.names import visible
from tui.actions.keymap import shown
from tui.actions.table import action_named
from tui.screens.waves_lines import WaveLine
from tui.screens.waves_place import WavesPlace

MOST = 3
REST_S = 0.3  # nothing was pressed for so long: what helps is looked for
_ALONE = ("hand.move", "hand.new")  # refused edits that other waves may take


@dataclass(frozen=True, slots=True)
class Fix:
    """A move that is offered; ``groups`` are VMs that stand for them."""

    groups: tuple[str, ...]
    names: tuple[str, ...]
    wave: str
    spoken: str

    @property
    def words(self) -> str:
        """What it does and costs."""
        who = self.names[0] if len(self.names) == 1 else f"{self.names[0]} and {len(self.names) - 1} more"
        return f"{visible(who, 40)} to {self.wave}: {self.spoken}"


@dataclass(frozen=True, slots=True)
class Offered:
    """What was refused ("" = nothing, a broken rule of the wave is to be mended) and what would do."""

    did: str = ""
    refused: tuple[str, ...] = ()
    fixes: tuple[Fix, ...] = ()
    keys: tuple[str, ...] = ()
    searching: bool = False


class Offers(WavesPlace):
    """Fixes as keys."""

    def __init__(self) -> None:
        super().__init__()
        self._asked_groups: set[str] = set()
        self._refused: tuple[str, tuple[str, ...]] = ("", ())
        self._fixes: list[Fix] = []
        self._search = 0  # number of the newest one; answers of older ones are dropped
        self._searching = False
        self._of = ""  # the wave that an offer is about

    def offered(self) -> Offered:
        """Return what is to be shown."""
        if self.wherry.session.plan_is_older_than():
            return Offered()  # it was found on what is no longer so
        keys = tuple(shown(action_named(f"waves.fix.{at + 1}"), self.wherry.keys) for at in range(MOST))
        return Offered(*self._refused, tuple(self._fixes), keys, self._searching)

    def offer(self, number: int) -> Fix | None:
        """Return one of the fixes, None when so many are not offered."""
        return self._fixes[number] if number < len(self._fixes) else None

    def offer_keys(self) -> str:
        """Return the keys of what is offered, for the panel's edge."""
        keys = self.offered().keys[: len(self._fixes)]
        return f"{' '.join(keys)} {'does' if len(keys) == 1 else 'do'} what is offered" if keys else ""

    def _tell_offer(self) -> None:
        """Where the panel is not on the screen, name keys and waves in the line above the keys."""
        if self.panel("judgement").display:
            return
        if not self._fixes and self._refused[1] and not self._searching:
            move = shown(action_named("waves.move"), self.wherry.keys)
            why = visible(self._refused[1][0], 120)
            self.say(f"✖ no wave near would take it: {move} shows why not of each · {why}", "bad")
        if self._fixes:
            keys = zip(self.offered().keys, self._fixes, strict=False)
            would = ", ".join(f"{key} {visible(fix.wave)}" for key, fix in keys)
            what = f"✖ {visible(self._refused[1][0], 120)}" if self._refused[1] else "✖ a rule is broken"
            self.say(f"{would} would do: {what}", "warn")

    def drop_offer(self) -> None:
        """Forget what was refused and what was offered."""
        self._search += 1
        self._refused, self._fixes, self._searching = ("", ()), [], False

    def forget_offer(self, wave: WaveLine | None) -> None:
        """Forget an offer that was about another wave."""
        if wave is None or wave.wave != self._of:
            self.drop_offer()

    def refuse(self, op: str, args: Mapping[str, Any], verdict: Mapping[str, Any]) -> None:
        """Keep a refused edit in sight, and look for what would do instead."""
        self.drop_offer()
        self._of = self.wave_line.wave if self.wave_line else ""
        self._refused = ("; ".join(verdict["did"]), tuple(verdict["refused"]))
        if op in _ALONE:
            where = {name: args[name] for name in ("wave", "by") if name in args} or {"by": 1}
            mine, self._searching = self._search, True
            self.set_timer(
                REST_S, lambda: self._look("hand.fixes", {"groups": args["groups"], **where}, 0, mine)
            )

    def look_for_mending(self) -> None:
        """Look for moves that leave less broken in the wave under the cursor."""
        wave = self.wave_line
        if wave is None or not wave.broken or self._refused[0] or self._fixes or self.wherry.read_only:
            return
        self.drop_offer()
        self._of = wave.wave
        self._look("hand.mend", {"wave": wave.wave}, 0, self._search)

    def _look(self, op: str, args: Mapping[str, Any], begin: int, mine: int) -> None:
        if mine != self._search:
            return
        self._searching = True

        def found(answer: dict[str, Any]) -> None:
            if mine != self._search:
                return
            self._fixes += [
                Fix(tuple(one["groups"]), tuple(one["names"]), one["wave"], one["spoken"])
                for one in answer["fixes"]
            ]
            del self._fixes[MOST:]
            self._searching = False
            if len(self._fixes) < MOST and answer["next"] is not None:
                self._look(op, args, answer["next"], mine)
            if self.ready:
                self.show_wave()
                self._tell_offer()

        self.wherry.ask(op, {**args, "begin": begin}, found)

"""Applications: suggested and taken, or named by a person, as if an application list said so; audited."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from planner.candidates.suggest import Suggestion
    from planner.model import Inventory
    from planner.store.evidence import Taken
    from planner.store.project import Project


_LONGEST = 200  # characters of a name
_WORDS = {"deps suggest": "taken", "deps name": "named"}  # by the act that made an import


@dataclass(frozen=True, slots=True)
class Decided:
    """What a person did with a suggestion: ``what`` is taken, named or dismissed, ``key`` is its own."""

    what: str
    key: str
    title: str
    who: str
    at: str


def chosen(found: tuple[Suggestion, ...], wanted: str) -> Suggestion:
    """Return the suggestion of a name; raises NotFound, and BadInput when several are called so."""
    from difflib import get_close_matches

    from planner.errors import BadInput, NotFound
    from planner.store.dismissed import title_of

    key = wanted.strip().casefold()
    fits = [one for one in found if title_of(one).casefold() == key]
    fits = fits or [one for one in found if one.name.casefold() == key]
    if not fits:
        near = get_close_matches(wanted, [title_of(one) for one in found], 1)
        hint = f"did you mean {near[0]}?" if near else "see 'wherry deps suggest --all'"
        raise NotFound(f"nothing is suggested under the name {wanted!r}", hint)
    if len(fits) > 1:
        raise BadInput(
            f"{len(fits)} suggestions are called {wanted!r}",
            f"name one: {', '.join(title_of(one) for one in fits[:5])}",
        )
    return fits[0]


def accept(project: Project, inventory: Inventory, one: Suggestion, name: str = "") -> tuple[Taken, int]:
    """Take a suggestion, called ``name`` when given; return the import it became and its number of facts."""
    from migrate import audit
    from planner.candidates.accept import as_reading
    from planner.effects import Effect
    from planner.store import evidence
    from planner.store.dismissed import title_of

    reading = as_reading(one, inventory, name)
    facts = len(reading.facts)
    taken = evidence.take_in(project, (reading,), audit.person())
    audit.note(
        project,
        Effect.EDIT_PLAN,
        "deps suggest",
        title_of(one),
        {"import": taken.imports[0].id, "vms": [member.vm for member in one.new], "as": name},
    )
    return taken, facts


def dismiss(project: Project, one: Suggestion) -> str:
    """Let a suggestion be told no more until other VMs join it; return what it is called."""
    from migrate import audit
    from planner.effects import Effect
    from planner.store import dismissed

    dismissed.dismiss(project, one, audit.person())
    title = dismissed.title_of(one)
    audit.note(project, Effect.EDIT_PLAN, "deps suggest --dismiss", title, {"vms": len(one.members)})
    return title


def bring_back(project: Project, title: str) -> None:
    """Let a suggestion that was dismissed be told again; raises NotFound."""
    from migrate import audit
    from planner.effects import Effect
    from planner.names import visible
    from planner.store import dismissed

    dismissed.bring_back(project, title)
    audit.note(project, Effect.EDIT_PLAN, "deps suggest --undismiss", visible(title), {})


def decided(project: Project, titles: Iterable[str] = ()) -> tuple[Decided, ...]:
    """Return what stands of suggestions taken, names given and suggestions dismissed, the newest first.

    ``titles`` are those of suggestions, as they are written.
    """
    from planner.store import dismissed, evidence

    known = {item.id for item in evidence.imports(project)}
    written = {title.casefold(): title for title in titles}
    made = project.rows(
        "SELECT act, json_extract(detail, '$.import') AS number, subject, who, at FROM audit"
        " WHERE act IN ('deps suggest', 'deps name')"
    )
    found = [
        Decided(_WORDS[row["act"]], str(row["number"]), row["subject"], row["who"], row["at"])
        for row in made
        if row["number"] in known
    ]
    found += [
        Decided("dismissed", title, written.get(title, title), who, at)
        for title, who, at in dismissed.listed(project)
    ]
    return tuple(sorted(found, key=lambda one: one.at, reverse=True))


def take_back(project: Project, what: str, key: str) -> None:
    """Undo what ``decided`` told of; raises NotFound, and BadInput for a key that is none."""
    from planner.errors import BadInput

    if what == "dismissed":
        bring_back(project, key)
    elif what in _WORDS.values() and key.isdigit():
        withdraw(project, int(key))
    else:
        raise BadInput(f"nothing was {what} under {key!r}", "look at the list again")


def withdraw(project: Project, number: int) -> Taken:
    """Take an import back: what it said no longer counts; raises NotFound."""
    from migrate import audit
    from planner.effects import Effect
    from planner.store import evidence

    taken = evidence.withdraw(project, number)
    audit.note(project, Effect.EDIT_PLAN, "flows withdraw", str(number))
    return taken


def name_vms(
    project: Project, names: Sequence[str], application: str, inventory: Inventory | None = None
) -> Taken:
    """Say of VMs (names or ids) to which application they belong; return the import it became.

    It counts over what lists and the source said before. Raises NotFound for a VM there is not, BadInput.
    """
    from migrate import audit
    from planner.candidates.accept import named_reading
    from planner.effects import Effect
    from planner.errors import BadInput
    from planner.names import visible
    from planner.store import evidence, inventories
    from planner.store.project import utc_now
    from tui.acts.finding import find_vm, vms_by_name

    application = " ".join(application.split())
    if not application or len(application) > _LONGEST:
        raise BadInput(f"an application has a name of 1 to {_LONGEST} characters", "give it one")
    if not names:
        raise BadInput(f"no VM was named for {visible(application, 60)}", "name one or more")
    inventory = inventory or inventories.latest(project).inventory
    known = vms_by_name(inventory)
    vms = list({vm.id: vm for vm in (find_vm(inventory, name, known) for name in names)}.values())
    reading = named_reading(vms, application, inventory, utc_now())
    taken = evidence.take_in(project, (reading,), audit.person())
    audit.note(
        project,
        Effect.EDIT_PLAN,
        "deps name",
        visible(application),
        {"import": taken.imports[0].id, "vms": [vm.id for vm in vms]},
    )
    return taken

"""What travels of a disk: a person's decision that it is sent once or never, and what looks like swap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from planner.model import Inventory, Sending, Volume
    from planner.settings import Settings
    from planner.store.project import Project


@dataclass(frozen=True, slots=True)
class Suggested:
    """A disk that nobody decided on and that looks like swap or temporary files, and why it does."""

    volume: Volume
    why: str


@dataclass(frozen=True, slots=True)
class SendingOption:
    """How often disks may travel; ``why_not`` says why it cannot be, with a hint."""

    send: Sending
    why_not: str = ""


def suggestions(inventory: Inventory, settings: Settings) -> tuple[Suggested, ...]:
    """Return the disks of VMs that move which look like swap or temporary files and may be left out."""
    from planner.sending import decisions, refusal, suggestion
    from tui.acts.remapping import moving

    every = moving(inventory, settings)
    said = decisions(every, settings)
    return tuple(
        Suggested(one, why)
        for one in every
        if one.id not in said and (why := suggestion(one)) and refusal(one, None) is None
    )


def sending_options(
    inventory: Inventory, settings: Settings, volumes: Sequence[str]
) -> tuple[SendingOption, ...]:
    """Return how often volumes by id may travel; raises NotFound for no such volume."""
    from planner.model import Sending
    from planner.remap import decide_each, words
    from planner.sending import decisions, refusal
    from tui.acts.remapping import moving, named

    every = moving(inventory, settings)
    found = [named(every, volume) for volume in volumes]
    becomes, _ = decide_each(every, settings, words(every, settings.remaps))
    refused = next(filter(None, (refusal(one, becomes.get(one.id)) for one in found)), None)
    why_not = ": ".join(refused) if refused else ""
    said = decisions(every, settings)
    return (
        SendingOption(
            Sending.ALWAYS, "" if said.keys() & set(volumes) else "it is: nobody decided otherwise"
        ),
        SendingOption(Sending.ONCE, why_not),
        SendingOption(Sending.NEVER, why_not),
    )


def set_sending(
    project: Project,
    inventory: Inventory,
    settings: Settings,
    volumes: Sequence[str],
    send: Sending,
    why: str = "",
) -> Settings:
    """Decide how often volumes by id travel; the person behind this process is who decided.

    Always takes a decision back. Raises NotFound for no such volume, BadInput for a decision without a
    reason or one that cannot be; nothing is stored then.
    """
    from migrate import audit
    from planner.errors import BadInput
    from planner.model import Sending
    from planner.remap import decide_each, words
    from planner.sending import decided, decisions
    from planner.store import settings as settings_store
    from tui.acts.remapping import moving, named
    from tui.acts.settling import set_values

    every = moving(inventory, settings)
    firsts = [named(every, volume).attachments[0] for volume in dict.fromkeys(volumes)]
    kept = without(every, settings, volumes)
    if send is not Sending.ALWAYS:
        if not why.strip():
            raise BadInput(
                f"a disk that is sent {send.value} needs a reason", "say what is on it that may stay behind"
            )
        kept += [
            {
                "disk": f"{first.vm.id}/{first.disk.key}",
                "send": send.value,
                "why": why.strip(),
                "who": audit.person(),
            }
            for first in firsts
        ]
        then = settings_store.validate({**settings.model_dump(mode="json"), "sends": kept}, "the decision")
        becomes, _ = decide_each(every, then, words(every, then.remaps))
        decided([one for one in every if one.id in set(volumes)], decisions(every, then), becomes)
    return set_values(project, {"sends": kept})


def without(every: Sequence[Volume], settings: Settings, volumes: Sequence[str]) -> list[dict[str, Any]]:
    """Return the sending decisions of the settings that are on none of these volumes."""
    from planner.sending import decisions

    return [
        one.model_dump(mode="json")
        for key, one in decisions(every, settings).items()
        if key not in set(volumes)
    ]

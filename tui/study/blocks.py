"""The blocks of the settings as the place of the settings lists them, and the entries of each as rows.

A row has a key, cells, what a form starts with, and facts about it; screens only lay them out. Blocks that
need the estate (maps, disks) have topics of their own and are only named here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from planner.settings import Settings
    from planner.store.settings import Version


MAPS = ("networks", "datastores", "folders", "pools", "storage_policies")


@dataclass(frozen=True, slots=True)
class Block:
    """A block. ``shape`` says how it is edited: values, lists, names, windows, disks, or one of ``MAPS``.

    ``names`` are the dotted entries it shows, or the lists or the table whose items it shows.
    """

    id: str
    title: str
    about: str
    shape: str
    names: tuple[str, ...]


def _caps(*names: str) -> tuple[str, ...]:
    return tuple(f"caps.{name}" for name in names)


_RULE = ("persons", "ticket", "in_window")  # of a gate

BLOCKS = (
    Block("link", "Link", "the line between the sites, and how VMs are moved", "values",
          ("link.rate_mbit", "link.share", "link.reserve_mbit", "link.zone", "method")),
    Block("hours", "Hours of the link", "another share of the line at some hours of the week", "lists",
          ("link.hours",)),
    Block("windows", "Windows", "when waves may cut over", "windows", ("windows", "recurring")),
    Block("freezes", "Freezes", "when nothing, or nothing of some, may cut over", "lists", ("freezes",)),
    Block("holidays", "Holidays", "days on which no wave cuts over", "lists", ("holidays",)),
    Block("dates", "Dates and lead times", "when work begins and must end, and what lies between", "values",
          ("waves.starts", "waves.exit", "waves.lead_days", "waves.soak_days")),
    Block("caps", "Caps of a wave", "what fits into one wave, and what a VM costs of people's work", "values",
          (*_caps("vms", "tib", "cutovers", "engineer_hours"), "waves.vm_hours")),
    Block("each", "Caps for each", "what one owner, team, datastore or host bears in one wave", "values",
          _caps("groups_per_owner", "groups_per_team", "tib_per_datastore", "disks_per_host")),
    Block("owners", "Owners", "who owns an application", "names", ("owners",)),
    Block("teams", "Teams", "which team an owner is of", "names", ("teams",)),
    Block("target", "Room at the target", "what is free there; empty = as its inventory says", "values",
          tuple(f"target.{name}" for name in
                ("vcpus", "memory_gib", "storage_tib", "spare_hosts", "vcpus_per_core"))),
    Block("order", "Order", "what moves before what, and what stays whole", "values",
          ("waves.environments", "waves.whole_applications", "waves.whole_networks")),
    Block("apart", "Pairs apart", "what must not cut over together", "lists", ("apart",)),
    Block("pins", "Pins", "what moves in a wave of a person's choice", "lists", ("pins",)),
    Block("pilots", "Pilots", "what goes first", "values", ("waves.pilots", "waves.pilot_vms")),
    Block("vms", "Shared services", "who moves last, and who stays", "values",
          ("shared_services", "exclude")),
    Block("networks", "Networks", "where networks of the source lead", "networks", ("networks",)),
    Block("datastores", "Datastores", "where datastores of the source lead", "datastores", ("datastores",)),
    Block("folders", "Folders", "where VM folders of the source lead", "folders", ("folders",)),
    Block("pools", "Resource pools", "where resource pools of the source lead", "pools", ("pools",)),
    Block("storage_policies", "Storage policies", "what storage policies of the source become",
          "storage_policies", ("storage_policies",)),
    Block("disks", "Disks", "what becomes of disks, what travels", "disks", ("remaps", "sends")),
    Block("luns", "LUNs", "LUNs zoned to the target and free to use", "lists", ("luns",)),
    Block("policies", "Policies", "how runs behave", "values",
          tuple(f"policies.{name}" for name in
                ("delta_cycles", "cycle_min", "rpo_min", "stop_timeout_s", "probe_timeout_s",
                 "commit_window_h", "physical_rdm", "block_kib", "zstd_level"))),
    Block("history", "History", "the checkpoints a wave's groups can go back to", "values",
          ("policies.history_h", "policies.journal_limit", "policies.journal_warning")),
    Block("transfers", "Transfers", "how disks travel; counts for those under way", "values",
          ("transfers.adapts", "transfers.dedupe", "transfers.throttle", "transfers.limit_mbit",
           "transfers.disks",
           "transfers.disks_per_host", "transfers.disks_per_datastore", "transfers.snapshot_floor",
           "transfers.patience_s")),
    Block("priorities", "Priorities", "who gets more of the line while it is short", "lists",
          ("transfers.priorities",)),
    Block("notices", "Notices", "who is told what, by webhook and mail", "values",
          ("notices.webhooks", "notices.mail_to", "notices.mail_from", "notices.smtp", "notices.about")),
    Block("remedies", "Remedies of checks", "how findings are cleared before a wave", "values",
          ("remedies.owner", "remedies.hardware_version")),
    Block("probes", "Probes", "when a VM is well at the target", "lists", ("conduct.probes",)),
    Block("hooks", "Hooks", "programs and human steps around a cutover", "lists", ("conduct.hooks",)),
    Block("go", "Go gate", "what opens the way to the cutover", "values",
          tuple(f"conduct.gates.go.{name}" for name in _RULE)),
    Block("commit", "Commit gate", "what opens the way to commit, and what its end does", "values",
          (*(f"conduct.gates.commit.{name}" for name in _RULE),
           *(f"conduct.ending.{name}" for name in ("act", "keep_days", "folder", "reverse")))),
    Block("addresses", "Addresses", "of VMs at the target, for probes", "names", ("conduct.addresses",)),
    Block("guests", "Adapters", "addresses that guests get", "lists", ("conduct.nics",)),
    Block("subnets", "Subnets", "whose guests get addresses of another", "lists", ("conduct.subnets",)),
    Block("isolated", "Isolated networks", "where rehearsals plug into", "names", ("conduct.test_networks",)),
)  # fmt: skip
BY_ID: Mapping[str, Block] = {block.id: block for block in BLOCKS}


@dataclass(frozen=True, slots=True)
class Row:
    """An entry or an item. ``item`` is what it is now, ``said`` what a form starts with, by field.

    ``facts`` are pairs of a word and a sentence; ``wrong`` is what is odd, empty when nothing is.
    """

    key: str
    name: str  # the dotted entry, or the list or table it is of
    cells: tuple[str, ...]
    item: Any
    said: dict[str, str]
    facts: list[tuple[str, str]] = field(default_factory=list)
    wrong: str = ""


COLUMNS = {
    "values": ("entry", "value", "default", "set by"),
    "lists": ("what", "more", "", "odd"),
    "windows": ("begins", "lasts", "comes back", "odd"),
    "names": ("name", "stands for", "", "odd"),
}


def set_by(origin: Version | None) -> str:
    """Say where a value came from."""
    return f"version {origin.number}, {origin.who}, {origin.at[:10]}" if origin else ""


def _flat(text: str) -> str:
    return ", ".join(text.splitlines())


def _value_rows(block: Block, body: Mapping[str, Any], origins: Mapping[str, Version]) -> Iterator[Row]:
    from planner import settings_fields
    from planner.store.settings import entry

    for name in block.names:
        about = settings_fields.field(name)
        value = entry(body, name)
        text, default = settings_fields.shown(value), settings_fields.shown(about.default)
        unit = f" {about.unit}" if about.unit else ""
        origin = origins.get(name)
        shown = _flat(text) + (unit if text else "")
        yield Row(
            name,
            name,
            (name.rpartition(".")[2], shown, (_flat(default) + (unit if default else "")) or "none",
             set_by(origin)),
            value,
            {about.name: text},
            [
                *([("means", about.meaning)] if about.meaning else []),
                ("takes", about.takes + (", or nothing" if about.optional else "")),
                ("now", shown or "nothing is set"),
                ("default", _flat(default) or "none"),
                ("set by", set_by(origin) or "nobody: it is the default"),
                ("command", f"wherry settings set {name} VALUE"),
            ],
        )  # fmt: skip


def _list_rows(block: Block, body: Mapping[str, Any], settings: Settings) -> Iterator[Row]:
    from planner import settings_fields
    from planner.store.settings import entry

    name = block.names[0]
    for at, item in enumerate(entry(body, name, ())):
        said = {one.name: settings_fields.shown(item[one.name]) for one in settings_fields.fields(name)}
        first, *rest = (_flat(text).replace("T", " ") if "T" in text and text[:1].isdigit() else _flat(text)
                        for text in said.values())  # fmt: skip
        facts = [(key, _flat(text) or "nothing") for key, text in said.items()]
        more = " · ".join(text for text in rest if text)
        yield Row(f"{name}/{at}", name, (first, more, "", ""), item, said, facts)


def _name_rows(block: Block, body: Mapping[str, Any]) -> Iterator[Row]:
    from planner.store.settings import entry

    name = block.names[0]
    for key, value in sorted(entry(body, name, {}).items()):
        yield Row(f"{name}/{key}", name, (key, value, "", ""), key, {"name": key, "value": value})


def rows(
    block: Block, settings: Settings, body: Mapping[str, Any], origins: Mapping[str, Version]
) -> list[Row]:
    """Return the rows of a block that needs nothing but the settings (``body`` as JSON); others have none."""
    if block.shape == "values":
        return list(_value_rows(block, body, origins))
    if block.shape == "lists":
        return list(_list_rows(block, body, settings))
    if block.shape == "names":
        return list(_name_rows(block, body))
    if block.shape == "windows":
        from tui.study.window_rows import window_rows

        return list(window_rows(settings, body))
    return []

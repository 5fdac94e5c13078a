"""The reference page of all settings: ``python -m planner.settings_reference`` writes docs/settings.md anew.

Names, values, defaults and meanings come from the fields of ``planner.settings``; an example stands beside
each block.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from planner.settings import Settings

PAGE = Path(__file__).resolve().parents[1] / "docs" / "settings.md"

EXAMPLES: Mapping[str, str] = {
    "sites": """\
[sites.dc1]
url = "vcenter://migration@vc1.example.com"
role = "source"

[sites.dc2]
url = "vcenter://migration@vc2.example.com"
role = "target"
vddk = "/opt/vmware-vix-disklib-distrib"
mover = "wherry-mover-2"
carrier = "wherry-carrier"
disks = "thin"

[sites.dc2.mounts]
nfs-gold = "/mnt/nfs-gold"
""",
    "method": 'method = "cold"\n',
    "link": """\
[link]
rate_mbit = 2000.0
share = 0.4
zone = "Europe/Paris"
reserve_mbit = 200.0

[[link.hours]]
days = ["saturday", "sunday"]
first = 0
until = 24
share = 0.9
""",
    "windows": """\
[[windows]]
start = 2027-01-09T22:00:00
hours = 8.0
zone = "Europe/Paris"
""",
    "recurring": """\
[[recurring]]
every = "saturday"
at = 22:00:00
hours = 6.0
first = 2027-01-01
until = 2027-12-31
zone = "Europe/Paris"
of_month = [1, 3]
""",
    "freezes": """\
[[freezes]]
start = 2027-03-29T00:00:00
end = 2027-04-05T00:00:00
why = "end of the quarter"
only = ["billing"]
""",
    "holidays": """\
[[holidays]]
day = 2027-05-01
name = "Labour Day"
""",
    "caps": """\
[caps]
vms = 40
tib = 12.0
groups_per_owner = 4
engineer_hours = 120.0
""",
    "waves": """\
[waves]
starts = 2027-01-04
exit = 2027-09-30
soak_days = 6.0
pilots = ["intranet-01", "wiki-01"]
whole_networks = ["legacy-vlan-12"]
""",
    "target": """\
[target]
vcpus = 4000.0
memory_gib = 16384.0
storage_tib = 600.0
spare_hosts = 2
""",
    "pins": """\
[[pins]]
what = "payroll-db-01"
wave = "W03"
""",
    "apart": """\
[[apart]]
a = "dns-01"
b = "dns-02"
why = "one of the two must always answer"
""",
    "owners": '[owners]\nbilling = "Ada"\n',
    "teams": '[teams]\nAda = "finance systems"\n',
    "networks": '[networks]\n"VM Network" = "prod-120"\n',
    "datastores": '[datastores]\nvmfs-gold-01 = "array-2-ds-04"\n',
    "folders": '[folders]\nProd = "Migrated/Prod"\n"Prod/Web" = "Web"\n',
    "pools": '[pools]\ngold = "Resources/gold"\n"prod/Resources/batch" = "batch"\n',
    "storage_policies": '[storage_policies]\n"Gold mirrored" = "Gold"\n',
    "shared_services": 'shared_services = ["dc-01", "backup-01"]\n',
    "exclude": 'exclude = ["old-test-07"]\n',
    "remaps": """\
[[remaps]]
disk = "crm-db-01/Hard disk 2"
to = "rdm-virtual"
lun = "naa.60000000000000000000000000000001"
""",
    "sends": """\
[[sends]]
disk = "crm-db-01/Hard disk 3"
send = "never"
why = "page file only"
who = "Ada"
""",
    "luns": """\
[[luns]]
name = "naa.60000000000000000000000000000001"
size_bytes = 1099511627776
""",
    "policies": """\
[policies]
delta_cycles = 3
cycle_min = 5.0
rpo_min = 30.0
commit_window_h = 48.0
physical_rdm = "keep"
""",
    "transfers": """\
[transfers]
throttle = true
disks = 4
disks_per_datastore = 2

[[transfers.priorities]]
what = "W01"
weight = 4.0
""",
    "notices": """\
[notices]
webhooks = ["https://chat.example/hooks/wherry"]
mail_to = ["night-shift@example.com"]
mail_from = "wherry@example.com"
smtp = "mail.example.com:587"
about = ["failure", "alarm"]
""",
    "remedies": """\
[remedies]
owner = "Platform team"
hardware_version = 19
""",
    "conduct": """\
[[conduct.probes]]
name = "shop answers"
vms = "app:shop name:shop-web*"
kind = "http"
url = "https://{address}/health"
holds = "ok"

[[conduct.hooks]]
name = "drain"
place = "before-cutover"
argv = ["/usr/local/bin/balancer", "drain", "--wave", "{wave}"]
timeout_s = 120.0

[[conduct.hooks]]
name = "switch the alias"
place = "after-start"
says = "point shop.example.com to the new address"

[conduct.gates.go]
persons = 2
ticket = "CHG[0-9]{7}"

[conduct.ending]
act = "alarm"
keep_days = 14
folder = "Retired/wherry"

[conduct.addresses]
shop-web-01 = "10.20.0.15"

[[conduct.subnets]]
source = "10.1.0.0/16"
target = "10.20.0.0/16"
gateway = "last"
dns = ["10.20.0.53"]

[[conduct.nics]]
vm = "shop-db-01"
addresses = ["10.20.9.15/24", "2001:db8:20::15/64"]
gateways = ["10.20.9.1"]
dns = ["10.20.0.53"]
search = ["example.com"]
""",
}


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("*", "\\*").replace("<", "&lt;")


def _limits(said: Mapping[str, Any]) -> str:
    words = [
        word.format(said[key])
        for key, word in (
            ("minimum", "from {:g}"),
            ("exclusiveMinimum", "above {:g}"),
            ("maximum", "up to {:g}"),
            ("exclusiveMaximum", "below {:g}"),
        )
        if key in said
    ]
    return ", " + " ".join(words) if words else ""


def takes(said: Mapping[str, Any], parts: Mapping[str, Any]) -> str:
    """Return what a field takes, in words, from its JSON schema."""
    if "$ref" in said:
        name = said["$ref"].rpartition("/")[2]
        return takes(parts[name], parts) if "enum" in parts[name] else "a block of its own"
    if "anyOf" in said:
        return " or ".join(takes(one, parts) for one in said["anyOf"] if one.get("type") != "null")
    if "enum" in said:
        return "one of " + ", ".join(f"`{word}`" for word in said["enum"])
    if "const" in said:
        return f"`{said['const']}`"
    kind = said.get("type")
    if kind == "array":
        inner = takes(said["items"], parts) if "items" in said else "values"
        return "blocks" if inner == "a block of its own" else f"list of: {inner}"
    if kind == "object":
        return "names and their values"
    plain = {"integer": "whole number", "number": "number", "string": "text", "boolean": "`true` or `false`"}
    dated = {"date": "day", "date-time": "time", "time": "time of day"}
    return dated.get(said.get("format", ""), plain.get(str(kind), "text")) + _limits(said)


def default_words(name: str, said: Mapping[str, Any], needed: frozenset[str]) -> str:
    if name in needed:
        return "must be said"
    value = said.get("default")
    if value is None or value == []:
        return "none"
    if value == "":
        return "empty"
    if isinstance(value, dict):
        return "see there" if value else "none"
    shown = ", ".join(map(str, value)) if isinstance(value, list) else value
    return f"`{shown}`"


def part_of(said: Mapping[str, Any], parts: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the schema of the block a field holds, alone, in a list or by name; None for plain values."""
    for one in (said, said.get("items", {}), said.get("additionalProperties", {})):
        if isinstance(one, Mapping) and "$ref" in one:
            found: Mapping[str, Any] = parts[one["$ref"].rpartition("/")[2]]
            return found if "properties" in found else None
    return None


def _table(block: Mapping[str, Any], parts: Mapping[str, Any]) -> Iterator[str]:
    needed = frozenset(block.get("required", ()))
    yield "| entry | takes | default | meaning |"
    yield "| --- | --- | --- | --- |"
    for name, said in block["properties"].items():
        meaning = said.get("description", "")
        if not meaning and (inner := part_of(said, parts)):
            meaning = inner.get("description", "")
        yield (
            f"| `{name}` | {_escaped(takes(said, parts))} | {_escaped(default_words(name, said, needed))} "
            f"| {_plain(meaning)} |"
        )


def _inner(block: Mapping[str, Any], parts: Mapping[str, Any]) -> Iterator[str]:
    """Yield the tables of blocks inside a block."""
    for name, said in block["properties"].items():
        if inner := part_of(said, parts):
            yield f"Each of `{name}`: {_plain(inner.get('description', ''))}."
            yield ""
            yield from _table(inner, parts)
            yield ""
            yield from _inner(inner, parts)


def _plain(text: str) -> str:
    """Return a docstring as it stands on the page: one line, without its full stop."""
    return _escaped(" ".join(text.split()).rstrip(".").replace("``", "`"))


def _block(name: str, said: Mapping[str, Any], parts: Mapping[str, Any]) -> Iterator[str]:
    yield f"## {name}"
    yield ""
    block = part_of(said, parts)
    about = _plain(said.get("description") or (block or {}).get("description", ""))
    values = "" if block else f" Takes: {_escaped(takes(said, parts))}."
    yield f"{about[:1].upper()}{about[1:]}.{values}"
    yield ""
    if block:
        yield from _table(block, parts)
        yield ""
        yield from _inner(block, parts)
    yield "```toml"
    yield from EXAMPLES[name].rstrip("\n").splitlines()
    yield "```"
    yield ""


def lines() -> Iterator[str]:
    """Yield the page, line by line."""
    schema = Settings.model_json_schema()
    parts = schema.get("$defs", {})
    yield "# Settings"
    yield ""
    yield (
        "Written by `python -m planner.settings_reference`; do not edit it by hand. A project's settings are "
        "one TOML document: `wherry settings show` prints it, `settings edit`, `set` and `import` change it, "
        "every version is kept. What contradicts itself or names an entry that does not exist is refused. "
        "Times without an offset are read in the `zone` beside them. Passwords never stand here."
    )
    yield ""
    for name in schema["properties"]:
        yield f"- [{name}](#{name})"
    yield ""
    for name, said in schema["properties"].items():
        yield from _block(name, said, parts)


def page() -> str:
    """Return the page as it is published."""
    return "\n".join(lines()).rstrip("\n") + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    sys.stderr.write(f"{PAGE.name}: {len(Settings.model_fields)} entries\n")

"""The check for passwords in what people wrote about a VM. Its sentences never repeat one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from planner.checks.check import Rule, Work, rule
from planner.checks.estate import Estate
from planner.model import VM, Severity
from planner.names import visible

RULES: list[Rule] = []
# A word for a secret, a mark of assignment, and something that may be one.
_SECRET = re.compile(
    r"(?:pass(?:word|wd|phrase|wort)|(?<![a-z])pass|pwd|kennwort|contraseña|mot de passe|secret"
    r"|api[ _-]?key|token"
    r"|(?<![a-z0-9])p/?w)s?\s{0,3}(?:[:=]|\bis\b|\bist\b)\s{0,3}(?P<value>[^\s,;]{3,})",
    re.IGNORECASE,
)
_KEY = re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY")
# What stands where the secret would be when people did right.
_HARMLESS = re.compile(
    r"[*x•.?_-]+|<[^>]*>|\[[^\]]*\]|\{[^}]*\}|none|n/?a|see|siehe|ask|in|via|unknown|changed|expires?|vault\S*"
    r"|keepass\S*|https?://\S*|never|not|required|disabled|enabled|the|stored|default|true|false|yes|no",
    re.IGNORECASE,
)


def _has_secret(text: str) -> bool:
    if _KEY.search(text):
        return True
    return any(not _HARMLESS.fullmatch(found["value"].rstrip(".!")) for found in _SECRET.finditer(text))


@rule(
    RULES,
    "names.password",
    Severity.WARNING,
    "Password in a text",
    why="Everybody who may read the inventory may read it, and exports carry it on.",
    remedy="take the password out of the text, change it, and keep it in a vault",
    condition="annotation, custom attributes or texts of snapshots hold a word for a secret with a value, or "
    "a private key",
    properties=("config.annotation", "customValue", "snapshot.rootSnapshotList.description"),
    reference="CWE-256: plaintext storage of a password",
    work=Work(20),
)
def password(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: password in a text."""
    texts = {
        "its annotation": (vm.annotation,),
        "a custom attribute": tuple(f"{name}: {value}" for name, value in vm.attributes if value),
        "a snapshot": tuple(f"{snapshot.name}\n{snapshot.description}" for snapshot in vm.snapshots),
    }
    for where, written in texts.items():
        if any(map(_has_secret, written)):
            yield f"{visible(vm.name)} seems to have a password in {where}"
    # A blank annotation is none only where the source lists annotations.
    if not (vm.annotation or estate.lookup.reads(vm, "annotation")) or estate.lacks(vm, "snapshots"):
        yield None

"""The filter language for tables of VMs, the same on the command line, on screens and in rules.

    crm os~win disk>100G -power:off app:crm,erp "name with blanks"

Terms are and-ed; ``-`` in front turns one around; a comma is "or" inside a value; quotes keep blanks
and commas. A bare word is a part of the name. ``:`` and ``=`` ask for equality (``*`` stands for
anything), ``~`` for a part, ``< <= > >=`` compare. An unknown number matches nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from planner.errors import BadInput
from planner.model import VM, Backing, Power
from planner.names import visible
from planner.units import parse_bytes

Test = Callable[[VM], bool]

_TEXTS: dict[str, Callable[[VM], tuple[str, ...]]] = {
    "name": lambda vm: (vm.name,),
    "id": lambda vm: (vm.id,),
    "os": lambda vm: (vm.guest_os,),
    "dns": lambda vm: (vm.dns_name,),
    "cluster": lambda vm: (vm.cluster,),
    "host": lambda vm: (vm.host,),
    "datacenter": lambda vm: (vm.datacenter,),
    "folder": lambda vm: (vm.folder,),
    "app": lambda vm: (vm.application,),
    "owner": lambda vm: (vm.owner,),
    "tier": lambda vm: (vm.tier,),
    "env": lambda vm: (vm.environment,),
    "tools": lambda vm: (vm.tools, vm.tools.removeprefix("tools")),
    "firmware": lambda vm: (vm.firmware,),
    "net": lambda vm: tuple(nic.network for nic in vm.nics),
    "ip": lambda vm: tuple(address for nic in vm.nics for address in nic.addresses),
    "mac": lambda vm: tuple(nic.mac for nic in vm.nics),
    "datastore": lambda vm: tuple(disk.path[1:].partition("]")[0] for disk in vm.disks if disk.path),
}
_SIZES: dict[str, Callable[[VM], int | None]] = {
    "disk": lambda vm: vm.disk_bytes,
    "used": lambda vm: vm.used_bytes,
    "ram": lambda vm: vm.memory_bytes or None,
}
_COUNTS: dict[str, Callable[[VM], int | None]] = {
    "cpu": lambda vm: vm.cpus or None,
    "disks": lambda vm: len(vm.disks),
    "nics": lambda vm: len(vm.nics),
    "snapshots": lambda vm: len(vm.snapshots),
    "hw": lambda vm: vm.hw_version,
}


def _has(vm: VM, *backings: Backing) -> bool:
    return any(disk.backing in backings for disk in vm.disks)


_CHOICES: dict[str, dict[str, Test]] = {
    "power": {
        "on": lambda vm: vm.power is Power.ON,
        "off": lambda vm: vm.power is Power.OFF,
        "suspended": lambda vm: vm.power is Power.SUSPENDED,
        "unknown": lambda vm: vm.power is Power.UNKNOWN,
    },
    "rdm": {
        "yes": lambda vm: _has(vm, Backing.RDM_PHYSICAL, Backing.RDM_VIRTUAL),
        "no": lambda vm: not _has(vm, Backing.RDM_PHYSICAL, Backing.RDM_VIRTUAL),
        "physical": lambda vm: _has(vm, Backing.RDM_PHYSICAL),
        "virtual": lambda vm: _has(vm, Backing.RDM_VIRTUAL),
    },
    "template": {"yes": lambda vm: vm.template, "no": lambda vm: not vm.template},
    "moves": {"yes": lambda vm: vm.movable, "no": lambda vm: not vm.movable},
}
FIELDS = tuple(sorted([*_TEXTS, *_SIZES, *_COUNTS, *_CHOICES]))

_COMPARE: dict[str, Callable[[int, int], bool]] = {
    ":": int.__eq__,
    "=": int.__eq__,
    "<": int.__lt__,
    "<=": int.__le__,
    ">": int.__gt__,
    ">=": int.__ge__,
}
# A quoted part may stand anywhere in a term: name:"a b",c
_TERM = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^\s"])+')
_FIELD = re.compile(r"([A-Za-z]+)(<=|>=|[:=~<>])(.*)", re.DOTALL)
_PART = re.compile(r'"((?:[^"\\]|\\.)*)"|(,)|([^",]+)', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Filter:
    """A parsed filter. ``text`` is what was typed; an empty filter matches every VM."""

    text: str
    tests: tuple[Test, ...]

    def matches(self, vm: VM) -> bool:
        """Return True when every term holds for the VM."""
        return all(test(vm) for test in self.tests)


def _wrong(term: str, why: str, hint: str = "") -> BadInput:
    return BadInput(
        f"filter term {visible(term, 60)!r} {why}",
        hint or f"fields are {', '.join(FIELDS)}; a bare word is a name",
    )


def _unquote(part: str) -> str:
    return re.sub(r"\\(.)", r"\1", part, flags=re.DOTALL)


def _values(text: str, term: str) -> tuple[str, ...]:
    """Return the alternatives of a value; commas in quotes don't part them."""
    values = [""]
    for quoted, comma, plain in _PART.findall(text):
        if comma:
            values.append("")
        else:
            values[-1] += _unquote(quoted) if quoted else plain
    # owner: alone asks for VMs without an owner; a dangling comma is a slip.
    if len(values) > 1 and "" in values:
        raise _wrong(term, "has a comma without a value", "write values as a,b")
    return tuple(values)


def _text_test(field: str, operator: str, values: tuple[str, ...], term: str) -> Test:
    read = _TEXTS[field]
    if operator == "~":
        if values == ("",):
            raise _wrong(term, "has no value", f"write {field}~part")
        parts = tuple(value.casefold() for value in values)
        return lambda vm: any(part in text.casefold() for text in read(vm) for part in parts)
    if operator not in {":", "="}:
        raise _wrong(term, f"compares text by {operator}", f"write {field}:value or {field}~part")
    if values == ("",):
        return lambda vm: not any(read(vm))
    patterns = tuple(
        re.compile(".*".join(map(re.escape, value.casefold().split("*"))), re.DOTALL) for value in values
    )
    return lambda vm: any(pattern.fullmatch(text.casefold()) for text in read(vm) for pattern in patterns)


def _number_test(field: str, operator: str, values: tuple[str, ...], term: str) -> Test:
    is_size = field in _SIZES
    read = _SIZES[field] if is_size else _COUNTS[field]
    if operator not in _COMPARE:
        raise _wrong(term, "searches a number for text", f"write {field}>=8 or {field}:8")
    compare = _COMPARE[operator]
    try:
        wanted = tuple(parse_bytes(value) if is_size else int(value) for value in values)
    except (BadInput, ValueError) as error:
        kind = "a size like 100G" if is_size else "a whole number"
        raise _wrong(term, f"needs {kind}", f"write {field}>{'100G' if is_size else '8'}") from error

    def test(vm: VM) -> bool:
        value = read(vm)
        return value is not None and any(compare(value, one) for one in wanted)

    return test


def _choice_test(field: str, operator: str, values: tuple[str, ...], term: str) -> Test:
    choices = _CHOICES[field]
    chosen = [choices.get(value.casefold()) for value in values]
    tests = tuple(test for test in chosen if test is not None)
    if operator not in {":", "="} or len(tests) < len(chosen):
        raise _wrong(term, "is none of the choices", f"write {field}: with one of {', '.join(choices)}")
    return lambda vm: any(test(vm) for test in tests)


def _term_test(term: str) -> Test:
    match = _FIELD.fullmatch(term)
    if not match:
        parts = tuple(value.casefold() for value in _values(term, term))
        return lambda vm: any(part in vm.name.casefold() for part in parts)
    field, operator, rest = match[1].casefold(), match[2], match[3]
    values = _values(rest, term)
    if field in _TEXTS:
        return _text_test(field, operator, values, term)
    if field in _SIZES or field in _COUNTS:
        return _number_test(field, operator, values, term)
    if field in _CHOICES:
        return _choice_test(field, operator, values, term)
    raise _wrong(term, f"names a field that does not exist: {field}")


def _negated(test: Test) -> Test:
    return lambda vm: not test(vm)


def parse(text: str) -> Filter:
    """Return the filter that ``text`` writes; raises BadInput, naming the term."""
    if '"' in _TERM.sub("", text):
        raise _wrong(text, "has a quote that is not closed", 'close it with "')
    tests: list[Test] = []
    for found in _TERM.finditer(text):
        term = found[0]
        negative = term.startswith("-") and len(term) > 1
        test = _term_test(term[1:] if negative else term)
        tests.append(_negated(test) if negative else test)
    return Filter(text, tuple(tests))

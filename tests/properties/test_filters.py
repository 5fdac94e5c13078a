"""Drawn filters over drawn estates: columns choose the rows that the VMs choose one by one."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from planner.errors import BadInput
from planner.fields import FIELDS, TABLE_WORDS, Seen
from planner.model import VM, Backing, Disk, Guest, Inventory, Nic, Power, Snapshot
from planner.query import Filter, parse
from planner.store import columns, inventories
from planner.store.project import Project
from planner.vocabulary import Choice, Number

_WORD = st.sampled_from(["", "a", "ab", "B", "prod-a", "Straße", "\x1b[31m", "none", "x y"])
_MAYBE = st.sampled_from([None, True, False])
_VMS = st.builds(
    VM,
    id=st.uuids().map(str),
    name=_WORD,
    cluster=_WORD,
    guest_os=_WORD,
    owner=_WORD,
    power=st.sampled_from(list(Power)),
    cpus=st.integers(0, 3),
    memory_bytes=st.sampled_from([0, 1, 2**30]),
    cbt=_MAYBE,
    tags=st.none() | st.lists(st.tuples(_WORD, _WORD), max_size=3).map(tuple),
    attributes=st.lists(st.tuples(_WORD, _WORD), max_size=3).map(tuple),
    disks=st.lists(
        st.builds(
            Disk,
            key=st.just("1"),
            label=st.just("d"),
            size_bytes=st.sampled_from([0, 1, 2**30]),
            backing=st.sampled_from(list(Backing)),
            path=st.sampled_from(["", "[san] a/b.vmdk", "[] x"]),
            thin=_MAYBE,
        ),
        max_size=2,
    ).map(tuple),
    nics=st.lists(st.builds(Nic, label=st.just("n"), network=_WORD), max_size=2).map(tuple),
    snapshots=st.lists(
        st.builds(Snapshot, name=_WORD, created=st.sampled_from(["", "2026-01-01T00:00:00Z"])), max_size=2
    ).map(tuple),
    guest=st.builds(Guest, heartbeat=_WORD),
    gaps=st.lists(st.sampled_from(["disks", "nics", "snapshots"]), unique=True).map(tuple),
)
_ESTATES = st.builds(
    Inventory,
    source=st.just("drawn"),
    taken_at=st.sampled_from(["2026-01-31T12:00:00Z", ""]),
    vms=st.lists(_VMS, max_size=8).map(tuple),
    gaps=st.lists(st.sampled_from(["disks", "nics", "devices"]), unique=True).map(tuple),
)
_ALL = TABLE_WORDS.fields


def _quoted(word: str) -> str:
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


@st.composite
def _terms(draw: st.DrawFn) -> str:
    sign = draw(st.sampled_from(["", "", "-"]))
    name = draw(st.sampled_from(["", *_ALL, "attr.a", 'attr."B"', "tag.AB", "tag.x"]))
    word = draw(_WORD)
    if not name:
        return sign + _quoted(word)
    field = _ALL.get(name)
    if isinstance(field, Number):
        operator, limit = (
            draw(st.sampled_from([":", "<", ">=", ">"])),
            draw(st.sampled_from(["0", "1", "1,2"])),
        )
        return f"{sign}{name}{operator}{limit}"
    if isinstance(field, Choice):
        return (
            f"{sign}{name}:{','.join(draw(st.lists(st.sampled_from([*field.words, 'unknown']), min_size=1)))}"
        )
    forms = [
        f"{name}:",
        f"{name}:a*",
        f"{name}:*a*b*",
        f"{name}~a,b",
        f"{name}:a,none",
        f"{name}:{_quoted(word)}",
    ]
    return sign + draw(st.sampled_from(forms))


_FILTERS = st.recursive(
    _terms(),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(" ".join),
        st.tuples(inner, inner).map(" or ".join),
        inner.map(lambda text: f"({text})"),
        inner.map(lambda text: f"-({text})"),
    ),
    max_leaves=6,
)


def _one_by_one(wanted: Filter, inventory: Inventory, seen: Seen) -> list[int]:
    return [row for row, vm in enumerate(inventory.vms) if wanted.matches(vm, seen)]


@settings(max_examples=150, deadline=None)
@given(_ESTATES, st.lists(_FILTERS, min_size=1, max_size=5), st.data())
def test_columns_choose_what_the_vms_choose(
    inventory: Inventory, texts: list[str], data: st.DataObject
) -> None:
    ids = [vm.id for vm in inventory.vms]
    placed = {one: data.draw(st.sampled_from([("W01", "a"), ("none", "ab")])) for one in ids[::2]}
    tallies = {one: data.draw(st.tuples(*[st.integers(0, 2)] * 3)) for one in ids[1:]}
    seen = Seen.of(inventory, placed, tallies)
    for text in texts:
        wanted = parse(text, TABLE_WORDS)
        made = columns.of_inventory(inventory, seen, wanted.needs())
        assert wanted.rows(made, len(ids)) == _one_by_one(wanted, inventory, seen), text


@settings(max_examples=25, deadline=None)
@given(_ESTATES, st.lists(_FILTERS, min_size=5, max_size=15))
def test_stored_columns_choose_the_same(inventory: Inventory, texts: list[str]) -> None:
    seen = Seen.of(inventory)
    with TemporaryDirectory() as folder, Project.create(Path(folder) / "move") as project:
        number = inventories.save(project, inventory).id
        columns.build(project, number)
        for text in texts:
            wanted = parse(text, TABLE_WORDS)
            loaded = columns.load(project, number, wanted.needs())
            loaded |= columns.placed([("", "")] * len(inventory.vms))
            loaded |= columns.judged([None] * len(inventory.vms))
            assert wanted.rows(loaded, len(inventory.vms)) == _one_by_one(wanted, inventory, seen), text


@given(st.text(alphabet='()-"and or:~x,\\@*', max_size=60))
def test_any_text_that_is_a_filter_chooses_the_same(text: str) -> None:
    try:
        wanted = parse(text)
    except BadInput:
        return
    inventory = Inventory("x", "", (VM("1", "x"), VM("2", "a,x"), VM("3", "")))
    made = columns.of_inventory(inventory, Seen(), [*wanted.needs(), *FIELDS])
    assert wanted.rows(made, 3) == _one_by_one(wanted, inventory, Seen())

"""The filter language: every operator, on unknown values too, and errors that name the term."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.errors import BadInput
from planner.model import VM, Backing, Disk, Nic, Power
from planner.query import FIELDS, parse

GIB = 1024**3
VMS = (
    VM(
        id="1",
        name="crm-db-01",
        power=Power.ON,
        guest_os="Red Hat Enterprise Linux 9 (64-bit)",
        cluster="prod-a",
        cpus=8,
        memory_bytes=32 * GIB,
        application="crm",
        owner="Anna Berg",
        tier="database",
        disks=(
            Disk("1", "d1", 40 * GIB, path="[san-01] x/x.vmdk"),
            Disk("2", "d2", 80 * GIB, Backing.RDM_PHYSICAL),
        ),
        nics=(Nic("n", "prod-db", "00:50:56:00:00:01", addresses=("10.20.1.5",)),),
        tools="toolsOk",
    ),
    VM(
        id="2",
        name="crm-web-01",
        power=Power.OFF,
        guest_os="Microsoft Windows Server 2022 (64-bit)",
        cluster="prod-b",
        cpus=2,
        memory_bytes=2 * GIB,
        application="crm",
        disks=(Disk("1", "d1", 20 * GIB, Backing.RDM_VIRTUAL),),
    ),
    VM(id="3", name="old, odd [/] box", application="erp", template=True),
)


def names(text: str) -> str:
    chosen = parse(text)
    return "".join(vm.id for vm in VMS if chosen.matches(vm))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "123"),
        ("   ", "123"),
        ("crm", "12"),
        ("CRM db", "1"),
        ("-crm", "3"),
        ("db,web", "12"),
        ("os~win", "2"),
        ("os~win,red", "12"),
        ("-os~win", "13"),
        ("power:on", "1"),
        ("power:on,off", "12"),
        ("power:unknown", "3"),
        ("cluster:prod-a", "1"),
        ("cluster:prod", ""),
        ("cluster:prod-*", "12"),
        ("cluster=PROD-A", "1"),
        ("disk>100G", "1"),
        ("disk>=20G", "12"),
        ("disk<100GiB", "23"),
        ("disk:120G", "1"),
        ("cpu>=8", "1"),
        ("cpu<4", "2"),
        ("cpu:2,8", "12"),
        ("ram<4G", "2"),
        ("-ram<4G", "13"),
        ("app:crm -power:off", "1"),
        ('owner:"Anna Berg"', "1"),
        ("owner:", "23"),
        ("-owner:", "1"),
        ("tier:database", "1"),
        ("rdm:yes", "12"),
        ("rdm:physical", "1"),
        ("rdm:virtual", "2"),
        ("rdm:no", "3"),
        ("template:yes", "3"),
        ("moves:no", "3"),
        ("ip:10.20.*", "1"),
        ("net:prod-db", "1"),
        ("datastore:san-01", "1"),
        ("tools:ok", "1"),
        ('"old, odd"', "3"),
        ('"[/]"', "3"),
        ("[/]", "3"),
        ('name:"old, odd [/] box"', "3"),
        ("snapshots:0", "123"),
        ("used>0", ""),
    ],
)
def test_filters(text: str, expected: str) -> None:
    assert names(text) == expected


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("colour:red", "colour:red"),
        ("crm disk>lots", "disk>lots"),
        ("cpu:many", "cpu:many"),
        ("cpu~8", "cpu~8"),
        ("os>win", "os>win"),
        ("os~", "os~"),
        ("power:sideways", "power:sideways"),
        ("rdm>1", "rdm>1"),
        ("app:crm,", "app:crm,"),
        ('crm "open', "open"),
        ("shared:yes", "shared:yes"),
        ("wave:\x1b[31m", "wave:"),
    ],
)
def test_errors_name_the_term_and_hint(text: str, term: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse(text)
    assert term in caught.value.message
    assert caught.value.hint
    assert "\x1b" not in caught.value.message


def test_hint_lists_the_fields() -> None:
    with pytest.raises(BadInput) as caught:
        parse("colour:red")
    assert all(field in caught.value.hint for field in FIELDS)


@given(st.text(max_size=40))
def test_any_text_is_a_filter_or_bad_input(text: str) -> None:
    try:
        chosen = parse(text)
    except BadInput:
        return
    for vm in VMS:
        chosen.matches(vm)

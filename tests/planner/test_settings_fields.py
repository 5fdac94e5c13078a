"""Fields of settings as forms need them: what each takes, and what a person's text says."""

from __future__ import annotations

from datetime import date

import pytest
from pydantic import BaseModel

from planner import settings_fields as fields
from planner.errors import BadInput
from planner.settings import Settings


def test_every_entry_of_every_block_is_a_field_or_a_block() -> None:
    for name, part in Settings():
        if isinstance(part, BaseModel):
            known = {one.name for one in fields.fields(name)}
            blocks = {
                "link": {"hours"},
                "transfers": {"priorities"},
                "conduct": {
                    *("probes", "hooks", "gates", "ending", "addresses", "nics", "subnets", "test_networks"),
                },
            }
            inner = blocks.get(name, set())
            assert known | inner == set(type(part).model_fields), name


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("caps.vms", " 40 ", 40),
        ("caps.tib", "2.5", 2.5),
        ("caps.cutovers", "", None),
        ("caps.vms", "", 50),
        ("waves.exit", "", None),
        ("waves.exit", "2027-09-30", "2027-09-30"),
        ("waves.whole_applications", "no", False),
        ("waves.pilots", "a\n\n b \n", ["a", "b"]),
        ("policies.block_kib", "256", 256),
        ("policies.physical_rdm", "keep", "keep"),
        ("remedies.owner", "", ""),
        ("luns.size_bytes", "1 TiB", 2**40),
        ("recurring.of_month", "1\n3", [1, 3]),
    ],
)
def test_a_text_is_read_as_its_field_says(name: str, text: str, value: object) -> None:
    assert fields.read(fields.field(name), text, name) == value


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("caps.vms", "many", "caps.vms: 'many' is no whole number"),
        ("link.share", "half", "link.share: 'half' is no number"),
        ("windows.start", "", "windows.start is empty"),
        ("recurring.of_month", "first", "recurring.of_month: 'first' is no whole number"),
        ("caps.vms", "\x1b[31m4", "caps.vms: '␛[31m4' is no whole number"),
    ],
)
def test_what_cannot_be_read_is_named(name: str, text: str, said: str) -> None:
    with pytest.raises(BadInput) as caught:
        fields.read(fields.field(name), text, name)
    assert caught.value.message == said
    assert caught.value.hint


def test_what_is_shown_is_read_back_as_the_same() -> None:
    settings = Settings.model_validate(
        {
            "waves": {"exit": date(2027, 9, 30), "pilots": ["a", "b"], "soak_days": 6.5},
            "caps": {"cutovers": 3},
        }
    ).model_dump(mode="json")
    for block in ("caps", "waves", "link", "target", "policies", "remedies"):
        for one in fields.fields(block):
            value = settings[block][one.name]
            assert fields.read(one, fields.shown(value), one.name) == value, f"{block}.{one.name}"

"""Completion: what is proposed is right where it is put, can be read again, and harms no terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.completion import Suggestion, complete
from planner.fields import FIELDS, TABLE_WORDS
from planner.model import VM
from planner.names import visible
from planner.query import parse

VALUES = {
    "name": ["crm-db-01", "old, odd [/] box", "or", "db:1", "\x1b[31mred", "-x"],
    "os": ["Windows Server 2022", "Red Hat", 'say "hi" \\ there', "winter"],
    "cluster": ["prod-a", "prod-b"],
    "attr.cost centre": ["4711"],
    "wave": ["W01"],
}
SAVED = {"big": "disk>2T", "unplanned": "wave:none"}
OPEN = ("attr.cost centre", "attr.owner", "attr.\x1b[31m", "tag.env")


def completed(text: str, at: int | None = None) -> tuple[Suggestion, ...]:
    where = len(text) if at is None else at
    return complete(text, where, TABLE_WORDS, lambda name: VALUES.get(name, ()), SAVED, OPEN)


def wholes(text: str, at: int | None = None) -> list[str]:
    return [found.whole for found in completed(text, at)]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("clu", ["cluster:"]),
        ("crm -(clu", ["crm -(cluster:"]),
        ("os", ["os:", "os~"]),
        ("cpu", ["cpu>", "cpu>=", "cpu<", "cpu<=", "cpu:"]),
        ("power:o", ["power:on", "power:off"]),
        ("power:on,s", ["power:on,suspended"]),
        ("power:u", ["power:unknown"]),
        ("cluster:prod-a,p", ["cluster:prod-a,prod-b"]),
        ("-cluster=PROD-B", ["-cluster=prod-b"]),
        ("os~wi", ['os~"Windows Server 2022"', "os~winter"]),
        ('os:"Windows S', ['os:"Windows Server 2022"']),
        ("os:hi", ['os:"say \\"hi\\" \\\\ there"']),
        ("name:old", ['name:"old, odd [/] box"']),
        ("attr.cost", ['attr."cost centre":']),
        ('attr."cost centre":4', ['attr."cost centre":4711']),
        ("@b", ["@big"]),
        ("crm (@", ["crm (@big", "crm (@unplanned"]),
        ("wave:", ["wave:none", "wave:W01"]),
        ("crm-", ["crm-db-01"]),
        ("db", ['"db:1"', "crm-db-01"]),
        ("disk>1", []),
        ("colour:r", []),
        ("name~red", []),
        ("name:\x1b[", ["name:*[31mred"]),
    ],
)
def test_what_may_follow(text: str, first: list[str]) -> None:
    found = wholes(text)
    assert found[: len(first)] == first
    assert bool(found) is bool(first)


def test_an_empty_filter_may_begin_with_any_field_or_saved_filter() -> None:
    found = wholes("")
    assert found[:3] == ["name:", "id:", "dns:"]
    every = complete("", 0, TABLE_WORDS, lambda name: (), SAVED, OPEN, most=500)
    begun = {one.whole.rstrip(":>") for one in every}
    assert begun == {*TABLE_WORDS.fields, "attr.", "tag.", "@big", "@unplanned"}
    meanings = {one.whole: one.meaning for one in every}
    assert meanings["cluster:"] == FIELDS["cluster"].meaning
    assert meanings["@big"] == "disk>2T"


def test_the_term_under_the_cursor_is_completed_and_the_rest_stays() -> None:
    text = "crm clus power:on"
    (found,) = [one for one in completed(text, 8) if one.whole.startswith("crm cluster")]
    assert found.whole == "crm cluster: power:on"
    assert found.cursor == len("crm cluster:")
    assert "(power:off) x" in wholes("(power:o) x", len("(power:o"))
    assert "-cluster:" in wholes("-cluste", 4)


def test_what_is_said_already_is_not_proposed() -> None:
    assert wholes("power:off") == []
    assert wholes("@big") == []


def test_as_many_as_were_asked_for() -> None:
    many = [f"vm-{at}" for at in range(5000)]
    assert len(complete("name:vm", 7, TABLE_WORDS, lambda name: many, most=7)) == 7


@given(
    st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=5),
    st.sampled_from(["name:", "-(name:", "crm or name:", "name:x,", ""]),
    st.data(),
)
def test_every_value_that_is_proposed_is_a_filter_that_finds_it(
    names: list[str], before: str, data: st.DataObject
) -> None:
    chosen = data.draw(st.sampled_from(names))
    typed = before + (chosen[:2] if chosen[:2].isalpha() else "")
    for found in complete(typed, len(typed), TABLE_WORDS, lambda name: names if name == "name" else ()):
        assert visible(found.shown) == found.shown
        assert visible(found.whole) == found.whole
        term = found.whole[len(before) :]
        if before or term.strip('"') in names:
            asked = f"name:{term}" if before else term
            wanted = parse(asked)
            assert any(wanted.matches(VM("1", name)) for name in names), found


@given(st.text(alphabet='"\\,:@()-~.a x', max_size=20), st.integers(-2, 25))
def test_any_text_and_cursor_are_taken(text: str, at: int) -> None:
    for found in completed(text, at):
        assert 0 <= found.cursor <= len(found.whole)
        assert found.whole != text

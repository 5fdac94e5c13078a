"""Settings in the store and as TOML: nothing is lost, what is wrong is named."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from planner.errors import BadInput
from planner.settings import Settings
from planner.store import settings as store
from planner.store.project import Project

FULL: dict[str, Any] = {
    "sites": {
        'old "dc".1': {"url": "lab:/data/a b", "role": "source"},
        "new": {"url": "vcenter://me@host", "role": "target"},
    },
    "link": {
        "rate_mbit": 400,
        "share": 0.5,
        "hours": [{"days": ["monday"], "first": 8, "until": 18, "share": 0.1}],
        "zone": "Europe/Berlin",
        "reserve_mbit": 20,
    },
    "windows": [
        {"start": "2026-10-03T22:00:00", "hours": 4, "zone": "Europe/Berlin"},
        {"start": "2026-10-10T22:00:00+02:00"},
    ],
    "freezes": [{"start": "2026-12-20T00:00:00", "end": "2027-01-04T00:00:00", "why": "[red]"}],
    "recurring": [
        {"every": "sunday", "at": "02:30", "first": "2026-10-01", "until": "2026-12-31", "of_month": [1, 3]}
    ],
    "holidays": [{"day": "2026-12-25", "name": '"x"\n[y]'}],
    "waves": {"starts": "2026-09-01", "pilots": ["a = b"], "whole_networks": ["[old]"], "environments": []},
    "target": {"memory_gib": 512, "spare_hosts": 2},
    "pins": [{"what": "db # 1", "wave": "W03"}],
    "apart": [{"a": "x", "b": "y", "why": "two domain controllers"}],
    "teams": {'"mia"': "red"},
    "caps": {"vms": 30, "tib": 4.5, "cutovers": 4, "tib_per_datastore": 0.5},
    "owners": {'=cmd|"x"\n': "\x1b[0m", "a.b": ""},
    "networks": {"[prod]": "prod-2", "a = b # c": "'''"},
    "shared_services": ["dc01", '"'],
    "exclude": ["../x"],
    "remaps": [
        {"disk": "db/Hard disk 2", "to": "rdm-physical", "lun": "naa.6"},
        {"disk": "x/y", "to": "keep"},
    ],
    "luns": [{"name": "naa.6", "size_bytes": 1 << 40}],
    "policies": {"delta_cycles": 3, "physical_rdm": "keep"},
}


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path) as project:
        yield project


def test_defaults_are_in_force_until_something_is_saved(project: Project) -> None:
    assert store.load(project) == Settings()
    changed = Settings.model_validate(FULL)
    store.save(project, changed, "me")
    assert store.load(project) == changed
    store.save(project, Settings(), "me")
    assert store.load(project) == Settings()
    assert project.rows("SELECT count(*) FROM settings")[0][0] == 2


@pytest.mark.parametrize("body", [{}, FULL])
def test_toml_comes_back_as_it_was(body: dict[str, Any]) -> None:
    before = Settings.model_validate(body)
    assert store.read_toml(store.write_toml(before), "x") == before


names = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@profile(max_examples=60, deadline=None)
@given(st.dictionaries(names, names, max_size=4), st.lists(names, max_size=4), st.dictionaries(names, names))
def test_any_name_survives_toml(owners: dict[str, str], exclude: list[str], networks: dict[str, str]) -> None:
    before = Settings.model_validate({**FULL, "owners": owners, "exclude": exclude, "networks": networks})
    assert store.read_toml(store.write_toml(before), "x") == before


def test_toml_explains_each_setting_where_it_stands() -> None:
    text = store.write_toml(Settings.model_validate(FULL))
    lines = text.splitlines()
    for name, field in Settings.model_fields.items():
        if field.description:
            place = lines.index(f"# {field.description}")
            below = next(line for line in lines[place + 1 :] if line.strip())
            beside = lines[place - 1] if lines[place - 1] == f"[{name}]" else below
            assert name in beside, f"the comment on {name} stands beside {beside}"
    assert "vms = 30 # VMs per wave: a team's usual weekend is 30 to 50" in lines
    tomllib.loads(text)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("caps = 3", "caps"),
        ("[caps]\nvms = 0", "caps.vms"),
        ("[caps]\nvm = 3", "caps.vm"),
        ("nonsense = 1", "nonsense"),
        ('[[windows]]\nstart = "soon"', "windows.0.start"),
        ('[[windows]]\nstart = 2026-10-03T22:00:00\nzone = "Mars/Base"', "windows.0.zone"),
        ('[sites.a]\nurl = "http://x"\nrole = "source"', "sites.a.url"),
        (
            '[sites.a]\nurl = "lab:x"\nrole = "source"\n[sites.b]\nurl = "lab:y"\nrole = "source"',
            "the document",
        ),
        ("[[freezes]]\nstart = 2026-10-03\nend = 2026-10-01", "freezes.0"),
    ],
)
def test_a_wrong_setting_is_named(text: str, where: str) -> None:
    with pytest.raises(BadInput) as caught:
        store.read_toml(text, "mine.toml")
    assert "mine.toml" in caught.value.message
    assert f"at {where}:" in caught.value.message


@pytest.mark.parametrize("text", ["[caps", "a = ", "= 1", "a = 1\na = 2", "\x00"])
def test_what_is_no_toml_names_the_line(text: str) -> None:
    with pytest.raises(BadInput, match=r"mine\.toml is not valid TOML"):
        store.read_toml(text, "mine.toml")


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"windows": [{"start": "soon"}]}, r"windows\.0\.start: it must be a time like 2027-01-09T22:00$"),
        ({"windows": [{"start": "2027-01-09T22:00", "hours": 200}]}, r"hours: it must be at most 72$"),
        ({"windows": [{}]}, r"start: it is missing$"),
        ({"holidays": [{"day": "x", "name": "n"}]}, r"day: it must be a day like 2027-01-09$"),
        ({"caps": {"vms": "x"}}, r"caps\.vms: it must be a whole number$"),
        ({"caps": {"tib": 0}}, r"caps\.tib: it must be more than 0$"),
        ({"link": {"zone": "Mars"}}, r"link\.zone: time zone 'Mars' does not exist$"),
        ({"pins": "x"}, r"pins: it must be a list$"),
        ({"policies": {"physical_rdm": "x"}}, r"physical_rdm: it must be '"),
    ],
)
def test_a_wrong_value_is_said_in_words_of_people(document: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        store.validate(document, "the file")

import json
from pathlib import Path
from typing import Any

import pytest

from planner.errors import BadInput
from planner.store.project import Project
from tests.tui.cli.command import refused, wherry
from tests.tui.cli.terminal import typing
from tests.tui.plain import plain
from tests.tui.stage import lines, until
from tui.preferences import Preferences, for_session, keep_changes, load, preferences_file

ALL: dict[str, Any] = {
    "theme": "daylight",
    "ascii": True,
    "calm": True,
    "keys": {"filter": "ctrl+f", "sort": "f4,f6", "mark": "#"},
    "columns": {"inventory": ["name", "disk"]},
}


def written(tmp_path: Path, said: Any) -> Path:
    path = tmp_path / "ui.json"
    path.write_text(said if isinstance(said, str) else json.dumps(said), "utf-8")
    return path


def test_no_file_means_the_defaults(tmp_path: Path) -> None:
    assert load(tmp_path / "none.json") == Preferences()


def test_a_file_is_read_whole_and_keys_in_the_words_of_screens(tmp_path: Path) -> None:
    assert load(written(tmp_path, ALL)) == Preferences(
        "daylight", True, True, keys={"filter": "ctrl+f", "sort": "f4,f6", "mark": "number_sign"},
        columns={"inventory": ("name", "disk")},
    )  # fmt: skip


def test_they_lie_where_a_person_keeps_such_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert preferences_file() == tmp_path / "wherry" / "ui.json"
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "ann"))
    assert preferences_file() == tmp_path / "ann" / ".config" / "wherry" / "ui.json"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("{", "cannot be read as JSON"),
        ("[]", "holds no JSON object"),
        ({"colour": "red"}, "unknown word colour"),
        ({"theme": 3}, "theme must be a str"),
        ({"theme": "mauve\x1b[31m"}, "there is no theme mauve␛[31m; known are harbour, daylight, beacon"),
        ({"ascii": "yes"}, "ascii must be a bool"),
        ({"calm": 1}, "calm must be a bool"),
        ({"keys": {"filter": 3}}, "every action needs a key as text"),
        ({"keys": {"filter": ""}}, "every action needs a key as text"),
        ({"keys": {"fly": "x"}}, "there is no action fly"),
        ({"keys": {"filter": "ctrl-f"}}, "filter: 'ctrl-f' is no key"),
        ({"keys": {"filter": "x,"}}, "filter: '' is no key"),
        ({"keys": {"filter": "hyper+f"}}, "filter: 'hyper+f' is no key"),
        ({"keys": {"filter": "\u202e"}}, "filter: '<U+202E>' is no key"),
        ({"keys": {"sort": "j"}}, "sort: j moves the cursor in every table"),
        ({"keys": {"sort": "/"}}, "/ is asked for filter and sort"),
        ({"keys": {"sort": "x", "mark": "x"}}, "x is asked for"),
        ({"keys": {"go.waves": "q"}}, "q is asked for go.waves and quit"),
        ({"columns": {"inventory": "name"}}, "inventory must be a list of names"),
    ],
)
def test_a_bad_file_is_named_in_one_sentence(tmp_path: Path, said: Any, words: str) -> None:
    path = written(tmp_path, said)
    with pytest.raises(BadInput) as error:
        load(path)
    assert error.value.message.startswith(f"{path}: ")
    assert words in error.value.message
    assert "\x1b" not in error.value.message
    assert "\n" not in error.value.message
    assert error.value.hint


def test_keys_may_change_places(tmp_path: Path) -> None:
    path = written(tmp_path, {"keys": {"sort": "v", "columns": "s"}})
    assert load(path).keys == {"sort": "v", "columns": "s"}


def test_what_was_asked_for_this_once_is_not_kept(tmp_path: Path) -> None:
    path = written(tmp_path, {"calm": True})
    once, wrong = for_session(path, "beacon", True)
    assert (once, wrong) == (Preferences("beacon", True, True), None)
    keep_changes(path, once, Preferences("beacon", True, True, columns={"waves": ("wave",)}))
    assert load(path) == Preferences(calm=True, columns={"waves": ("wave",)})
    with pytest.raises(BadInput, match="no theme 'mauve'"):
        for_session(path, "mauve", False)


def test_the_row_of_a_wrong_key_is_said(tmp_path: Path) -> None:
    keys = {"help": "f2", "sort": "/"}
    path = written(tmp_path, json.dumps({"keys": keys}, indent=2))
    with pytest.raises(BadInput, match=r"ui\.json: line 4: keys: / is asked for filter and sort"):
        load(path)


async def test_a_broken_file_is_told_and_the_application_starts(tmp_path: Path) -> None:
    path = written(tmp_path, '{"theme": "beacon",\n "calm": tru}')
    likes, wrong = for_session(path, None, False)
    assert likes == Preferences()
    assert wrong is not None
    assert "line 2 column" in wrong.message
    before = path.read_text("utf-8")
    async with plain(preferences=likes, likes_file=path, warning=wrong.message[-70:]) as pilot:
        await until(lambda: "line 2 column" in lines(pilot)[-2])
        await pilot.press("v", "down", "space", "enter")
        await pilot.pause()
        assert "could not be kept" in lines(pilot)[-2]
    assert path.read_text("utf-8") == before


def test_changes_are_kept_beside_what_another_session_wrote(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "ui.json"
    keep_changes(path, Preferences(), Preferences())
    assert not path.exists()
    keep_changes(path, Preferences(), Preferences(theme="nord"))
    keep_changes(path, Preferences(), Preferences(calm=True))
    assert load(path) == Preferences(theme="nord", calm=True)
    assert [item.name for item in path.parent.iterdir()] == ["ui.json"]
    path.write_text("{")
    with pytest.raises(BadInput):
        keep_changes(path, Preferences(), Preferences(calm=True))
    assert path.read_text() == "{"  # a file we cannot read is a person's, not ours to write over


def test_the_verb_starts_with_a_bad_file_and_names_it_when_it_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "project"
    Project.create(root, "acme").close()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "wherry").mkdir()
    path = written(tmp_path / "wherry", {"keys": {"fly": "x"}})
    code, drawn = typing([(b"Overview", b"q")], "ui", "--project", str(root))
    assert code == 0, drawn
    said = drawn.rpartition("\x1b[?1049l")[2]  # behind the screens
    assert f"{path}: line 1: keys: there is no action fly; wherry's own likes were used" in said
    assert "hint: the names stand in docs/terminal.md" in said
    refused(wherry("ui", "--theme", "mauve", "--project", str(root)), 2, "there is no theme 'mauve'")
    refused(wherry("ui", "--project", str(root)), 2, "no terminal")

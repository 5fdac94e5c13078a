"""A project's own rules: what they decide, what their tests say, and how a wrong file is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.checks.custom import Outcome, RuleFile, read_rules, rules_of
from planner.checks.marked import MAX_BYTES, parse_marked
from planner.checks.registry import run_checks
from planner.errors import BadInput
from planner.model import Inventory, Method, Severity
from planner.settings import Settings
from tests.planner.checks.verdict import ON, vm
from tests.planner.sketch import disk

GOOD = """
# what the new datacenter does not take
- id: site.windows-2008
  title: Windows 2008 still runs
  when: os~"Windows 2008" and power:on
  severity: {warm: blocker, cold: warning}
  why: The new datacenter does not take it.
  remedy: replace it before the move
  work: {effort_min: 480, outage: true, lead_days: 30}
  tests:
    - {vm: {guest_os: Windows 2008 R2, power: poweredOn}, expect: finding}
    - {vm: {guest_os: Windows 2019, power: poweredOn}, expect: fine}
    - {vm: {guest_os: Windows 2008}, expect: unknown}
- id: site.old-snapshot
  title: Snapshot of more than a month
  when: snapshotage>30
  unknown_when: connection:orphaned
  severity: warning
  why: It grows.
  remedy: delete it
  tests:
    - vm: {connection_state: connected, snapshots: [{name: s, created: "2026-01-01T00:00:00Z"}]}
      taken_at: 2026-03-01T00:00:00Z
      expect: finding
    - vm: {connection_state: connected}
      gaps: [snapshots]
      taken_at: 2026-03-01T00:00:00Z
      expect: unknown
    - {vm: {connection_state: orphaned}, expect: unknown}
    - {vm: {}, expect: unknown}
- id: site.untested
  title: Belongs to nobody
  when: "owner:"
  severity: info
  why: Nobody answers for it.
  remedy: find an owner
"""


def read(text: str, *taken: str) -> RuleFile:
    return rules_of(parse_marked(text, "rules.yaml"), "rules.yaml", taken)


def test_rules_of_a_file_run_beside_ours() -> None:
    rules = read(GOOD).as_rules()
    old = vm("old", guest_os="Microsoft Windows 2008 R2", power=ON, connection_state="connected", owner="A")
    mute = vm("mute", guest_os="Microsoft Windows 2008 R2", owner="A")
    inventory = Inventory("t", "2026-06-30T00:00:00Z", (old, mute))
    readiness = run_checks(inventory, own_rules=rules)
    found = [item for item in readiness.findings if item.check.startswith("site.")]
    assert [(item.check, item.subject_name, item.severity) for item in found] == [
        ("site.windows-2008", "old", Severity.BLOCKER)
    ]
    assert found[0].message == "old: Windows 2008 still runs (os Microsoft Windows 2008 R2, power on)"
    assert found[0].remedy == "replace it before the move"
    assert readiness.unknown["site.windows-2008"] == 1
    assert readiness.unknown["site.old-snapshot"] == 1  # of mute, whose connection nobody said
    cold = run_checks(inventory, Settings(method=Method.COLD), own_rules=rules)
    assert [i.severity for i in cold.findings if i.check == "site.windows-2008"] == [Severity.WARNING]
    work = rules[0].check.work
    assert work is not None
    assert (work.effort_min, work.outage, work.lead_days, work.fix) == (480, True, 30, "")


def test_tests_of_a_file_pass_and_rules_without_one_are_named() -> None:
    file = read(GOOD)
    assert all(trial.passed for trial in file.trials())
    assert [(trial.rule, trial.number) for trial in file.trials()][2:4] == [
        ("site.windows-2008", 3),
        ("site.old-snapshot", 1),
    ]
    assert file.untested() == ("site.untested",)


@pytest.mark.parametrize("outcome", list(Outcome))
def test_a_test_that_expects_something_else_fails(outcome: Outcome) -> None:
    """Negative control: of three expectations of one VM exactly one passes."""
    text = GOOD.replace(
        "Windows 2019, power: poweredOn}, expect: fine", f"X, power: poweredOn}}, expect: {outcome}"
    )
    trial = read(text).trials()[1]
    assert trial.passed is (outcome is Outcome.FINE)
    assert text.splitlines()[trial.line - 1].strip().startswith("- {vm: {guest_os: X")


def test_messages_show_hostile_titles_and_names_harmless() -> None:
    text = GOOD.replace("title: Belongs to nobody", 'title: "Belongs \\e[31m to \\u202e nobody"')
    readiness = run_checks(Inventory("t", "", (vm("a\x1b[2J"),)), own_rules=read(text).as_rules())
    found = [item for item in readiness.findings if item.check == "site.untested"]
    assert found
    assert found[0].message.isprintable()


def but(old: str, new: str) -> str:
    """Return the good file with one thing changed."""
    assert old in GOOD
    return GOOD.replace(old, new)


REFUSED = [
    ("a: b", "is no list of rules"),
    ("- null", "line 1: input should be an object"),
    (but("  why: It grows.\n", ""), "line 14, rule site.old-snapshot, field why: it is missing"),
    (but("title: Belongs", "titel: Belongs"), "line 32, rule site.untested, field titel: there is no"),
    (but("severity: info", "severity: bad"), "rule site.untested, field severity: input should be"),
    (but("{warm: blocker, cold: warning}", "{warm: blocker}"), "line 6, rule site.windows-2008, field sev"),
    (but("and power:on", "and powr:on"), "line 5, rule site.windows-2008, field when: filter term 'powr"),
    (but('"owner:"', '" "'), "field when: it is empty"),
    (but("guest_os: Windows 2019", "guestos: x"), "line 12, rule site.windows-2008, field tests.1"),
    (but("power: poweredOn}, expect: fine", "power: on}, expect: fine"), "tests.1.vm.power"),
    (but("expect: fine", "expect: no"), "field tests.1.expect"),
    (but("guest_os: Windows 2019", "cpus: many"), "field tests.1.vm.cpus"),
    (but("id: site.untested", "id: Site"), "field id: it has to be words"),
    (but("site.untested", "site.old-snapshot"), "line 31, rule site.old-snapshot, field id: another rule"),
    (but("site.untested", "disks.cbt"), "field id: wherry has a check of this id"),
    ("- &a {id: x.y}\n- *a\n", "line 1 is not valid YAML: an anchor is not accepted"),
    ("- *a\n", "line 1 is not valid YAML: an alias is not accepted"),
    ("- {<<: {id: x.y}}", "there is no such field"),
    ("- !!python/object/apply:os.system [x]", "line 1 has a tag that is not accepted"),
    ("- !!timestamp 2020-01-01", "line 1 has a tag that is not accepted"),
    ("- id: x.y\n  id: x.y\n", "line 2 repeats the key 'id'"),
    ("- 1: x\n", "line 1 has a key that is not text"),
    ("- id: [x\n", "is not valid YAML"),
    ("- id: \x00\n", "holds a character that is not text"),
    ("- " * 5000, "nested too deeply"),
    ("[" * 5000, "nested too deeply"),
    ("--- a\n--- b\n", "is not valid YAML"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), REFUSED)
def test_a_wrong_file_is_refused_with_file_line_and_field(text: str, said: str) -> None:
    with pytest.raises(BadInput) as caught:
        read(text, "disks.cbt")
    assert caught.value.message.startswith("rules.yaml ")
    assert said in caught.value.message
    assert caught.value.hint
    assert not caught.value.message.endswith(".")
    assert caught.value.message.isprintable()


def test_a_file_of_comments_holds_no_rules() -> None:
    assert read("# nothing yet\n").rules == ()


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    with pytest.raises(BadInput, match="cannot be read"):
        read_rules(path)
    path.write_bytes(b"- id: a.b\n  title: \xff\n")
    with pytest.raises(BadInput, match="line 2 is not UTF-8"):
        read_rules(path)
    path.write_bytes(b" " * (MAX_BYTES + 1))
    with pytest.raises(BadInput, match="larger than"):
        read_rules(path)
    path.write_text(GOOD.replace("site.untested", "disks.cbt"), "utf-8")
    with pytest.raises(BadInput, match="wherry has a check"):
        read_rules(path)
    path.write_text(GOOD, "utf-8")
    assert len(read_rules(path).rules) == 3


def test_plain_words_stay_words() -> None:
    marked = parse_marked("a: [yes, on, 2026-01-01, 0x10, 012, 1_000, true, 12, 1.5, ~, '12']", "f")
    assert marked.value == {
        "a": ["yes", "on", "2026-01-01", "0x10", "012", "1_000", True, 12, 1.5, None, "12"]
    }


@given(st.text(alphabet="-:[]{}&*!|>'\"#%@`,? \n\tab1é\x00", max_size=80))
def test_any_text_is_rules_or_bad_input(text: str) -> None:
    try:
        read(text)
    except BadInput as error:
        assert error.message.startswith("rules.yaml")  # noqa: PT017 - whatever it is, it says where


def rule_text(severity: str, work: str, when: str = "cpu>=2") -> str:
    return (
        f"- {{id: own.one, title: Big, when: '{when}', severity: {severity}, why: w, remedy: r,"
        f" work: {{{work}}}}}\n"
    )


def test_own_work_may_be_shared_and_info_always_is() -> None:
    said = read(rule_text("warning", "effort_min: 9, shared: true, each_min: 0.5"))
    work = said.as_rules()[0].check.work
    assert work is not None
    assert (work.shared, work.minutes(4)) == (True, 11)
    work = read(rule_text("info", "effort_min: 9")).as_rules()[0].check.work
    assert work is not None
    assert (work.shared, work.minutes(4)) == (True, 36)


@pytest.mark.parametrize(
    ("severity", "work"),
    [
        ("warning", "effort_min: 9, outage: true, shared: true"),
        ("info", "effort_min: 9, outage: true"),
        ("warning", "effort_min: 9, each_min: 2"),
    ],
)
def test_shared_work_that_contradicts_itself_is_refused(severity: str, work: str) -> None:
    with pytest.raises(BadInput, match=r"rules\.yaml line 1, rule own\.one, field work"):
        read(rule_text(severity, work))


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ("disk>4T and power:on", "a: Big (disk 4.2 TiB, power on)"),
        ("(disk>9T or power:on) cpu>=4", "a: Big (power on, cpu 4)"),
        ("-power:off -(rdm:yes or cpu<2)", "a: Big (power on, rdm no, cpu 4)"),
        ("rdm:unknown or owner:", "a: Big (owner unknown)"),
        ("note~evil", "a: Big (note evil\u241b[31m<U+202E>)"),
        ("a", "a: Big"),
        ("cpu>=4 cpu<9", "a: Big (cpu 4)"),
    ],
)
def test_a_finding_says_the_values_it_rests_on(when: str, said: str) -> None:
    size = int(4.2 * 1024**4)
    big = vm("a", cpus=4, power=ON, annotation="evil\x1b[31m\u202e", disks=(disk(size_bytes=size),))
    rules = read(rule_text("warning", "effort_min: 9", when)).as_rules()
    found = run_checks(Inventory("t", "2026-06-30T00:00:00Z", (big,)), own_rules=rules).findings
    assert [item.message for item in found if item.check == "own.one"] == [said]

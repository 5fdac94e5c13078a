"""The grammar of names: sites and roles tell nothing, what is left does."""

from __future__ import annotations

from planner.candidates.names import Said, common, parts, read_names


def test_parts_are_runs_of_letters_and_digits_of_the_host_name() -> None:
    assert parts("FRA-Prd_crmdb01.corp.example") == ("fra", "prd", "crmdb", "01")
    assert parts("Copy of x (2)") == ("copy", "of", "x", "2")


def test_what_stands_beside_many_others_is_common() -> None:
    apps = ("crm", "erp", "bil", "hrm", "mdm", "pos", "wms")
    names = [f"{site}-p-{app}-web-0{n}" for site in ("fra", "lon") for app in apps for n in range(2)]
    assert common(names) == {"fra", "lon"}


def test_a_name_tells_application_and_environment() -> None:
    names = {
        f"{site}{env}{app}": f"{site}-{env}-{app}db01"
        for site in ("fra", "lon")
        for env in ("p", "t")
        for app in ("crm", "erp", "bil", "hrm", "mdm", "pos")
    }
    found = read_names({**names, "odd": "srv0001", "site": "fra-web-01"})
    assert found["frapcrm"] == Said(("crm",), "Production")
    assert found["lonterp"] == Said(("erp",), "Test")
    assert not {"odd", "site"} & set(found)

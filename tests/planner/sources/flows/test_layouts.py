"""Each layout as its tool writes it: who calls whom on what port, how much, how often, when."""

from __future__ import annotations

from pathlib import Path

import pytest
from openpyxl import Workbook

from planner.evidence.records import Kind, iso
from tests.planner.sources.flows.files import (
    AZURE,
    NETWORKS,
    NFDUMP,
    NFDUMP_17,
    PLAIN,
    read,
    said,
    spoken,
    write,
)


def test_azure_migrate_with_mark_and_blank_destination(tmp_path: Path) -> None:
    path = write(
        tmp_path / "deps.csv",
        AZURE,
        "7/28/2026 12:00-18:00,web-1,10.0.0.1,IIS,w3wp.exe,,10.0.0.2,,sqlservr.exe,1433",
        "7/28/2026 18:00-0:00,web-1,10.0.0.1,IIS,w3wp.exe,,10.0.0.2,,sqlservr.exe,1433",
        "7/29/2026 12:00-18:00,web-1,10.0.0.1,IIS,w3wp.exe,db-1,10.0.0.2,,sqlservr.exe,1433",
        encoding="utf-8-sig",
    )
    reading = read(path)
    assert reading.kind is Kind.AZURE
    assert (reading.log.rows, reading.log.refused) == (3, 0)
    first, second = said(reading)
    assert (first.source.name, first.source.address) == ("web-1", "10.0.0.1")
    assert (first.destination.name, first.destination.address) == ("", "10.0.0.2")
    assert (first.port, first.protocol, first.size_bytes, first.count) == (1433, "tcp", None, 2)
    assert (iso(first.first_seen), iso(first.last_seen)) == ("2026-07-28T12:00:00Z", "2026-07-29T00:00:00Z")
    assert first.rows == (2, 3)
    assert second.destination.name == "db-1"
    assert second.rows == (4,)


def test_azure_migrate_as_exported_since_with_dates_and_counts(tmp_path: Path) -> None:
    path = write(
        tmp_path / "deps.csv",
        "Date,Source Appliance Name,Source Machine ARM ID,Source Server Name,Source IP,Source Application,"
        "Source Process,Destination Machine ARM ID,Destination Server Name,Destination IP,"
        "Destination Application,Destination Process,Destination Port,Connection Count",
        "16-Jul-2026,a,/m/1,web-1,10.0.0.1,x,java,/m/2,db-1,10.0.0.2,y,sqlservr.exe,1433,7",
    )
    reading = read(path)
    assert reading.kind is Kind.AZURE
    (only,) = said(reading)
    assert (only.count, iso(only.first_seen)) == (7, "2026-07-16T00:00:00Z")


def test_plain_in_the_simplest_form(tmp_path: Path) -> None:
    path = write(
        tmp_path / "flows.csv",
        PLAIN,
        "web-1,db-1,5432,tcp,100,2026-10-01T08:00:00Z,2026-10-01T09:00:00Z",
        "web-1,db-1,5432,TCP,50,2026-10-03T08:00:00+02:00,2026-10-03T09:00:00+02:00",
        "web-1,db-1,5432,6,,,",
        "web-1,10.9.8.7,53,udp,1,,",
    )
    reading = read(path)
    assert reading.kind is Kind.PLAIN
    first, second = said(reading)
    assert (first.size_bytes, first.count, first.protocol, first.days.bit_count()) == (150, 3, "tcp", 2)
    assert (iso(first.first_seen), iso(first.last_seen)) == ("2026-10-01T08:00:00Z", "2026-10-03T07:00:00Z")
    assert (second.destination.name, second.destination.address) == ("", "10.9.8.7")


@pytest.mark.parametrize(
    "header",
    [
        "Src;Dst;DPort;Total Bytes",
        "client\tserver\tserver_port\toctets",
        "From,To,Port,Traffic",
        "Source IP|Destination IP|Destination Port|Bytes",
        "source_hostname,destination_hostname,service,size",
    ],
)
def test_plain_in_other_spellings(tmp_path: Path, header: str) -> None:
    sign = next(char for char in header if char in ",;\t|")
    path = write(tmp_path / "flows.csv", header, sign.join(("10.0.0.1", "10.0.0.2", "443", "5")))
    reading = read(path)
    assert reading.kind is Kind.PLAIN
    assert spoken(reading) == [("10.0.0.1", "10.0.0.2", 443, "", 5, 1)]


def test_a_title_and_the_word_for_the_separator_may_stand_above(tmp_path: Path) -> None:
    path = write(tmp_path / "flows.csv", "sep=;", "Flows of October", "", "source;destination;port", "a;b;1")
    reading = read(path)
    assert spoken(reading) == [("a", "b", 1, "", None, 1)]
    assert reading.log.rows == 1


def test_networks_with_addresses_sizes_and_denied_flows(tmp_path: Path) -> None:
    path = write(
        tmp_path / "flows.csv",
        NETWORKS,
        "f1,web-1,10.0.0.1,db-1,10.0.0.2,TCP,TCP:5432,ALLOW,1.5 MB",
        "f2,web-1,10.0.0.1,,8.8.8.8,UDP,53 [dns],ALLOW,2 KB",
        "f3,web-1,10.0.0.1,db-2,10.0.0.3,TCP,22,DENY,100",
    )
    reading = read(path)
    assert reading.kind is Kind.NETWORKS
    assert dict(reading.log.ignored) == {"of traffic that a firewall denied": 1}
    assert spoken(reading) == [
        ("web-1", "db-1", 5432, "tcp", 1536 * 1024, 1),
        ("web-1", "8.8.8.8", 53, "udp", 2048, 1),
    ]


def test_nfdump_sums_both_directions_under_the_client(tmp_path: Path) -> None:
    tail = "........,0,0,10"
    path = write(
        tmp_path / "flows.csv",
        NFDUMP,
        f"2026-10-01 08:00:00,2026-10-01 08:00:10,10.0,10.0.0.1,10.0.0.2,51000,443,TCP,{tail},100,5,7,0,0",
        f"2026-10-01 08:00:00,2026-10-01 08:00:10,10.0,10.0.0.2,10.0.0.1,443,51001,TCP,{tail},900,0,0,0,0",
        f"2026-10-01 08:00:00,2026-10-01 08:00:10,10.0,10.0.0.3,10.0.0.2,1433,50000,TCP,{tail},1,0,0,0,0",
        f"2026-10-01 08:00:00,2026-10-01 08:00:10,10.0,10.0.0.1,10.0.0.2,0,8.0,ICMP,{tail},64,0,0,0,0",
        f"2026-10-01 08:00:00,2026-10-01 08:00:10,10.0,10.0.0.1,224.0.0.251,5353,5353,UDP,{tail},64,0,0,0,0",
        "Summary",
        "flows,bytes,packets,avg_bps,avg_pps,avg_bpp",
        "5,1129,50,1,1,1",
    )
    reading = read(path)
    assert reading.kind is Kind.NETFLOW
    assert reading.log.rows == 5
    assert dict(reading.log.ignored) == {"to or from an address that is no single machine's": 1}
    assert spoken(reading) == [
        ("10.0.0.1", "10.0.0.2", 443, "tcp", 1007, 2),
        ("10.0.0.2", "10.0.0.3", 1433, "tcp", 1, 1),
        ("10.0.0.1", "10.0.0.2", None, "icmp", 64, 1),
    ]


def test_nfdump_of_the_next_generation(tmp_path: Path) -> None:
    path = write(
        tmp_path / "flows.csv",
        NFDUMP_17,
        "2026-10-01 08:00:00.250,86400.5,TCP,2001:db8::1,52000,2001:DB8:0::2,22,9,800,3",
        NFDUMP_17,
    )
    reading = read(path)
    assert (reading.log.rows, reading.log.refused) == (1, 0)
    (only,) = said(reading)
    assert (only.source.address, only.destination.address, only.port) == ("2001:db8::1", "2001:db8::2", 22)
    assert (only.count, only.size_bytes, only.days.bit_count()) == (3, 800, 2)
    assert iso(only.last_seen) == "2026-10-02T08:00:00Z"


def test_application_list_as_csv(tmp_path: Path) -> None:
    path = write(
        tmp_path / "apps.csv",
        "Server Name;Business Application;Application;Role;Environment;Business Owner;Criticality;"
        "Maintenance Window",
        'web-1;x;Shop;web;prod;"Mia;\nTeam A";gold;Sat 22:00-02:00',
        "db-1;;;;;;;",
        ";;Shop;;;;;",
        ";;;;;;;",
    )
    reading = read(path)
    assert reading.kind is Kind.APPLICATIONS
    assert {fact.field: fact.value for fact in reading.facts} == {
        "application": "Shop",
        "tier": "web",
        "environment": "prod",
        "owner": "Mia; Team A",
        "criticality": "gold",
        "window": "Sat 22:00-02:00",
    }
    assert {fact.row for fact in reading.facts} == {2}
    assert reading.log.rows == 3
    assert reading.log.said == ["apps.csv row 4 names no VM"]
    assert dict(reading.log.ignored) == {"that name a VM and say nothing of it": 1}


def test_application_list_as_workbook_on_the_second_sheet(tmp_path: Path) -> None:
    book = Workbook()
    book.active.append(["Notes of the CMDB"])
    sheet = book.create_sheet("Servers")
    sheet.append(["As of 2026-10-01"])
    sheet.append(["VM", "Application", "Owner", "Criticality"])
    sheet.append(["web-1", "Shop", "=1+1", 1])
    sheet.append([4711, "Shop", None, 2.5])
    book.save(tmp_path / "apps.xlsx")
    reading = read(tmp_path / "apps.xlsx")
    assert reading.kind is Kind.APPLICATIONS
    ends = reading.tally.endpoints
    facts = [(ends[fact.subject].label, fact.field, fact.value, fact.row) for fact in reading.facts]
    assert ("web-1", "application", "Shop", 3) in facts
    assert ("4711", "criticality", "2.5", 4) in facts
    assert not [fact for fact in facts if fact[1] == "owner"], "a formula without a stored value says nothing"


def test_kind_overrides_the_header(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", "server,team,destination,source", "web-1,Shop,db-1,web-1")
    assert read(path).kind is Kind.PLAIN
    reading = read(path, Kind.APPLICATIONS)
    assert [(fact.field, fact.value) for fact in reading.facts] == [("owner", "Shop")]

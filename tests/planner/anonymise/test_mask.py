"""Pseudonyms: equal for equals, different for what differs, in the form of what they stand for."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, ip_address, ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.anonymise.addresses import Addresses
from planner.anonymise.cipher import Cipher
from planner.anonymise.mask import Mask
from planner.anonymise.vocabulary import KEPT

KEY = bytes(range(32))


@pytest.fixture(scope="module")
def mask() -> Mask:
    return Mask(KEY)


def test_equal_prefixes_stay_equal(mask: Mask) -> None:
    names = [mask.text(name) for name in ("ald-p-fastus-db-01", "ald-p-fastus-db-02", "ald-p-other-web-01")]
    first, second, third = (name.split("-") for name in names)
    assert first[:4] == second[:4]
    assert first[:2] == third[:2]
    assert first[2] != third[2]
    assert (first[1], first[3], first[4], second[4], third[3]) == ("p", "db", "01", "02", "web")
    assert "ald" not in names[0]


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("CRM", r"[A-Z]{5}"),
        ("Crm", r"[A-Z][a-z]{4}"),
        ("CrmPortal", r"[A-Z][a-z]{4}Portal"),
        ("crmdb01", r"[a-z]{5}db01"),
        ("webcrm", r"web[a-z]{5}"),
        ("crm_7.corp.internal", r"[a-z]{5}_7\.corp\.internal"),
        ("asset 77419", r"[a-z]{6} [1-9]\d{4}"),
        ("0077", r"\d{4}"),
        ("srv2019", "srv2019"),
        ("8F3K2L1QZ", r"[A-Z]{6}"),
        ("Straße", r"[A-Z][a-z]{5}"),
        ("東京", r"[a-z]{5}"),
        ("a-b", "a-b"),
        ("web\x1b[31m\u202e", r"web_\[31m_"),
        ("", ""),
    ],
)
def test_form_of_a_name(mask: Mask, name: str, form: str) -> None:
    assert re.fullmatch(form, mask.text(name)), mask.text(name)


def test_case_follows_the_word(mask: Mask) -> None:
    assert mask.text("fastus").upper() == mask.text("FASTUS")
    assert mask.text("Fastus") == mask.text("fastus").capitalize()


@pytest.mark.parametrize(
    "text",
    [
        "Red Hat Enterprise Linux 8 (64-bit)",
        "Microsoft Windows Server 2019 (64-bit)",
        "windows2019srv_64Guest",
        "toolsNotInstalled",
        "independent_nonpersistent",
        "SCSI controller 0",
        "Hard disk 1",
        "Network adapter 1",
        "notConfigured",
        "Intel(R) Xeon(R) Gold 6248 CPU @ 2.50GHz",
        "PowerEdge R740",
        "ProLiant DL380 Gen10",
        "fullyAutomated",
        "Vmxnet3",
        "VM Network",
    ],
)
def test_the_language_of_vsphere_stays(mask: Mask, text: str) -> None:
    assert mask.words(text) == text


def test_the_vocabulary_holds_no_names_of_places() -> None:
    """Code names of processors that are towns would give a site away."""
    assert not KEPT & {
        "berlin",
        "milan",
        "rome",
        "naples",
        "london",
        "paris",
        "frankfurt",
        "munich",
        "geneva",
    }
    assert all(word == word.lower() and word.isalpha() for word in KEPT)


def test_identifiers_keep_their_form(mask: Mask) -> None:
    uuid = "6000C291-f112-64ea-5152-a433aabbccdd"
    image = mask.text(uuid)
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", image)
    assert image != uuid.lower()
    assert re.fullmatch(r"vm-[1-9]\d{3}", mask.identifier("vm-1042"))
    inside = mask.identifier("f5f08ecc-0e03-fad5-61b4-39b089eafdc3/vm-1042")
    assert inside.endswith("/" + mask.identifier("vm-1042"))
    assert mask.text("f5f08ecc-0e03-fad5-61b4-39b089eafdc3") == inside.split("/")[0]
    assert re.fullmatch(r"\*{5}-\*{5}-[A-Z]\d[A-Z]\d[A-Z]", mask.serial("*****-*****-J7K2P"))
    assert mask.identifier("Group-v42") != "Group-v42"


def test_a_lun_is_found_inside_of_longer_names() -> None:
    mask = Mask(KEY)
    name = "naa.600a0980383030304f2b4e7a4f6b3031"
    mask.know_luns(frozenset({name}))
    image = mask.text(name)
    assert image.startswith("naa.6")
    assert image != name
    raw = f"vml.0200000000{name[4:]}4c554e20432d"
    assert image[4:] in mask.text(raw)
    assert image[4:] in mask.text(f"02000000{name[4:]}")
    assert name[4:20] not in mask.text(raw)


def test_paths_map_part_by_part(mask: Mask) -> None:
    disk = mask.text("[ald-vmfs-101] ald-p-fastus-db-01/ald-p-fastus-db-01_1.vmdk")
    store, _, rest = disk.partition("] ")
    assert store[1:] == mask.text("ald-vmfs-101")
    assert rest.split("/")[0] == mask.text("ald-p-fastus-db-01")
    assert rest.endswith("_1.vmdk")


def test_numbers_of_an_estate_stay_different(mask: Mask) -> None:
    numbers = {mask.identifier(f"vm-{number}") for number in range(1000, 4000)}
    assert len(numbers) == 3000


def test_words_of_an_estate_stay_different() -> None:
    mask = Mask(KEY)
    words = {mask.text(f"{a}{b}{c}e") for a in "bdfghjkl" for b in "aeiou" for c in "mnprst"}
    assert len(words) == 8 * 5 * 6
    pairs = {mask.text(a + b) for a in "abcdefghijklmnopqrstuvwxyz" for b in "abcdefghijklmnopqrstuvwxyz"}
    assert len(pairs) == 26 * 26


@given(st.integers(2, 3000), st.data())
def test_a_permutation_has_every_value_once(size: int, data: st.DataObject) -> None:
    cipher = Cipher(KEY)
    values = data.draw(st.sets(st.integers(0, size - 1), max_size=40))
    images = {cipher.permute("test", value, size) for value in values}
    assert len(images) == len(values)
    assert all(0 <= image < size for image in images)


_V4 = st.integers(0, 2**32 - 1).map(IPv4Address)


@settings(max_examples=150)
@given(_V4, st.integers(8, 31), st.integers(0, 2**24 - 1))
def test_addresses_of_one_subnet_stay_in_one(address: IPv4Address, length: int, other: int) -> None:
    addresses = Addresses(Cipher(KEY))
    network = ip_network(f"{address}/{length}", strict=False)
    sibling = network[other % network.num_addresses]
    private = [ip_network(one) for one in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")]
    held = [one for one in private if network.subnet_of(one)]  # type: ignore[arg-type]
    image, image_of_sibling = addresses.v4(address), addresses.v4(sibling)  # type: ignore[arg-type]
    if held or length >= 16:
        assert image_of_sibling in ip_network(f"{image}/{length}", strict=False)
    assert (image == image_of_sibling) is (address == sibling)
    for one in private:
        assert (address in one) is (image in one)


def test_public_addresses_stay_public_and_special_ones_as_they_are() -> None:
    addresses = Addresses(Cipher(KEY))
    for number in range(1, 224):
        address = IPv4Address(f"{number}.1.2.3")
        assert addresses.v4(address).is_private is address.is_private or number in {
            100,
            127,
            169,
            192,
            198,
            203,
        }
    for text in ("127.0.0.1", "169.254.7.7", "255.255.255.0", "224.0.0.251", "::1", "::", "ff02::1"):
        assert addresses.any(text) == text


def test_ipv6_keeps_prefix_and_scope() -> None:
    addresses = Addresses(Cipher(KEY))
    one, other = (ip_address(str(addresses.any(text))) for text in ("2001:db8:1:2::5", "2001:db8:1:2::6"))
    assert int(one) >> 64 == int(other) >> 64
    assert str(one) != "2001:db8:1:2::5"
    assert str(addresses.any("fe80::1")).startswith("fe80:")
    assert str(addresses.any("fd12:3456::1")).startswith("fd")


def test_a_subnet_is_that_of_its_addresses(mask: Mask) -> None:
    network = ip_network(mask.text("10.20.4.0/23"))
    assert ip_address(mask.text("10.20.5.77")) in network
    assert ip_address(mask.text("10.20.6.77")) not in network


def test_mac_addresses_keep_vmwares_prefix_and_no_other(mask: Mask) -> None:
    assert mask.text("00:50:56:80:00:dc").startswith("00:50:56:")
    assert mask.text("00-0C-29-AA-BB-CC").startswith("00-0C-29-")
    other = mask.text("a4bb.6d11.2233")
    assert re.fullmatch(r"[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}", other)
    assert int(other[:2], 16) & 3 == 2, "locally administered, one machine"
    images = {mask.text(f"00:50:56:80:{n // 256:02x}:{n % 256:02x}") for n in range(2000)}
    assert len(images) == 2000


@given(st.text(max_size=60))
def test_any_text_has_a_printable_image_that_is_stable(text: str) -> None:
    mask = Mask(KEY)
    image = mask.text(text)
    assert image.isascii()
    assert image.isprintable()
    assert Mask(KEY).text(text) == image


@given(
    st.text(st.sampled_from("abcXYZ019-_. "), max_size=12),
    st.text(st.sampled_from("abcXYZ019-_. "), max_size=12),
)
def test_different_names_stay_different(a: str, b: str) -> None:
    mask = Mask(KEY)
    assert (mask.text(a) == mask.text(b)) is (a == b)

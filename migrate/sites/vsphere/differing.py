"""What a VM that was built has otherwise than its source: each with whether it was wanted, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields

from migrate.sites.definition import Choices, Definition, Difference
from migrate.sites.ports import NewVM
from migrate.sites.vsphere.defining import IDE_BUSES

# What is compared by itself, with reasons of its own.
_APART = frozenset(
    {
        *("hw_version", "bios_uuid", "instance_uuid", "controllers", "disks", "adapters", "drives"),
        *("others", "left", "extra", "left_extra", "attributes", "tags", "no_tags", "boot", "host_name"),
    }
)
_WORDS = {
    "cores_per_socket": "cores per socket",
    "cpu_hot_add": "adding processors while it runs",
    "cpu_hot_remove": "removing processors while it runs",
    "cpus": "processors",
    "guest_id": "guest operating system",
    "latency": "latency sensitivity",
    "memory": "memory shares",
    "memory_hot_add": "adding memory while it runs",
    "memory_locked": "memory reserved in full",
    "memory_mib": "memory in MiB",
    "nested": "nested virtualisation",
    "processor": "processor shares",
    "iommu": "IOMMU for the guest",
    "time_sync": "time from the host",
    "vbs": "virtualisation-based security",
}


def differences(vm: NewVM, built: Definition, newest: int) -> tuple[Difference, ...]:
    """Return what the VM that was built for ``vm`` has otherwise than the definition it was made of.

    ``newest`` is the virtual hardware that the site runs. Nothing is told of a VM without a definition.
    """
    source = vm.definition
    if source is None:
        return ()
    return (
        *_version(source, built, newest),
        *_identities(vm.choices, source, built),
        *_plain(vm, source, built),
        *_controllers(source, built),
        *_disks(vm, source, built),
        *_adapters(vm, source, built),
        *_drives(source, built),
        *_boot(source, built),
        *_labels(vm.choices, source, built),
    )


def _version(source: Definition, built: Definition, newest: int) -> Iterator[Difference]:
    if source.hw_version != built.hw_version:
        limited = built.hw_version == newest < source.hw_version
        why = f"the target runs at most {newest}" if limited else "the target made another one"
        yield Difference("virtual hardware", str(source.hw_version), str(built.hw_version), False, why)


def _identities(choices: Choices, source: Definition, built: Definition) -> Iterator[Difference]:
    for what, kept, was, now in (
        ("BIOS UUID", choices.bios_uuid, source.bios_uuid, built.bios_uuid),
        ("instance UUID", choices.instance_uuid, source.instance_uuid, built.instance_uuid),
    ):
        if was.lower() != now.lower():
            why = "the target gave it another one" if kept else "a new one by choice"
            yield Difference(what, was, now, not kept, why)


def _plain(vm: NewVM, source: Definition, built: Definition) -> Iterator[Difference]:
    asked = {"cpus": vm.cpus, "memory_mib": vm.memory_bytes >> 20}
    for field in fields(Definition):
        if field.name in _APART:
            continue
        was, now = getattr(source, field.name), getattr(built, field.name)
        if was != now:
            wanted = asked.get(field.name) == now
            why = "the plan says so" if wanted else "the target made another one"
            what = _WORDS.get(field.name, field.name)
            yield Difference(what, str(was), str(now), wanted, why)


def _controllers(source: Definition, built: Definition) -> Iterator[Difference]:
    there = {(one.kind, one.bus): one for one in built.controllers}
    for one in source.controllers:
        found = there.get((one.kind, one.bus))
        if found is None:
            yield Difference(f"controller {one.kind} {one.bus}", "there", "absent", False, "not built")
        elif found.sharing != one.sharing:
            what = f"bus sharing of controller {one.kind} {one.bus}"
            yield Difference(what, one.sharing, found.sharing, False, "the target made another one")


def _disks(vm: NewVM, source: Definition, built: Definition) -> Iterator[Difference]:
    of_source = IDE_BUSES | {one.key: one.bus for one in source.controllers}
    of_built = IDE_BUSES | {one.key: one.bus for one in built.controllers}
    there = {(of_built.get(one.controller, 0), one.unit): one for one in built.disks}
    kept = {disk.key for disk in vm.disks}
    for one in source.disks:
        bus = of_source.get(one.controller, 0)
        what = one.label or f"disk {one.key}"
        if str(one.key) not in kept:
            yield Difference(what, "there", "absent", True, "the plan leaves it out")
            continue
        found = there.get((bus, one.unit))
        if found is None:
            yield Difference(
                f"place of {what}", f"{bus}:{one.unit}", "elsewhere", False, "its place was taken"
            )
            continue
        for name, was, now in (
            ("mode", one.mode, found.mode),
            ("multi-writer", one.multi_writer, found.multi_writer),
            ("limit of operations a second", one.iops_limit, found.iops_limit),
        ):
            if was != now:
                yield Difference(
                    f"{name} of {what}", str(was), str(now), False, "the target made another one"
                )


def _adapters(vm: NewVM, source: Definition, built: Definition) -> Iterator[Difference]:
    there = {one.label: one for one in built.adapters}
    said = {nic.label: nic for nic in vm.nics}
    for one in source.adapters:
        found, nic = there.get(one.label), said.get(one.label)
        if found is None:
            why = "the plan leaves it out" if nic is None else "not built"
            yield Difference(one.label, "there", "absent", nic is None, why)
            continue
        if found.mac != one.mac:
            new = nic is not None and not nic.mac
            why = "a new address by choice" if new else "the target gave it another one"
            yield Difference(f"MAC address of {one.label}", one.mac, found.mac, new, why)
        for name, was, now in (
            ("kind", one.kind, found.kind),
            ("connected at power-on", one.starts_connected, found.starts_connected),
        ):
            if was != now:
                what = f"{name} of {one.label}"
                yield Difference(what, str(was), str(now), False, "the target made another one")


def _drives(source: Definition, built: Definition) -> Iterator[Difference]:
    there = {(one.kind, one.label) for one in built.drives}
    for one in source.drives:
        what = one.label or one.kind
        if (one.kind, one.label) not in there:
            yield Difference(what, "there", "absent", False, "not built")
        elif one.media:
            yield Difference(f"media in {what}", one.media, "none", True, "images stay at the source")
    for what in source.left:
        if what not in built.left:
            yield Difference(what, "there", "absent", False, "wherry does not carry it over")
    for device in source.others:
        yield Difference(device, "there", "absent", False, "wherry does not build this kind of device")


def _boot(source: Definition, built: Definition) -> Iterator[Difference]:
    for field in fields(source.boot):
        if field.name == "order":
            was, now = (_kinds(one.boot.order) for one in (source, built))
        else:
            was, now = (str(getattr(one.boot, field.name)) for one in (source, built))
        if was != now:
            what = f"boot: {field.name.replace('_', ' ')}"
            yield Difference(what, was, now, False, "the target made another one")


def _kinds(order: Iterable[str]) -> str:
    """Return an order without the keys of devices, which differ from site to site."""
    return ", ".join(name.partition(":")[0] for name in order)


def _labels(choices: Choices, source: Definition, built: Definition) -> Iterator[Difference]:
    there = dict(built.extra)
    for key, value in source.extra:
        if there.get(key) != value:
            now = there.get(key, "absent")
            yield Difference(f"setting {key}", value, now, False, "the target made another one")
    for key in source.left_extra:
        yield Difference(f"setting {key}", "set", "absent", False, "not known to mean the same elsewhere")
    if source.no_tags or built.no_tags:
        yield Difference("tags", "unknown", "unknown", False, source.no_tags or built.no_tags)
    for word, kept, before, after in (
        ("custom attribute", choices.attributes, source.attributes, built.attributes),
        ("tag", choices.tags, source.tags, built.tags),
    ):
        for name, value in before:
            if (name, value) not in after:
                why = "the target does not have it" if kept else "left behind by choice"
                yield Difference(f"{word} {name}", value, "absent", not kept, why)

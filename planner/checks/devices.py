"""Checks of devices besides disks and adapters: what hangs on the host, and drives that hold media."""

from __future__ import annotations

from collections.abc import Iterator

from planner.checks.check import Rule, Work, by_method, rule
from planner.checks.estate import Estate
from planner.model import VM, Device, DeviceKind, Power, Severity
from planner.names import visible

RULES: list[Rule] = []
_DEVICE = "config.hardware.device"
_PORTS = {DeviceKind.SERIAL: "serial", DeviceKind.PARALLEL: "parallel"}
_RARE = {
    DeviceKind.PRECISION_CLOCK: "precision clock",
    DeviceKind.WATCHDOG: "watchdog timer",
    DeviceKind.SOUND: "sound card",
}
_REMOVE = Work(effort_min=30, outage=True, lead_days=2)
_REPLACE = Work(effort_min=120, outage=True, lead_days=10)


def _named(device: Device) -> str:
    detail = f" ({visible(device.detail, 60)})" if device.detail else ""
    return f"{visible(device.label, 60) or device.kind.value}{detail}"


def _of_kind(vm: VM, kind: DeviceKind) -> Iterator[Device]:
    return (device for device in vm.devices if device.kind is kind)


def _connected(vm: VM, device: Device) -> bool | None:
    """Return whether a device is connected: what is not says nothing while the VM is off."""
    if device.connected or vm.power is Power.ON:
        return device.connected
    return None


@rule(
    RULES,
    "devices.passthrough",
    by_method(Severity.BLOCKER, Severity.WARNING),
    "Device of the host passed through",
    condition="the VM has a PCI device of its host",
    properties=(f"{_DEVICE}[VirtualPCIPassthrough]",),
    reference="vSphere API: VirtualPCIPassthrough",
    why="A running VM with it takes no snapshots, and it starts only where a device of that kind is free.",
    remedy="remove the device before the seed and add one at the target; or move the VM cold",
    work=_REPLACE,
    kinds=("devices",),
)
def passthrough(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: device of the host passed through."""
    for device in _of_kind(vm, DeviceKind.PASSTHROUGH):
        yield f"{visible(vm.name)} has {_named(device)} passed through"


@rule(
    RULES,
    "devices.vgpu",
    by_method(Severity.BLOCKER, Severity.WARNING),
    "Virtual GPU",
    condition="the VM has a virtual GPU",
    properties=(f"{_DEVICE}[VirtualPCIPassthrough].backing",),
    reference="vSphere API: VirtualPCIPassthroughVmiopBackingInfo",
    why="Snapshots of a running VM with it need support of card and driver, and it starts only where the "
    "same profile is free.",
    remedy="provide the card, driver and profile at the target, move the VM cold, add the GPU again there",
    work=_REPLACE,
    kinds=("devices",),
)
def virtual_gpu(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: virtual GPU."""
    for device in _of_kind(vm, DeviceKind.VGPU):
        yield f"{visible(vm.name)} has the virtual GPU {_named(device)}"


@rule(
    RULES,
    "devices.sriov",
    by_method(Severity.BLOCKER, Severity.WARNING),
    "Network adapter by SR-IOV",
    condition="the VM has an SR-IOV network adapter",
    properties=(f"{_DEVICE}[VirtualSriovEthernetCard]",),
    reference="vSphere API: VirtualSriovEthernetCard",
    why="It is a function of one host's card: a running VM with it takes no snapshots.",
    remedy="replace it by vmxnet3 before the seed, or move the VM cold",
    work=_REMOVE,
    kinds=("devices",),
)
def sriov(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: network adapter by SR-IOV."""
    for device in _of_kind(vm, DeviceKind.SRIOV):
        yield f"{visible(vm.name)} has {_named(device)}, a function of a card of its host"


@rule(
    RULES,
    "devices.direct-path",
    by_method(Severity.WARNING, Severity.INFO),
    "Network adapter with direct path I/O",
    condition="direct path I/O is allowed on a network adapter, and the VM's memory is all reserved, without "
    "which it cannot be active",
    properties=(
        f"{_DEVICE}[VirtualEthernetCard].uptCompatibilityEnabled",
        "config.memoryReservationLockedToMax",
        "config.memoryAllocation.reservation",
    ),
    reference="vSphere API: VirtualEthernetCard.uptCompatibilityEnabled; RVTools vNetwork: Direct Path IO",
    why="It ties the adapter to hardware of the host; elsewhere the guest runs without it, or not as fast. "
    "Most adapters allow it and few VMs use it.",
    remedy="switch direct path I/O off for the adapter unless the target has the same cards",
    work=Work(effort_min=10),
    kinds=("nics",),
)
def direct_path(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: network adapter with direct path I/O that may be active."""
    reserved = _all_reserved(vm)
    for nic in vm.nics:
        if nic.direct_path is False or reserved is False:
            continue
        if nic.direct_path is None or reserved is None:
            yield None
        else:
            yield f"{visible(vm.name)}: {visible(nic.label, 60)} may use direct path I/O"


def _all_reserved(vm: VM) -> bool | None:
    """Return whether all memory of a VM is reserved."""
    if vm.compute.memory_locked:
        return True
    reservation = vm.compute.memory_reservation_bytes
    if reservation is None or vm.memory_bytes <= 0:
        return None
    return reservation >= vm.memory_bytes


@rule(
    RULES,
    "devices.usb",
    Severity.WARNING,
    "USB device connected",
    condition="a USB device of a host or client is connected",
    properties=(f"{_DEVICE}[VirtualUSB].connected", f"{_DEVICE}[VirtualUSB].backing"),
    reference="vSphere API: VirtualUSB; RVTools vUSB: Connected",
    why="The device stays in its socket: software that asks for a dongle refuses to run at the target.",
    remedy="move the dongle to a USB server on the network before the cutover, then remove the device",
    work=Work(effort_min=120, outage=True, lead_days=10),
    kinds=("usb",),
)
def usb_device(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: USB device connected."""
    for device in _of_kind(vm, DeviceKind.USB):
        connected = _connected(vm, device)
        if connected is None:
            yield None
        elif connected:
            yield f"{visible(vm.name)} has the USB device {_named(device)} connected"


@rule(
    RULES,
    "devices.usb-controller",
    Severity.INFO,
    "USB controller without a device",
    condition="the VM has a USB controller and no USB device",
    properties=(f"{_DEVICE}[VirtualUSBController]", f"{_DEVICE}[VirtualUSBXHCIController]"),
    reference="vSphere API: VirtualUSBController",
    why="Harmless by itself; other tools report it as a USB device, so it is said here that it is none.",
    remedy="nothing",
    kinds=("usb",),
)
def usb_controller(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: USB controller without a device."""
    controllers = list(_of_kind(vm, DeviceKind.USB_CONTROLLER)) if vm.devices else []
    if controllers and not any(_of_kind(vm, DeviceKind.USB)):
        yield f"{visible(vm.name)} has {_named(controllers[0])} and no USB device"


@rule(
    RULES,
    "devices.floppy",
    Severity.WARNING,
    "Floppy drive connected",
    condition="a floppy drive is connected",
    properties=(f"{_DEVICE}[VirtualFloppy].connectable.connected",),
    reference="vSphere API: VirtualFloppy; RVTools vFloppy: Connected",
    why="Its image or drive is one of the source; the VM may not start without it.",
    remedy="disconnect the drive, or remove it",
    work=Work(effort_min=5, fix="disconnect-media"),
    kinds=("floppies",),
)
def floppy(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: floppy drive connected."""
    for device in _of_kind(vm, DeviceKind.FLOPPY):
        connected = _connected(vm, device)
        if connected is None:
            yield None
        elif connected:
            yield f"{visible(vm.name)} has {_named(device)} connected"


@rule(
    RULES,
    "devices.port",
    Severity.WARNING,
    "Serial or parallel port",
    condition="a serial or parallel port is connected",
    properties=(f"{_DEVICE}[VirtualSerialPort]", f"{_DEVICE}[VirtualParallelPort]"),
    reference="vSphere API: VirtualSerialPort, VirtualParallelPort",
    why="Its other end is a port, file, pipe or address of the source; the VM may not start without it.",
    remedy="remove the port, or say what it shall be connected to at the target",
    work=_REMOVE,
    kinds=("devices",),
)
def port(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: serial or parallel port; one that is disconnected is fine."""
    for device in vm.devices:
        if device.kind in _PORTS:
            connected = _connected(vm, device)
            if connected is None:
                yield None
            elif connected:
                yield f"{visible(vm.name)} has the {_PORTS[device.kind]} port {_named(device)} connected"


@rule(
    RULES,
    "devices.rare",
    Severity.WARNING,
    "Precision clock, watchdog or sound card",
    condition="the VM has a precision clock, a watchdog timer or a sound card",
    properties=(
        f"{_DEVICE}[VirtualPrecisionClock]",
        f"{_DEVICE}[VirtualWDT]",
        f"{_DEVICE}[VirtualSoundCard]",
    ),
    reference="vSphere API: VirtualPrecisionClock, VirtualWDT, VirtualSoundCard",
    why="They need support of the host or its client; without it the VM may not start.",
    remedy="check that the target's hosts know the device, or remove it",
    work=_REMOVE,
    kinds=("devices",),
)
def rare_device(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: precision clock, watchdog or sound card."""
    for device in vm.devices:
        if device.kind in _RARE:
            yield f"{visible(vm.name)} has a {_RARE[device.kind]}: {_named(device)}"

"""Our NBD client against servers of others: contents, maps, errors, TLS, many threads at once."""

from __future__ import annotations

import errno
import json
import os
import random
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from migrate.disks.areas import Area, Kind, joined
from planner.errors import SiteRefused, Unreachable
from tests.migrate.disks.nbd.servers import KIB, MIB, nbdkit, opened, qemu_nbd, read, tool


def test_what_is_written_is_read_flushed_zeroed_and_mapped(tmp_path: Path) -> None:
    noise = random.Random(1).randbytes(3 * MIB + 512)
    with nbdkit(tmp_path, "memory", "16M") as uri:
        disk = opened(uri)
        assert (disk.size_bytes, disk.sector_bytes, disk.knows_holes) == (16 * MIB, 512, True)
        assert list(disk.areas()) == [Area(0, 16 * MIB, Kind.HOLE)]
        disk.write(noise, 5 * MIB)
        disk.write(b"end", 16 * MIB - 3, durable=True)
        disk.flush()
        assert read(disk, 5 * MIB, len(noise)) == noise
        assert read(disk, 16 * MIB - 5, 5) == b"\0\0end"
        assert next(iter(disk.allocated())) == (5 * MIB, 3 * MIB + 32 * KIB)
        disk.zero(5 * MIB, 2 * MIB)
        assert next(iter(disk.allocated())) == (7 * MIB, MIB + 32 * KIB)
        assert read(disk, 7 * MIB - 3, 6) == bytes(3) + noise[2 * MIB : 2 * MIB + 3]
        for offset, length in ((16 * MIB, 1), (-1, 1), (0, 16 * MIB + 1)):
            with pytest.raises(OSError, match="lies outside"):
                disk.read_into(memoryview(bytearray(length)), offset)
        disk.close()
        disk.close()
        with pytest.raises(OSError, match="closed"):
            read(disk, 0, 1)
        other = opened(uri, writable=False)
        assert read(other, 16 * MIB - 3, 3) == b"end"
        with pytest.raises(OSError, match="reading only"):
            other.zero(0, 512)
        other.close()


def test_many_threads_read_and_write_over_one_connection(tmp_path: Path) -> None:
    with nbdkit(tmp_path, "--filter=delay", "memory", "32M", "delay-read=2ms") as uri:
        disk = opened(uri)
        blocks = [random.Random(at).randbytes(MIB) for at in range(32)]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda at: disk.write(blocks[at], at * MIB), range(32)))
            assert list(pool.map(lambda at: read(disk, at * MIB, MIB), range(32))) == blocks
        disk.close()


def test_several_requests_are_in_flight_for_one_large_read(tmp_path: Path) -> None:
    log = tmp_path / "log"
    words = ("--filter=log", "--filter=delay", "memory", "8M", "delay-read=50ms", f"logfile={log}")
    with nbdkit(tmp_path, *words) as uri:
        disk = opened(uri)
        read(disk, 0, 4 * MIB)
        disk.close()
    flying = most = 0
    for line in log.read_text().splitlines():
        flying += (" Read " in line) - ("...Read " in line)
        most = max(most, flying)
    assert most >= 8


def test_a_file_is_mapped_as_it_lies_and_nbdcopy_reads_what_we_wrote(tmp_path: Path) -> None:
    image, copy = tmp_path / "disk.raw", tmp_path / "copy.raw"
    image.touch()
    os.truncate(image, 8 * MIB)
    noise = random.Random(2).randbytes(MIB)
    with qemu_nbd(tmp_path, "--format=raw", "--discard=unmap", image) as uri:
        disk = opened(uri)
        disk.write(noise, 2 * MIB)
        disk.zero(4 * MIB, MIB, hole=False)
        disk.flush()
        found = list(disk.areas())
        assert Area(2 * MIB, MIB, Kind.DATA) in found
        assert sum(area.length for area in found) == 8 * MIB
        assert found[0].kind is Kind.HOLE
        disk.trim(2 * MIB, 512 * KIB)
        assert read(disk, 2 * MIB + 512 * KIB, 512 * KIB) == noise[512 * KIB :]
        subprocess.run([tool("nbdcopy"), uri, copy], check=True)
        disk.close()
    assert copy.read_bytes() == image.read_bytes()
    assert copy.read_bytes()[3 * MIB - 10 : 3 * MIB] == noise[-10:]


def test_libnbd_sees_the_bytes_and_areas_that_we_see(tmp_path: Path) -> None:
    code = """if True:
        import json, sys, nbd
        handle, areas = nbd.NBD(), []
        handle.add_meta_context("base:allocation")
        handle.connect_uri(sys.argv[1])
        def state(context, offset, entries, error):
            for length, flags in zip(entries[::2], entries[1::2]):
                areas.append([offset, length, flags])
                offset += length
            return 0
        handle.block_status(handle.get_size(), 0, state)
        print(json.dumps([areas, handle.pread(4096, 1 << 20).hex()]))
    """
    if subprocess.run(["/usr/bin/python3", "-c", "import nbd"], check=False, capture_output=True).returncode:
        pytest.skip("not run: python3-libnbd is not installed")
    noise = random.Random(5).randbytes(4096)
    with nbdkit(tmp_path, "memory", "8M") as uri:
        disk = opened(uri)
        disk.write(noise, MIB)
        disk.write(b"x", 6 * MIB + 1)
        done = subprocess.run(["/usr/bin/python3", "-c", code, uri], check=True, capture_output=True)
        areas, content = json.loads(done.stdout)
        assert bytes.fromhex(content) == noise == read(disk, MIB, 4096)
        kinds = {0: Kind.DATA, 2: Kind.ZERO, 3: Kind.HOLE}
        theirs = [Area(offset, length, kinds[flags]) for offset, length, flags in areas]
        assert list(joined(theirs)) == list(disk.areas())
        assert len(theirs) >= 4
        disk.close()


def test_a_dirty_bitmap_tells_what_changed(tmp_path: Path) -> None:
    image = tmp_path / "disk.qcow2"
    qemu = tool("qemu-img")
    subprocess.run([qemu, "create", "-q", "-f", "qcow2", image, "8M"], check=True)
    subprocess.run([qemu, "bitmap", "--add", "-g", "64K", image, "since"], check=True)
    with qemu_nbd(tmp_path, "--format=qcow2", image) as uri:
        disk = opened(uri)
        disk.write(b"x" * 64 * KIB, 3 * MIB)
        disk.flush()
        disk.close()
    with qemu_nbd(tmp_path, "--format=qcow2", "--read-only", "--bitmap=since", image) as uri:
        disk = opened(uri, writable=False, bitmap="since")
        assert disk.bitmaps == ("since",)
        dirty = [(area.offset, area.length) for area in disk.areas() if area.dirty]
        assert dirty == [(3 * MIB, 64 * KIB)]
        disk.close()
        plain = opened(uri, writable=False)
        assert {area.dirty for area in plain.areas()} == {None}
        plain.close()
        with pytest.raises(Unreachable, match="no dirty bitmap 'other'"):
            opened(uri, writable=False, bitmap="other")
        with pytest.raises(Unreachable, match="for reading only"):
            opened(uri)


@pytest.mark.parametrize(
    ("word", "number"), [("EIO", errno.EIO), ("ENOSPC", errno.ENOSPC), ("EPERM", errno.EPERM)]
)
def test_an_error_has_its_name_and_the_connection_goes_on(tmp_path: Path, word: str, number: int) -> None:
    flag = tmp_path / "fail"
    words = ("--filter=error", "memory", "4M", f"error={word}", "error-rate=1", f"error-file={flag}")
    with nbdkit(tmp_path, *words) as uri:
        disk = opened(uri)
        disk.write(b"kept", 0)
        flag.touch()
        for act in (lambda: read(disk, 0, 4), lambda: disk.write(b"x", 0), lambda: list(disk.areas())):
            with pytest.raises(OSError, match="the NBD server reports") as caught:
                act()
            assert caught.value.errno == number
        flag.unlink()
        assert read(disk, 0, 4) == b"kept"
        disk.close()


def test_a_failed_flush_is_final(tmp_path: Path) -> None:
    eval_words = ("eval", "get_size=echo 65536", "pread=head -c $3 /dev/zero", "pwrite=cat >/dev/null")
    flush = ("can_write=exit 0", "can_flush=exit 0", "flush=echo EIO broken >&2; exit 1")
    with nbdkit(tmp_path, *eval_words, *flush) as uri:
        disk = opened(uri)
        disk.write(b"x" * 512, 0)
        with pytest.raises(OSError, match="reports"):
            disk.flush()
        with pytest.raises(OSError, match="content is unknown"):
            disk.flush()
        with pytest.raises(OSError, match="content is unknown"):
            read(disk, 0, 1)
        disk.close()
    with nbdkit(tmp_path, *eval_words, "can_write=exit 0", "can_flush=exit 3") as uri:
        disk = opened(uri)
        with pytest.raises(OSError, match="cannot flush"):
            disk.flush()
        disk.close()


def test_a_server_of_few_talents_is_still_a_disk(tmp_path: Path) -> None:
    noise = random.Random(3).randbytes(64 * KIB)
    words = ("--no-sr", "--filter=nozero", "--filter=noextents", "memory", "2M")
    with nbdkit(tmp_path, *words) as uri:
        disk = opened(uri)
        assert not disk.knows_holes
        assert list(disk.areas()) == [Area(0, 2 * MIB, Kind.DATA)]
        disk.write(noise, 0)
        disk.zero(4 * KIB, 512)
        assert read(disk, 0, 64 * KIB) == noise[: 4 * KIB] + bytes(512) + noise[4 * KIB + 512 :]
        disk.close()


def test_blocks_of_4_kib_are_read_at_any_offset_and_written_whole(tmp_path: Path) -> None:
    words = (
        "--filter=blocksize-policy",
        "memory",
        "1M",
        "blocksize-minimum=4096",
        "blocksize-preferred=4096",
    )
    with nbdkit(tmp_path, *words, "blocksize-error-policy=error") as uri:
        disk = opened(uri)
        assert disk.sector_bytes == 4096
        disk.write(b"abcd" * 2048, 4096)
        assert read(disk, 4095, 6) == b"\0abcda"
        with pytest.raises(OSError, match="multiples of 4096"):
            disk.write(b"x" * 512, 512)
        disk.close()


def test_a_server_that_dies_or_falls_silent_fails_those_who_wait(tmp_path: Path) -> None:
    with nbdkit(tmp_path, "memory", "1M") as uri:
        disk = opened(uri)
        assert read(disk, 0, 1) == b"\0"
    with pytest.raises(OSError, match=r"hung up|reset|pipe"):
        read(disk, 0, 1)
    disk.close()
    with nbdkit(tmp_path, "--filter=delay", "memory", "1M", "delay-read=30") as uri:
        disk = opened(uri, timeout_s=0.3)
        with pytest.raises(OSError, match=r"said nothing for 0\.3 s"):
            read(disk, 0, 1)
        with pytest.raises(OSError, match=r"said nothing for 0\.3 s"):
            disk.flush()
        disk.close()


def test_no_server_and_no_such_export_are_said_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="No such file"):
        opened(f"nbd+unix:///x?socket={tmp_path}/none")
    (tmp_path / "disk.raw").write_bytes(bytes(MIB))
    with qemu_nbd(tmp_path, "--format=raw", "--export-name=real", tmp_path / "disk.raw") as uri:
        with pytest.raises(SiteRefused, match="no such export"):
            opened(uri.replace("///", "///\u202efake"))
        disk = opened(uri.replace("///", "///real"))
        assert disk.size_bytes == MIB
        disk.close()


def test_tls_pins_the_authority_and_shows_our_certificate(tmp_path: Path) -> None:
    pki = tmp_path / "pki"
    pki.mkdir()
    for name in ("ca", "other"):
        openssl("req", "-x509", "-nodes", "-subj", f"/CN={name}", "-keyout", pki / f"{name}-key.pem",
                "-out", pki / f"{name}-cert.pem")  # fmt: skip
    for name in ("server", "client"):
        openssl("req", "-x509", "-nodes", "-subj", f"/CN={name}.test", "-CA", pki / "ca-cert.pem", "-CAkey",
                pki / "ca-key.pem", "-addext", f"subjectAltName=DNS:{name}.test", "-addext",
                "basicConstraints=critical,CA:FALSE", "-keyout", pki / f"{name}-key.pem",
                "-out", pki / f"{name}-cert.pem")  # fmt: skip
    noise = random.Random(4).randbytes(2 * MIB)
    ours = f"&tls-cert={pki}/client-cert.pem&tls-key={pki}/client-key.pem"
    words = ("--tls=require", f"--tls-certificates={pki}", "--tls-verify-peer", "memory", "4M")
    with nbdkit(tmp_path, *words) as uri:
        over = uri.replace("nbd+", "nbds+")
        disk = opened(f"{over}&tls-ca={pki}/ca-cert.pem&tls-hostname=server.test{ours}")
        with ThreadPoolExecutor(4) as pool:
            quarter = len(noise) // 4
            cuts = [at * quarter for at in range(4)]
            list(pool.map(lambda at: disk.write(noise[at : at + quarter], at), cuts))
            assert b"".join(pool.map(lambda at: read(disk, at, quarter), cuts)) == noise
        disk.close()
        with pytest.raises(SiteRefused, match=r"TLS: .*(self-signed|issuer|unable to get)"):
            opened(f"{over}&tls-ca={pki}/other-cert.pem&tls-hostname=server.test{ours}")
        with pytest.raises(SiteRefused, match=r"TLS: .*[Hh]ostname mismatch"):
            opened(f"{over}&tls-ca={pki}/ca-cert.pem&tls-hostname=client.test{ours}")
        with pytest.raises((SiteRefused, Unreachable)):
            opened(f"{over}&tls-ca={pki}/ca-cert.pem&tls-hostname=server.test")
        with pytest.raises(SiteRefused, match="it wants TLS"):
            opened(uri)
    with nbdkit(tmp_path, "memory", "4M") as uri, pytest.raises(SiteRefused, match="refused"):
        opened(f"{uri.replace('nbd+', 'nbds+')}&tls-ca={pki}/ca-cert.pem&tls-hostname=server.test")


def openssl(*words: str | Path) -> None:
    command = [tool("openssl"), *words, "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-days", "2"]
    subprocess.run(command, check=True, capture_output=True)

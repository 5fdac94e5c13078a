"""``wherry serve``: who gets in, what the page is, how it ends; and a real browser that looks at it."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import re
import select
import signal
import socket
from pathlib import Path

import aiohttp
import pytest

from planner.store.project import Project
from tests.planner.export.browser import pixels
from tests.tui.cli.command import Wherry, refused, wherry
from tests.tui.serving.browser import Tab, tab
from tests.tui.serving.conftest import NASTY, Served
from tui.serving.page import render


async def status(session: aiohttp.ClientSession, url: str, **headers: str) -> int:
    async with session.get(url, headers=headers, allow_redirects=False) as answer:
        return answer.status


async def socket_status(session: aiohttp.ClientSession, url: str, **headers: str) -> int:
    try:
        async with session.ws_connect(url, headers=headers):
            return 101
    except aiohttp.WSServerHandshakeError as error:
        return error.status


def pages() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))


async def test_a_browser_shows_the_project_and_loads_nothing_from_elsewhere(
    served: Served, tmp_path: Path
) -> None:
    before = decided(Wherry(served.root))
    async with tab(tmp_path / "profile") as page:
        await page.call("Page.navigate", url=served.url)
        await page.until("document.body.classList.contains('-first-byte')")
        picture = tmp_path / "page.png"
        shades: set[int] = set()
        for _ in range(200):
            picture.write_bytes(await page.picture())
            width, height, lines = pixels(picture)
            shades.add(lines)
            if lines > 150:
                break
            await asyncio.sleep(0.1)
        assert (width, height) == (1280, 800)
        assert lines > 150, f"nothing was drawn: {sorted(shades)}"
        assert await page.value("location.search") == "", "the key stays in the address"
        title = await page.value("document.title")
        assert "<script>alert(1)</script>" in title, "the name is text, whole"
        assert title.isprintable()
        assert await page.value("document.scripts.length") == 1
        assert await page.value("document.fonts.check('16px \"Roboto Mono\"')")
        here = re.escape(served.base.removeprefix("http://").rstrip("/"))
        outside = [url for url in page.asked if not re.match(rf"(http|ws)://{here}/|data:", url)]
        assert outside == []
        assert [said for said in page.said if "Security Policy" in said or "Error" in said] == []
        (viewer,) = served.viewers()
        handle = os.pidfd_open(viewer)
    assert select.select([handle], [], [], 30)[0], "its page was closed and it stays"
    os.close(handle)
    assert served.end() == 0
    assert served.viewers() == []
    assert decided(Wherry(served.root)) == before


def decided(cli: Wherry) -> list[str]:
    """Return what the project holds, without what is only worked out from it and kept to be quick."""
    kept = re.compile(r'INSERT INTO "(inventory_column|inventory_neighbours|judged\w*)"')
    return [line for line in cli.stored() if line.startswith("INSERT") and not kept.match(line)]


async def press(page: Tab, key: str, control: bool = False) -> None:
    """Press a key as a keyboard does."""
    text, code = {"Enter": ("\r", 13), "Escape": ("", 27)}.get(key, (key, ord(key[0].upper())))
    same = {"key": key, "windowsVirtualKeyCode": code, "modifiers": 2 if control else 0}
    await page.call("Input.dispatchKeyEvent", type="keyDown", text="" if control else text, **same)
    await page.call("Input.dispatchKeyEvent", type="keyUp", **same)


async def drawn(page: Tab, other_than: bytes) -> bytes:
    """Return a picture of the page that is another one and stays."""
    before = await page.picture()
    for _ in range(200):
        await asyncio.sleep(0.2)
        now = await page.picture()
        if now == before != other_than:
            return now
        before = now
    raise AssertionError("nothing else was drawn")


async def test_keys_look_around_in_the_browser_and_acting_ones_do_nothing(
    served: Served, tmp_path: Path
) -> None:
    cli = Wherry(served.root)
    cli.done("plan")
    before = decided(cli)
    async with tab(tmp_path / "profile") as page:
        await page.call("Page.navigate", url=served.url)
        await page.until("document.body.classList.contains('-first-byte')")
        await page.until("document.querySelector('textarea') !== null")
        await page.value("document.querySelector('textarea').focus()")
        seen = await drawn(page, b"")
        for place, acts in {
            "2": "xamwiWe",
            "9": "wx",
            "0": "adh",
            "4": "pAwm]",
            "5": "rRx",
            "3": "arhx",
        }.items():
            await press(page, place)
            seen = await drawn(page, seen)  # it follows the keys
            for key in acts:
                await press(page, key)
                await press(page, "s", control=True)  # what a dialog is done with
                await press(page, "Enter")
                await press(page, "Escape")
        assert served.viewers(), "it is still there"
    assert served.end() == 0
    assert decided(cli) == before
    assert not (served.root / "exports").exists()
    assert list(tmp_path.rglob("*.csv")) == list(Path.cwd().glob("*.csv")) == []


async def test_ctrl_c_ends_it_with_the_pages_that_are_open(served: Served, tmp_path: Path) -> None:
    async with pages() as session:
        assert await status(session, served.url) == 303
        url = served.base.replace("http", "ws") + "ws?width=100&height=30"
        async with session.ws_connect(url, headers={"Origin": served.base.rstrip("/")}) as page:
            assert b"\x1b[?1049h" in (await page.receive(60)).data, "the application has begun to draw"
            (viewer,) = served.viewers()
            handle = os.pidfd_open(viewer)
            served.process.send_signal(signal.SIGINT)
            assert await asyncio.to_thread(served.process.wait, 30) == 0
            assert select.select([handle], [], [], 10)[0]
            os.close(handle)
    assert served.process.stderr
    words = served.process.stderr.read()
    assert "Traceback" not in words
    assert words.endswith("ended\n")


async def test_kill_9_of_the_server_leaves_no_viewer(served: Served) -> None:
    async with pages() as session:
        await status(session, served.url)
        url = served.base.replace("http", "ws") + "ws"
        async with session.ws_connect(url, headers={"Origin": served.base.rstrip("/")}) as page:
            await page.receive(60)
            (viewer,) = served.viewers()
            handle = os.pidfd_open(viewer)
            served.process.kill()
            assert await asyncio.to_thread(select.select, [handle], [], [], 20) != ([], [], [])
            os.close(handle)


async def test_words_that_no_page_says_end_that_page_alone(served: Served) -> None:
    own = {"Origin": served.base.rstrip("/")}
    url = served.base.replace("http", "ws") + "ws?width=-9&height=x" + "9" * 40
    async with pages() as session:
        await status(session, served.url)
        async with session.ws_connect(url.partition("?")[0], headers=own) as page:
            await page.receive(60)
            await page.send_str('{"not": "a list"}')
            async with asyncio.timeout(30):
                while (await page.receive()).type not in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSE):
                    pass
        assert await socket_status(session, url, **own) in (101, 400)
        assert await status(session, served.base) == 200


async def test_nobody_gets_in_by_another_name_from_another_page_or_without_the_key(served: Served) -> None:
    own, port = served.base.rstrip("/"), served.base.rstrip("/").rpartition(":")[2]
    stream = f"{served.base}ws"
    async with pages() as session:
        for path in ("", "static/js/textual.js", "ws", "?key=", "?key=wrong", "?key=%ff"):
            assert await status(session, served.base + path) == 403, path
        assert await socket_status(session, stream, Origin=own) == 403
        assert await status(session, served.url, Host=f"evil.example:{port}") == 403
        assert await status(session, served.url, Origin="http://evil.example") == 403
        assert await status(session, served.url, Origin="null") == 403
        assert await status(session, served.url) == 303
        assert await status(session, served.base) == 200
        assert await socket_status(session, stream, Origin="http://evil.example") == 403
        assert await socket_status(session, stream) == 403, "no page leaves its origin out"
        assert await status(session, f"{served.base}static/") == 403, "no listing of files"
        assert await status(session, f"{served.base}static/..%2f..%2fserver.py") in (403, 404)
        assert await status(session, f"{served.base}download/x") == 404
        assert await socket_status(session, stream, Origin=own) == 101
    assert served.viewers() == [] or served.end() == 0


async def test_the_page_has_a_policy_and_the_cookie_is_out_of_reach(served: Served) -> None:
    async with pages() as session:
        async with session.get(served.url, allow_redirects=False) as answer:
            cookie = answer.headers["Set-Cookie"]
            assert answer.headers["Location"] == "/"
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        async with session.get(served.base) as answer:
            policy = answer.headers["Content-Security-Policy"]
            text = await answer.text()
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "http://" not in text
    assert "https://" not in text
    assert "<script>alert" not in text


def test_it_listens_on_this_machine_alone(served: Served) -> None:
    port = int(served.base.rstrip("/").rpartition(":")[2])
    lines = Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]
    bound = [line.split()[1] for line in lines if line.split()[3] == "0A"]
    assert [address for address in bound if int(address.rpartition(":")[2], 16) == port] == [
        f"0100007F:{port:04X}"
    ]


@pytest.mark.parametrize("size", ["", "7", "41", "-1", "1e9", "\u0661\u0662", "9999999", '"><script>'])
def test_a_size_that_is_none_is_the_usual_one(size: str) -> None:
    assert 'data-font-size="16"' in render("x", "ws://127.0.0.1:1/ws", size)


def test_a_size_is_taken_and_a_name_is_text() -> None:
    page = render(NASTY, "ws://127.0.0.1:1/ws", "24")
    assert 'data-font-size="24"' in page
    assert "<script>alert" not in page
    assert "\x1b" not in page
    assert "\u202e" not in page


def test_a_taken_port_is_refused(tmp_path: Path) -> None:
    Project.create(tmp_path / "move").close()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ran = wherry("serve", "--port", str(port), "--project", str(tmp_path / "move"))
    refused(ran, 2, f"port {port} cannot be listened on", "--port")


def test_without_the_library_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Project.create(tmp_path / "move").close()
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *more: None if name == "textual_serve" else real(name, *more),
    )
    refused(wherry("serve", "--project", str(tmp_path / "move")), 2, "textual-serve", "wherry[serve]")


def test_there_is_no_way_to_name_another_host(tmp_path: Path) -> None:
    for option in ("--host", "--bind", "--public-url"):
        refused(wherry("serve", option, "0.0.0.0"), 2, option)


def test_no_project_is_refused(tmp_path: Path) -> None:
    refused(wherry("serve", "--project", str(tmp_path)), 2, "is not a wherry project")

"""A headless Chromium, spoken to over its debugging socket: what it loads, says, shows."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest


def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not found:
        pytest.skip("not run: no Chromium on this machine")
    return found


class Tab:
    """One page; ``asked`` holds every address it asked for, ``said`` what its console said."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.asked: list[str] = []
        self.said: list[str] = []
        self._socket = socket
        self._number = 0
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._listener = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        async for message in self._socket:
            told = json.loads(message.data)
            if "id" in told:
                self._answers.pop(told["id"]).set_result(told)
            match told.get("method"):
                case "Network.requestWillBeSent":
                    self.asked.append(told["params"]["request"]["url"])
                case "Network.webSocketCreated":
                    self.asked.append(told["params"]["url"])
                case "Runtime.consoleAPICalled":
                    self.said.append(str([item.get("value") for item in told["params"]["args"]]))
                case "Log.entryAdded":
                    self.said.append(told["params"]["entry"]["text"])
                case "Runtime.exceptionThrown":
                    self.said.append(str(told["params"]["exceptionDetails"]))

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        self._number += 1
        answer = self._answers[self._number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": self._number, "method": method, "params": params})
        told = await asyncio.wait_for(answer, 120)
        assert "error" not in told, told
        return dict(told["result"])

    async def value(self, script: str) -> Any:
        told = await self.call("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    async def until(self, script: str) -> None:
        for _ in range(2400):
            told = await self.call("Runtime.evaluate", expression=script)  # between two pages it raises
            if told["result"].get("value"):
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"never true: {script}; {self.said}")

    async def picture(self) -> bytes:
        return base64.b64decode((await self.call("Page.captureScreenshot"))["data"])


@asynccontextmanager
async def tab(profile: Path) -> AsyncIterator[Tab]:
    """Start a browser with one empty page that can be told where to go."""
    command = [chromium(), "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
               "--remote-debugging-port=0", f"--user-data-dir={profile}",
               "about:blank"]  # fmt: skip
    browser = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        where = profile / "DevToolsActivePort"
        for _ in range(2400):
            if where.is_file() and "\n" in where.read_text("utf-8"):
                break
            assert browser.poll() is None
            await asyncio.sleep(0.05)
        port = where.read_text("utf-8").splitlines()[0]
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
                page = next(item for item in await answer.json() if item["type"] == "page")
            async with session.ws_connect(page["webSocketDebuggerUrl"], max_msg_size=2**26) as socket:
                opened = Tab(socket)
                for domain in ("Network", "Page", "Runtime", "Log"):
                    await opened.call(f"{domain}.enable")
                await opened.call(
                    "Emulation.setDeviceMetricsOverride",
                    width=1280,
                    height=800,
                    deviceScaleFactor=1,
                    mobile=False,
                )
                yield opened
    finally:
        browser.terminate()
        browser.wait(120)

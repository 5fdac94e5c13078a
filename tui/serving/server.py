"""``wherry serve``: the application in a browser on this machine, and on no other.

It listens on 127.0.0.1 alone. Whoever comes must know the key in the address, which is told once to the
person who started it, so that neither another user of the machine nor a page of somebody else's gets in.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
import signal
from collections.abc import Callable
from pathlib import Path

from aiohttp import WSCloseCode, WSMsgType, web
from aiohttp.typedefs import Handler, Middleware
from textual_serve import __file__ as textual_serve
from textual_serve.download_manager import DownloadManager

from planner.errors import BadInput
from tui.serving.page import policy, render
from tui.serving.view import View

HOST = "127.0.0.1"
MOST = 8  # pages at a time, each a process
_COOKIE = "wherry"
_STATIC = Path(textual_serve).parent / "static"


class Browsing:
    """Serves the pages of one project."""

    def __init__(self, root: Path, name: str, key: str = "") -> None:
        self._root = root
        self._name = name
        self._key = key or secrets.token_urlsafe(24)
        self._port = 0
        self._views: dict[View, web.WebSocketResponse] = {}

    @property
    def url(self) -> str:
        """The address to be opened, with its key."""
        return f"http://{HOST}:{self._port}/?key={self._key}"

    def application(self) -> web.Application:
        """Return the application: a page, its socket, its files."""
        app = web.Application(middlewares=[self._guard()])
        app.router.add_get("/", self._page)
        app.router.add_get("/ws", self._socket)
        app.router.add_static("/static", _STATIC)
        app.on_shutdown.append(self._shut)
        return app

    async def run(self, port: int, ready: Callable[[str], None]) -> None:
        """Serve until SIGINT or SIGTERM; ``ready`` is told the address. Raises BadInput for a taken port."""
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, ended.set)
        runner = web.AppRunner(self.application(), access_log=None, shutdown_timeout=5.0)
        await runner.setup()
        try:
            site = web.TCPSite(runner, HOST, port)
            try:
                await site.start()
            except OSError as error:
                raise BadInput(
                    f"port {port} cannot be listened on: {error.strerror or error}",
                    "choose another with --port",
                ) from error
            self._port = runner.addresses[0][1]
            ready(self.url)
            await ended.wait()
        finally:
            await runner.cleanup()

    def _guard(self) -> Middleware:
        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            """Let nobody in who came by another name, from another page, or without the key."""
            own = f"http://{request.host}"
            if request.host not in (f"{HOST}:{self._port}", f"localhost:{self._port}"):
                raise web.HTTPForbidden(text="this is for 127.0.0.1 alone")
            if request.headers.get("Origin", own) != own:
                raise web.HTTPForbidden(text="this is not for other pages")
            given = request.query.get("key") or request.cookies.get(self._cookie, "")
            if not hmac.compare_digest(given.encode("utf-8", "replace"), self._key.encode()):
                raise web.HTTPForbidden(
                    text="open the whole address that wherry serve has told, with its key"
                )
            return await handler(request)

        return guard

    @property
    def _cookie(self) -> str:
        return f"{_COOKIE}-{self._port}"  # cookies know no ports, and several may serve

    async def _page(self, request: web.Request) -> web.Response:
        if "key" in request.query:
            # The key goes from the address into a cookie: not into histories, nor over a shoulder.
            answer = web.Response(status=303, headers={"Location": "/"})
            answer.set_cookie(self._cookie, self._key, httponly=True, samesite="Strict")
            return answer
        socket = f"ws://{request.host}/ws"
        return web.Response(
            text=render(self._name, socket, request.query.get("fontsize", "")),
            content_type="text/html",
            headers={
                "Content-Security-Policy": policy(socket),
                "Cache-Control": "no-store",
                "Referrer-Policy": "no-referrer",
                "X-Content-Type-Options": "nosniff",
            },
        )

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        if "Origin" not in request.headers:
            raise web.HTTPForbidden(text="this is for the page alone")
        if len(self._views) >= MOST:
            raise web.HTTPServiceUnavailable(text=f"{MOST} pages are open already: close one")
        socket = web.WebSocketResponse(heartbeat=15, max_msg_size=2**20)
        view = View(
            self._root,
            write_bytes=socket.send_bytes,
            write_str=socket.send_str,
            close=socket.close,
            download_manager=DownloadManager(),
        )
        self._views[view] = socket
        try:
            await socket.prepare(request)
            await view.start(
                _cells(request.query.get("width", "80")), _cells(request.query.get("height", "24"))
            )
            await _listen(socket, view)
        except (ConnectionError, ValueError, LookupError, TypeError, AttributeError):
            pass  # the page has gone, or said what no page says
        finally:
            await view.stop()
            del self._views[view]
        return socket

    async def _shut(self, app: web.Application) -> None:
        for socket in list(self._views.values()):
            await socket.close(code=WSCloseCode.GOING_AWAY, message=b"wherry serve was ended")


async def _listen(socket: web.WebSocketResponse, view: View) -> None:
    """Hand on what a page says until it goes; raises LookupError, TypeError, ValueError for other words."""
    async for message in socket:
        if message.type is not WSMsgType.TEXT:
            continue
        words = message.json()
        if not isinstance(words, list):
            raise ValueError("a page says lists")
        kind, *more = words
        match kind:
            case "stdin":
                await view.send_bytes(more[0].encode("utf-8", "replace"))
            case "resize":
                await view.set_terminal_size(_cells(more[0]["width"]), _cells(more[0]["height"]))
            case "ping":
                await socket.send_json(["pong", str(more[0])[:40]])
            case "focus":
                await view.focus()
            case "blur":
                await view.blur()


def _cells(asked: object) -> int:
    """Return a width or height as a page names it, within reason; raises ValueError for none."""
    return min(max(int(str(asked)[:6]), 1), 1_000)


def serve(root: Path, name: str, port: int, ready: Callable[[str], None]) -> None:
    """Serve a project until somebody ends it."""
    asyncio.run(Browsing(root, name).run(port, ready))

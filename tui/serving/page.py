"""The page around the terminal: nothing on it comes from anywhere but this machine.

Its policy lets the browser load from the server that sent it alone; names on it are escaped.
"""

from __future__ import annotations

from html import escape
from string import Template

from planner.names import visible

_PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>wherry ▸ $name</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/static/css/xterm.css">
<script src="/static/js/textual.js"></script>
<style>
@font-face { font-family: "Roboto Mono"; src: url("/static/fonts/RobotoMono-VariableFont_wght.ttf"); }
html, body { margin: 0; height: 100%; background: #0c181f; color: #dde; overflow: hidden; }
body { font-family: "Roboto Mono", monospace; }
#terminal { width: 100vw; height: 100vh; }
#ended { display: none; position: absolute; inset: 0; background: #0c181f; padding: 4rem; }
body.-closed #ended { display: block; }
#ended a { color: inherit; }
</style>
</head>
<body>
<div id="terminal" class="textual-terminal" data-session-websocket-url="$socket" data-font-size="$size"></div>
<div id="ended" role="status">This view of $name was closed. <a href="/">Open it again</a></div>
</body>
</html>
""")
_SIZES = range(8, 41)
_SIZE = 16


def render(name: str, socket: str, size: str) -> str:
    """Return the page of a project for a socket's address; ``size`` of the letters is as somebody asked."""
    asked = int(size) if size.isascii() and size.isdigit() and len(size) < 4 else _SIZE
    return _PAGE.substitute(
        name=escape(visible(name, 120)),
        socket=escape(socket),
        size=asked if asked in _SIZES else _SIZE,
    )


def policy(socket: str) -> str:
    """Return the content security policy of the page."""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self' 'unsafe-inline'",  # the terminal writes its own rules
            "font-src 'self'",
            "img-src 'self' data:",
            f"connect-src {socket}",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )

"""The report's one style sheet, for screens and for paper. It stands inline and is let in by its hash."""

from __future__ import annotations

import base64
import hashlib

SHEET = """
:root{--ink:#1b2733;--soft:#5b6b7b;--line:#d9e0e7;--deep:#1f3a5f;--pale:#f4f7fa;
--bad:#b3261e;--warn:#9a6700;--good:#1a6b3c}
*{box-sizing:border-box}
body{margin:0;color:var(--ink);background:#fff;font:14px/1.45 system-ui,"Segoe UI","Helvetica Neue",
Arial,"DejaVu Sans",sans-serif}
header{background:var(--deep);color:#fff;padding:28px 0 22px}
header h1{margin:0 0 4px;font-size:27px;font-weight:600}
header p{margin:0;color:#cfdbe8}
main,header>div,nav>div{max-width:1180px;margin:0 auto;padding:0 30px}
nav{background:var(--pale);border-bottom:1px solid var(--line);position:sticky;top:0;z-index:2}
nav a{display:inline-block;padding:9px 14px 9px 0;color:var(--deep);text-decoration:none}
nav a:hover{text-decoration:underline}
h2{margin:34px 0 10px;font-size:20px;color:var(--deep);border-bottom:2px solid var(--deep);padding-bottom:4px;
scroll-margin-top:48px}
h3{margin:26px 0 8px;font-size:16px;color:var(--deep);scroll-margin-top:48px}
h4{margin:16px 0 6px;font-size:14px;color:var(--soft)}
p,ul{margin:8px 0}
.lead{font-size:16px;max-width:900px}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(165px,1fr));gap:12px;margin:18px 0}
.card{border:1px solid var(--line);border-radius:8px;padding:12px 14px;background:var(--pale)}
.card b{display:block;font-size:24px;font-weight:600;color:var(--deep);white-space:nowrap}
.words b{font-size:20px;white-space:normal}
.card span{color:var(--soft);font-size:13px}
td a{color:var(--deep)}
.bad b,td.bad{color:var(--bad)}
td.warn{color:var(--warn)}
td.good{color:var(--good)}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;margin:8px 0 14px;font-size:13px}
th{background:var(--deep);color:#fff;text-align:left;font-weight:600;padding:6px 8px;vertical-align:bottom}
td{border-bottom:1px solid var(--line);padding:5px 8px;vertical-align:top;overflow-wrap:anywhere}
td.number,th.number{text-align:right}
td.number,td.whole,td:first-child{overflow-wrap:break-word}
td.number{white-space:nowrap;font-variant-numeric:tabular-nums}
tbody tr:nth-child(even) td{background:var(--pale)}
.charts{display:grid;grid-template-columns:1fr 1fr;gap:18px 24px}
figure{margin:0 0 12px;break-inside:avoid}
figcaption{font-weight:600;margin-bottom:4px}
figcaption span{font-weight:400;color:var(--soft)}
svg{display:block;width:100%;height:auto;font-family:inherit}
svg text{font-size:11px;fill:#1b2733}
svg text.soft{fill:#5b6b7b}
svg text.strong{font-weight:600}
svg text.light{fill:#fff;font-weight:600}
.key{color:var(--soft);font-size:12px}
.key i{display:inline-block;width:14px;height:10px;margin:0 5px 0 14px;border-radius:2px}
.seed{background:#9db8d9}.sync{background:#d5dfeb}.cut{background:#1f3a5f}.frost{background:#f0b7b2}
.load{background:#d98f2b}.hot{background:#b3261e}.cool{background:#9aa9b8}
.blocker{background:#b3261e}.warning{background:#d98f2b}.info{background:#9db8d9}
.wave{border-top:1px solid var(--line)}
.facts{display:grid;grid-template-columns:max-content 1fr;gap:2px 16px;margin:6px 0}
.facts dt{color:var(--soft)}
.facts dd{margin:0;overflow-wrap:anywhere}
code{font:12px ui-monospace,"DejaVu Sans Mono",monospace;overflow-wrap:anywhere}
footer{margin:40px 0 24px;color:var(--soft);font-size:12px;border-top:1px solid var(--line);padding-top:8px}
@page{size:A4;margin:14mm 12mm}
@media(max-width:820px){.charts{grid-template-columns:1fr}main,header>div,nav>div{padding:0 16px}}
@media print{
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}
body{font-size:10pt}
nav{display:none}
main,header>div{max-width:none;padding:0}
header{padding:12px 16px}
table{font-size:8pt}
thead{display:table-header-group}
tr,.card{break-inside:avoid}
h2,h3,h4{break-after:avoid}
.wave{break-before:page;border:0}
.scroll{overflow:visible}
}
""".strip()


def digest() -> str:
    """Return the sheet's hash as a content security policy names it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(SHEET.encode("utf-8")).digest()).decode("ascii")

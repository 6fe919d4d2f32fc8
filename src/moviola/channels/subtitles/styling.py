"""Take the styling out of cues; what is no styling of their format stays text."""

from __future__ import annotations

import html
import re

# Tags of SubRip as players know them, and of WebVTT (W3C, section 4.2.2); `<script>` is neither.
_TAGS = re.compile(
    r"</?(?:[ibus]|font|c|v|lang|ruby|rt)(?:[.\s][^<>]{0,200})?>|<\d[\d:.]{3,15}>", re.IGNORECASE
)
_OVERRIDES = re.compile(r"\{\\[^{}]{0,500}\}")
_COMMENTS = re.compile(r"\{[^{}]{0,500}\}")
_DRAWING = re.compile(r"\{[^{}]*\\p[1-9][^{}]*\}[^{}]*")
_BREAKS = re.compile(r"\\[Nn]")


def plain(text: str, codec: str) -> str:
    """Return the text of a cue, a line a line, without styling, blank lines and outer spaces.

    Args:
        text: as the file has it.
        codec: `subrip`, `webvtt`, `ass` or `mov_text`.
    """
    if codec == "ass":
        text = _COMMENTS.sub("", _DRAWING.sub("", text))
        text = _BREAKS.sub("\n", text).replace("\\h", " ")
    elif codec in ("subrip", "webvtt"):
        text = _OVERRIDES.sub("", _TAGS.sub("", text))
        if codec == "webvtt":
            text = html.unescape(text)
    lines = (" ".join(line.split()) for line in text.splitlines())
    return "\n".join(line for line in lines if line)

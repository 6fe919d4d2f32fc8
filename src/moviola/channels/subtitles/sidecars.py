"""Parse files of timed text, whose bytes nobody has looked at."""

from __future__ import annotations

import codecs
import re

from moviola.core import Cue, Span

MOST_CUES = 50_000
LONGEST_CUE = 4096
# Bytes that the detector of encodings looks at.
_SAMPLE = 1 << 16
# Bytes in which every second one is zero are UTF-16 without its mark.
_ZEROS = 0.3
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_FORMATS = {"srt": "srt", "vtt": "vtt", "ass": "ass", "ssa": "ass"}
# pysubs2 reads times below zero as if they were above; these end before they begin.
_NEGATIVE = re.compile(
    r"^[ \t]*(?:-[\d:.,]{1,20}[ \t]*-->|[\d:.,]{1,20}[ \t]*-->[ \t]*-)[^\n]*$", re.MULTILINE
)
_INVERTED = "00:00:01.000 --> 00:00:00.000"
_LONG_LINE = re.compile(rf"([^\n]{{{LONGEST_CUE}}})[^\n]+")


def read_sidecar(name: str, data: bytes) -> tuple[list[Cue], str]:
    """Parse a file by its suffix into its cues, by start, their texts as the file has them.

    Returns:
        The cues, and in a sentence what was left out, `""` for nothing.

    Raises:
        ValueError: when its bytes are no text, or no such file.
    """
    import pysubs2

    text = _LONG_LINE.sub(r"\1", _NEGATIVE.sub(_INVERTED, decode(data).replace("\0", "")))
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    form = _FORMATS[name.rpartition(".")[2].lower()]
    options = {} if form == "ass" else {"keep_html_tags": True}
    try:
        events = pysubs2.SSAFile.from_string(text, format_=form, **options)
    except Exception as error:
        raise ValueError("it is not of the format that its name says") from error
    cues: list[Cue] = []
    untimed = 0
    for event in events:
        if event.is_comment or not event.text.strip():
            continue
        start, end = event.start / 1000, event.end / 1000
        if not 0 <= start < end:
            untimed += 1
        else:
            cues.append(Cue(Span(start, end), _text(event.text, form)[:LONGEST_CUE]))
    cues.sort(key=lambda cue: cue.span)
    notes = [
        (untimed, f"cues without usable times left out: {untimed}"),
        (len(cues) > MOST_CUES, f"cues beyond {MOST_CUES} left out: {len(cues) - MOST_CUES}"),
    ]
    return cues[:MOST_CUES], "; ".join(note for found, note in notes if found)


def decode(data: bytes) -> str:
    """Decode the bytes of a text file: by its mark, as UTF-8, or by what they look like.

    Raises:
        ValueError: when they are no text.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    zeros = data[:_SAMPLE].count(0) / max(1, len(data[:_SAMPLE]))
    if zeros > _ZEROS:
        encoding = "utf-16-be" if data[:1] == b"\0" else "utf-16-le"
        return data.decode(encoding, "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return _decode_legacy(data)


def _decode_legacy(data: bytes) -> str:
    from charset_normalizer import from_bytes

    best = from_bytes(data[:_SAMPLE]).best()
    if best is None:
        raise ValueError("its bytes are no text in any known encoding")
    return data.decode(best.encoding, "replace")


def _text(text: str, form: str) -> str:
    """Return what a format says is shown; a blank line ends a cue of all but ASS."""
    if form == "ass":
        return text
    lines = text.replace("\\N", "\n").lstrip("\n")
    return lines.split("\n\n", 1)[0]

"""Join cues that show the same text: repeated, growing word by word, or rolling up line by line."""

from __future__ import annotations

from collections.abc import Iterable

from moviola.core import Cue, Span

#: Seconds between two cues that count as one after the other without a pause.
PAUSE = 0.2


def join(cues: Iterable[Cue]) -> list[Cue]:
    """Join cues, by start, so that no text is there twice in a row.

    A cue that adjoins or overlaps the one before and repeats it becomes one with it; one that adds
    to it takes its place; lines that are left over from the one before are dropped. Equal texts
    that overlap are one whatever stands between them, as layers of one line are.
    """
    joined: list[Cue] = []
    latest: dict[str, int] = {}
    for cue in sorted(cues, key=lambda each: (each.span, each.text)):
        place = latest.get(cue.text)
        if place is not None and _adjoins(joined[place], cue):
            joined[place] = Cue(_both(joined[place], cue), cue.text)
            continue
        before = joined[-1] if joined else None
        if before is not None and _adjoins(before, cue):
            if _grows(before.text, cue.text):
                del latest[before.text]
                joined[-1] = Cue(_both(before, cue), cue.text)
                latest[cue.text] = len(joined) - 1
                continue
            rest = _without_rolled(before.text, cue.text)
            if not rest:
                joined[-1] = Cue(_both(before, cue), before.text)
                continue
            cue = Cue(cue.span, rest)  # noqa: PLW2901 - what is left of it
        latest[cue.text] = len(joined)
        joined.append(cue)
    return joined


def _adjoins(before: Cue, cue: Cue) -> bool:
    return cue.span.start <= before.span.end + PAUSE


def _both(before: Cue, cue: Cue) -> Span:
    return Span(before.span.start, max(before.span.end, cue.span.end))


def _grows(before: str, now: str) -> bool:
    """Test whether a text is the one before and more words of the same line."""
    return (
        now.startswith(before)
        and now[len(before) : len(before) + 1].isspace()
        and ("\n" not in now[len(before) :])
    )


def _without_rolled(before: str, now: str) -> str:
    """Return the lines of `now` that did not stand at the end of `before`."""
    old, new = before.split("\n"), now.split("\n")
    for count in range(min(len(old), len(new)), 0, -1):
        if old[-count:] == new[:count]:
            return "\n".join(new[count:])
    return now

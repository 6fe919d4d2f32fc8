"""Join the lines of one text in neighbouring pictures to one passage."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from moviola.channels.writing.likeness import CERTAIN, folded, same_text
from moviola.channels.writing.reading import Line
from moviola.core import Box, Passage, Span

#: A line that was read once is believed from this confidence on.
BELIEVED = 0.8
#: A line that was read in neighbouring pictures is believed from this mean confidence on.
REPEATED = 0.6
#: One letter or digit, once or repeated, is believed from this confidence on: many textures
#: resemble it.
LONE = 0.95
#: Pictures in which a text may go unread without being taken for gone.
MISSED = 1
#: A line lies within another when this share of it does.
WITHIN = 0.8


class _Track:
    """A text on its way through pictures."""

    def __init__(self, line: Line, time: float) -> None:
        self.start = self.end = time
        self.unseen = 0
        self.box = line.box
        self._votes: dict[str, float] = {}
        self._readings: dict[str, Line] = {}
        self._count = 0
        self.best = line
        self.vote(line)

    def vote(self, line: Line) -> None:
        """Count a reading; the best is the text that most confidence speaks for."""
        self.box = line.box
        self._count += 1
        self._votes[line.text] = self._votes.get(line.text, 0.0) + line.confidence
        known = self._readings.setdefault(line.text, line)
        if line.confidence > known.confidence:
            self._readings[line.text] = line
        self.best = self._readings[max(self._readings, key=self._votes.__getitem__)]
        self.confidence = max(reading.confidence for reading in self._readings.values())

    def resembles(self, line: Line) -> bool:
        """Tell whether a line of the next picture is this text."""
        certain = min(self.best.confidence, line.confidence) >= CERTAIN
        return same_text(self.best.text, line.text, certain=certain)

    def holds(self, line: Line) -> bool:
        """Tell whether a line is a part of this one, which was found whole before."""
        part = folded(line.text)
        return bool(part) and part in folded(self.best.text) and shared(line.box, self.box) > WITHIN

    def believed(self) -> bool:
        """Tell whether the text stands there, rather than being made up out of a texture."""
        letters = folded(self.best.text)
        if len(set(letters)) == 1:
            return self.confidence >= LONE and not (len(letters) == 1 and is_cjk(letters))
        mean = sum(self._votes.values()) / self._count
        return self.confidence >= BELIEVED or (self._count > 1 and mean >= REPEATED)


class Joiner:
    """Join lines, picture by picture, to passages.

    Args:
        channel: the name of the channel, for the passages.
    """

    def __init__(self, channel: str) -> None:
        self._channel = channel
        self._active: list[_Track] = []
        self._done: list[_Track] = []

    def see(self, time: float, lines: Sequence[Line]) -> None:
        """Take in the lines of the picture at `time` seconds, later than all before it."""
        for track in self._active:
            if not track.unseen:
                track.end = time
            track.unseen += 1
        rest = self._go_on([line for line in lines if folded(line.text)])
        for line in rest:
            whole = next((track for track in self._active if track.holds(line)), None)
            if whole is not None:
                whole.unseen = 0
            else:
                self._active.append(_Track(line, time))
        self._done += [track for track in self._active if track.unseen > MISSED]
        self._active = [track for track in self._active if track.unseen <= MISSED]

    def passages(self, end: float) -> list[Passage]:
        """Return the passages of all that was seen, by start; the last ones reach to `end`."""
        for track in self._active:
            if not track.unseen:
                track.end = end
        believed = [track for track in self._done + self._active if track.believed()]
        believed.sort(key=lambda track: (track.start, track.box.top, track.box.left))
        return [
            Passage(
                video="",
                span=Span(track.start, track.end),
                text=track.best.text,
                channel=self._channel,
                confidence=track.best.confidence,
                box=track.best.box,
            )
            for track in believed
        ]

    def _go_on(self, lines: list[Line]) -> list[Line]:
        """Carry on the texts that these lines resemble, the nearest first; return the rest."""
        pairs = sorted(
            (
                (shared(line.box, track.box), number, place)
                for number, track in enumerate(self._active)
                for place, line in enumerate(lines)
                if track.resembles(line)
            ),
            reverse=True,
        )
        carried, taken = set[int](), set[int]()
        for _, number, place in pairs:
            if number in carried or place in taken:
                continue
            carried.add(number)
            taken.add(place)
            self._active[number].unseen = 0
            if lines[place].fresh:
                self._active[number].vote(lines[place])
        return [line for place, line in enumerate(lines) if place not in taken]


def shared(box: Box, other: Box) -> float:
    """Return the share of `box` that lies in the other, in [0, 1]."""
    width = min(box.right, other.right) - max(box.left, other.left)
    height = min(box.bottom, other.bottom) - max(box.top, other.top)
    area = (box.right - box.left) * (box.bottom - box.top)
    return max(0.0, width) * max(0.0, height) / area


def is_cjk(letter: str) -> bool:
    """Tell whether a letter is of a Chinese, Japanese or Korean script."""
    return unicodedata.name(letter, "").startswith(("CJK", "HIRAGANA", "KATAKANA", "HANGUL"))

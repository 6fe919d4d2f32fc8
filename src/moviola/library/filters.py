"""Choose which videos to search, by facts about them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from moviola.library.records import VideoRecord


@dataclass(frozen=True, slots=True)
class VideoFilter:
    """Choose which videos to search; None does not filter. Values are compared, never parsed.

    Attributes:
        shortest: least duration, seconds.
        longest: greatest duration, seconds.
        has_sound: whether there is a sound track.
        codecs: names of video codecs, such as `h264`.
        below: only files under this absolute folder.
        videos: only these ids.
        missing: whether videos whose files are gone pass as well.
        since: earliest date, inclusive.
        until: latest date, inclusive.
        least_lines: least pixels of the shorter side, so that 1080 is 1080p upright as well.
        without: not these ids.
    """

    shortest: float | None = None
    longest: float | None = None
    has_sound: bool | None = None
    codecs: frozenset[str] | None = None
    below: Path | None = None
    videos: frozenset[str] | None = None
    missing: bool = False
    since: date | None = None
    until: date | None = None
    least_lines: int | None = None
    without: frozenset[str] = frozenset()

    def admits(self, record: VideoRecord) -> bool:
        """Test whether a video passes. A fact that is unknown passes no filter on it."""
        return self._admits_content(record) and self._admits_file(record)

    def _admits_content(self, record: VideoRecord) -> bool:
        info = record.info
        if info is None:
            asked = (self.shortest, self.longest, self.has_sound, self.codecs, self.least_lines)
            return all(value is None for value in asked)
        return (
            (self.shortest is None or info.duration >= self.shortest)
            and (self.longest is None or info.duration <= self.longest)
            and (self.has_sound is None or info.has_sound == self.has_sound)
            and (self.codecs is None or info.codec in self.codecs)
            and (self.least_lines is None or min(info.width, info.height) >= self.least_lines)
        )

    def _admits_file(self, record: VideoRecord) -> bool:
        below = self.below
        return (
            (below is None or any(name.path.is_relative_to(below) for name in record.names))
            and (self.videos is None or record.id in self.videos)
            and record.id not in self.without
            and (self.missing or not record.is_missing)
            and (self.since is None or record.date >= self.since)
            and (self.until is None or record.date <= self.until)
        )

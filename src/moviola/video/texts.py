"""Hold the texts of a container: tracks, tags, chapters."""

from __future__ import annotations

from dataclasses import dataclass

from moviola.core import ContainerTexts, TextTrack


@dataclass(frozen=True, slots=True)
class FileTexts:
    """Hold the texts of one container.

    Attributes:
        container: its tags and chapters.
        tracks: its text tracks, in its order.
        left_out: in a sentence, what was beyond the limits or could not be understood.
    """

    container: ContainerTexts
    tracks: tuple[TextTrack, ...] = ()
    left_out: str = ""

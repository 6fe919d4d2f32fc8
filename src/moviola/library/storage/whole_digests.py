"""Keep the digests of all bytes of large files, which are named by blocks of them."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from moviola.library.storage.state_files import read_state, write_state

WHOLE_DIGESTS = "digests.json"


class WholeDigests:
    """Remember what a whole reading of large files gave, by their content ids.

    What is not known, or was damaged, is learnt again by the next whole reading.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / WHOLE_DIGESTS
        self._known: dict[str, str] = {}
        with suppress(FileNotFoundError, ValueError, RecursionError, AttributeError):
            self._known = {str(video): str(digest) for video, digest in self._read()}
        self._kept = dict(self._known)

    def note(self, video: str, digest: str) -> bool:
        """Note the digest of a content; return whether it is the one that was known, if any."""
        return self._known.setdefault(video, digest) == digest

    def save(self, videos: set[str]) -> None:
        """Write what is known of `videos`, where anything changed.

        Raises:
            StorageError: when there is no room or no permission.
        """
        known = {video: digest for video, digest in self._known.items() if video in videos}
        if known != self._kept:
            write_state(self._path, known)
            self._kept = known

    def _read(self) -> list[tuple[str, str]]:
        return list(read_state(self._path).items())

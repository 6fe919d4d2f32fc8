"""Compare names of videos whatever their Unicode form, slash, blanks and case of a suffix."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from pathlib import PurePosixPath

from moviola.core.videos import VIDEO_SUFFIXES


def spelled_alike(name: str) -> str:
    """Write a name in the one spelling in which equal names are equal.

    Composed Unicode (file systems of macOS decompose), slashes (Windows writes the other ones), no
    blanks at either end, nor `./` before it, and a video's suffix in small letters.
    """
    plain = unicodedata.normalize("NFC", name).replace("\\", "/").strip()
    while plain.startswith("./"):
        plain = plain[2:].lstrip("/")
    path = PurePosixPath(plain)
    if path.suffix.lower() in VIDEO_SUFFIXES:
        return f"{plain.removesuffix(path.suffix)}{path.suffix.lower()}"
    return plain


def without_suffix(name: str) -> str:
    """Cut the suffix of a video off its name or path, and spell the rest as `spelled_alike`."""
    plain = spelled_alike(name)
    suffix = PurePosixPath(plain).suffix
    return plain.removesuffix(suffix) if suffix in VIDEO_SUFFIXES else plain


class NameIndex:
    """Find ids by a name: exactly, or else spelled alike.

    Args:
        ids: the ids that there are.
    """

    def __init__(self, ids: Iterable[str]) -> None:
        self._ids = set(ids)
        self._alike: dict[str, list[str]] = defaultdict(list)
        for each in sorted(self._ids):
            self._alike[spelled_alike(each)].append(each)

    def find(self, name: str) -> str | None:
        """Find the id that `name` means, or None where there is none.

        Raises:
            ValueError: when several ids are spelled alike and none of them is `name`.
        """
        if name in self._ids:
            return name
        found = self._alike.get(spelled_alike(name), [])
        if len(found) > 1:
            raise ValueError(
                f"{name!r} may mean {found[0]!a} or {found[1]!a}, which read alike; rename one"
            )
        return found[0] if found else None

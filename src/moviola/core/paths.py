"""Find the folders that things lie in unless another place is named."""

from __future__ import annotations

from pathlib import Path


def library_path(named: Path | None = None) -> Path:
    """Return the library's folder: the one `named`, or the one in the user's data folder."""
    if named is not None:
        return named.expanduser().absolute()
    from platformdirs import user_data_path

    return user_data_path("moviola", appauthor=False) / "library"


def cache_path() -> Path:
    """Return the user's folder of what can be made again."""
    from platformdirs import user_cache_path

    return user_cache_path("moviola", appauthor=False)


def display_path(path: Path | str) -> str:
    """Return `path` as printable text that stays unambiguous.

    Undecodable bytes, control characters and direction overrides become backslash escapes; a
    literal backslash is doubled only where an escape was needed, so that ordinary names stay as
    they are.
    """
    raw = str(path)
    if raw.isprintable() and raw.isascii():
        return raw
    shown: list[str] = []
    escaped = False
    for character in raw:
        code = ord(character)
        if 0xDC80 <= code <= 0xDCFF:  # a byte that was not UTF-8, as os.fsdecode keeps it
            shown.append(f"\\x{code - 0xDC00:02x}")
            escaped = True
        elif not character.isprintable():
            shown.append(character.encode("unicode_escape").decode("ascii"))
            escaped = True
        else:
            shown.append("\\\\" if character == "\\" else character)
    return "".join(shown) if escaped else raw

"""Where things lie unless another place is named."""

from __future__ import annotations

from pathlib import Path


def library_path(named: Path | None = None) -> Path:
    """The library's folder: the one `named`, or the one in the user's data folder."""
    if named is not None:
        return named.expanduser().absolute()
    from platformdirs import user_data_path

    return user_data_path("moviola", appauthor=False) / "library"

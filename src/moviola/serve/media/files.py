"""From a record to the file that may be served."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from moviola.core import display_path
from moviola.library import VideoName, VideoRecord
from moviola.serve.errors import ApiError


def open_to_serve(record: VideoRecord) -> Path:
    """The first file of a video that is there and still is what was indexed, links resolved.

    Its real place must lie in the folder that was indexed. A file that only a link reaches is
    served while it is the very file that was indexed. So nobody who can write to that folder makes
    the server hand out another file of the machine.

    Raises:
        ApiError: 404 where there is none.
    """
    for name in record.names:
        if (path := _servable(name, record.size)) is not None:
            return path
    shown = display_path(record.path.name)
    raise ApiError(
        404,
        "file_missing",
        f"the file {shown} is not where it was; index its folder again when it is back",
    )


def _servable(name: VideoName, size: int) -> Path | None:
    try:
        real = Path(os.path.realpath(name.path, strict=True))
        found = real.stat()
    except OSError:
        return None
    if not stat.S_ISREG(found.st_mode) or real.name.startswith("."):
        return None
    root = Path(os.path.realpath(name.root))
    same = (found.st_ino, found.st_mtime_ns, found.st_size) == (name.inode, name.mtime_ns, size)
    return real if real.is_relative_to(root) or same else None

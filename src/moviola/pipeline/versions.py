"""The versions a bug report needs, FFmpeg's among them."""

from __future__ import annotations

import platform
import re
from importlib import metadata

#: The first FFmpeg of each branch that decodes hostile MagicYUV files safely (CVE-2026-8461).
FFMPEG_FLOORS = ((7, 1, 5), (8, 0, 3), (8, 1, 2))

#: The first versions that load weights, read configurations and answer requests safely:
#: CVE-2026-24747 (torch), CVE-2026-4372 (transformers), the multipart limits of starlette, and the
#: FFmpeg inside av.
PACKAGE_FLOORS = {
    "torch": (2, 10),
    "transformers": (5, 3),
    "starlette": (1, 5, 1),
    "av": (18, 1),
}

_PACKAGES = (
    *PACKAGE_FLOORS,
    *("lancedb", "pyarrow", "numpy", "lightning", "scenedetect"),
)


def ffmpeg_version() -> str:
    """Version of the FFmpeg inside PyAV, such as `8.1.2`."""
    import av

    return str(av.ffmpeg_version_info)


def ffmpeg_is_safe(version: str) -> bool:
    """Tell whether `version` is at or above the floor of its branch; unknown ones are not."""
    try:
        numbers = tuple(int(part) for part in version.lstrip("n").split("-")[0].split("."))
    except ValueError:
        return False
    branch = [floor for floor in FFMPEG_FLOORS if floor[:2] == numbers[:2]]
    return numbers >= branch[0] if branch else numbers > FFMPEG_FLOORS[-1]


def package_is_safe(version: str, floor: tuple[int, ...]) -> bool:
    """Compare a version such as `2.13.0+cpu` with a floor; unknown ones are not safe."""
    numbers = tuple(int(part) for part in re.findall(r"\d+", version.split("+", maxsplit=1)[0])[:3])
    return bool(numbers) and numbers >= floor


def versions() -> dict[str, str]:
    """Python, FFmpeg and the packages the work is done with; missing extras are left out."""
    found = {"python": platform.python_version(), "ffmpeg": ffmpeg_version()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found

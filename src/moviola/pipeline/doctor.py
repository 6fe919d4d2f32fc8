"""Check whether this machine is fit for the work; each finding says what to do."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from moviola.core import MoviolaError, display_path
from moviola.pipeline.versions import (
    FFMPEG_FLOORS,
    PACKAGE_FLOORS,
    ffmpeg_is_safe,
    ffmpeg_version,
    package_is_safe,
    versions,
)

#: Free bytes below which a library is likely to run into the end of the disk.
_ROOM = 1 << 30
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")


@dataclass(frozen=True, slots=True)
class Finding:
    """Describe one thing that was looked at.

    Attributes:
        what: the thing.
        ok: whether it is as it should be.
        detail: what was found, and the way out where it is not ok.
    """

    what: str
    ok: bool
    detail: str


def examine(library: Path) -> list[Finding]:
    """Look at versions, FFmpeg's floor, decoding, the shipped encoder, disk and folders.

    Args:
        library: the folder whose disk and permissions are looked at; need not exist.
    """
    findings = [_python(), _ffmpeg()]
    findings += [
        _package(name, version)
        for name, version in versions().items()
        if name not in ("python", "ffmpeg")
    ]
    findings += [_decoding(), _confinement(), _encoder(), _disk(library), _writing(library)]
    findings += _model_cache()
    return findings


def _python() -> Finding:
    found = ".".join(map(str, sys.version_info[:3]))
    fit = sys.version_info >= (3, 11)
    return Finding("python", ok=fit, detail=found if fit else f"{found}; 3.11 or later is needed")


def _ffmpeg() -> Finding:
    found = ffmpeg_version()
    if ffmpeg_is_safe(found):
        return Finding("ffmpeg", ok=True, detail=f"{found}, inside PyAV")
    floors = ", ".join(".".join(map(str, floor)) for floor in FFMPEG_FLOORS)
    remedy = "upgrade it with: pip install --upgrade av"
    detail = f"{found} decodes hostile files unsafely (floors: {floors}); {remedy}"
    return Finding("ffmpeg", ok=False, detail=detail)


def _package(name: str, version: str) -> Finding:
    """Compare a package with the first version that is known to be safe."""
    floor = PACKAGE_FLOORS.get(name)
    if floor is None or package_is_safe(version, floor):
        return Finding(name, ok=True, detail=version)
    wanted = ".".join(map(str, floor))
    remedy = f"upgrade it with: pip install --upgrade {name}"
    return Finding(name, ok=False, detail=f"{version} is unsafe below {wanted}; {remedy}")


def verify_weights() -> Iterator[Finding]:
    """Compare every weight file of the model cache with the SHA-256 that it is named by.

    The hub's cache names large files by that digest; a download that went wrong, or a disk that
    did, gives a file of the right size and other bytes.
    """
    for model in sorted(_cache().glob("models--*")):
        name = model.name.removeprefix("models--").replace("--", "/")
        named = [path for path in sorted((model / "blobs").glob("*")) if _SHA256.match(path.name)]
        wrong = [path.name for path in named if _sha256(path) != path.name]
        if wrong:
            detail = f"{wrong[0]} holds other bytes; delete that file and fetch the model again"
            yield Finding(f"weights of {name}", ok=False, detail=detail)
        elif named:
            files = "1 file" if len(named) == 1 else f"{len(named)} files"
            yield Finding(f"weights of {name}", ok=True, detail=f"{files} as named by SHA-256")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _decoding() -> Finding:
    """Encode a second of video and read it back through a worker process."""
    import av
    import numpy as np

    from moviola.video import probe

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "doctor.mp4"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=10)
            stream.width = stream.height = 64
            stream.pix_fmt = "yuv420p"
            grey = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 128, np.uint8))
            for _ in range(10):
                container.mux(stream.encode(grey))
            container.mux(stream.encode())
        try:
            info = probe(path)
        except MoviolaError as error:
            return Finding("decoding", ok=False, detail=f"a worker could not read H.264: {error}")
    return Finding("decoding", ok=True, detail=f"{info.codec} in a worker process")


def _confinement() -> Finding:
    """Ask a worker process what the system keeps from it."""
    from moviola.video import tell_confinement

    holds = ", ".join(tell_confinement()) or "nothing"
    return Finding("decoding is kept from", ok=True, detail=f"{holds}; an empty environment")


def _encoder() -> Finding:
    from moviola.plugins import load_encoder

    try:
        encoder = load_encoder("shapes")
    except (MoviolaError, OSError, ValueError) as error:
        return Finding("shipped encoder", ok=False, detail=f"{error}; install moviola again")
    return Finding("shipped encoder", ok=True, detail=f"{encoder.space.dimension} dimensions")


def _nearest(path: Path) -> Path:
    """Find the first folder on the way up from `path` that exists."""
    return next(folder for folder in (path, *path.parents) if folder.exists())


def _disk(library: Path) -> Finding:
    place = _nearest(library)
    free = shutil.disk_usage(place).free
    detail = f"{free / (1 << 30):.1f} GiB free at {display_path(place)}"
    if free >= _ROOM:
        return Finding("disk", ok=True, detail=detail)
    return Finding("disk", ok=False, detail=f"{detail}; free some or name another --library")


def _writing(library: Path) -> Finding:
    place = _nearest(library)
    if os.access(place, os.W_OK):
        return Finding("library folder", ok=True, detail=f"{display_path(place)} can be written")
    return Finding(
        "library folder",
        ok=False,
        detail=f"{display_path(place)} cannot be written; name another with --library",
    )


def _cache() -> Path:
    """Find the folder in which the hub's client keeps models."""
    home = os.environ.get("HF_HOME", "~/.cache/huggingface")
    return Path(os.environ.get("HF_HUB_CACHE", f"{home}/hub")).expanduser()


def _model_cache() -> Iterator[Finding]:
    cache = _cache()
    held = len(list(cache.glob("models--*"))) if cache.is_dir() else 0
    yield Finding("model cache", ok=True, detail=f"{display_path(cache)}, {held} models")

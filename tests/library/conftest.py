"""A small world for the library's tests: files that stand for videos, and made-up vectors."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from moviola.core import Clip, FileCode, Readout, Space, Span, VideoInfo, clip_id
from moviola.library import Library, LibraryCard, LibraryWriter, NewVideo, Plan, scan

SUFFIXES = frozenset({".mp4", ".mkv"})
DIMENSION = 16
INFO = VideoInfo(9.0, 320, 240, 225, "h264", "mov,mp4,m4a,3gp,3g2,mj2", has_sound=True)


def unit_rows(seed: str, count: int, dimension: int = DIMENSION) -> np.ndarray:
    """The same rows for the same seed, as an encoder gives the same vectors for the same bytes."""
    number = int.from_bytes(hashlib.blake2b(seed.encode(), digest_size=8).digest())
    rows = np.random.default_rng(number).standard_normal((count, dimension)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def clips_of(video: NewVideo, count: int = 2) -> list[Clip]:
    """Windows of 6 s every 3 s."""
    spans = [Span(3.0 * place, 3.0 * place + 6) for place in range(count)]
    return [Clip(clip_id(video.id, span), video.path, span) for span in spans]


@dataclass
class Shelf:
    """A folder of inputs and a library of it; `decoded` counts what was really encoded."""

    folder: Path
    library: Library
    decoded: list[Path] = field(default_factory=list)
    info = INFO
    rows = staticmethod(unit_rows)
    clips = staticmethod(clips_of)

    def put(self, name: str | bytes, content: str | None = None) -> Path:
        path = self.folder / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.fsencode(name if content is None else content))
        return path

    def index(
        self,
        *roots: Path,
        fails: Callable[[Path], FileCode | None] = lambda _: None,
        retry: bool = False,
        rehash: bool = False,
    ) -> Plan:
        with self.library.writer() as writer:
            plan = writer.plan(scan(roots or (self.folder,), SUFFIXES), retry=retry, rehash=rehash)
            for video in plan.decode:
                self.decoded.append(video.path)
                self.encode(writer, video, fails(video.path))
        return plan

    @staticmethod
    def encode(writer: LibraryWriter, video: NewVideo, code: FileCode | None = None) -> None:
        if code is not None:
            writer.fail(video.failure(code, f"it is {code}"))
        else:
            writer.add(video.record(INFO), clips_of(video), unit_rows(video.id, 2))

    def paths(self) -> dict[str, set[str]]:
        """Names by the codes of their records."""
        found: dict[str, set[str]] = {}
        for record in self.library.videos():
            found.setdefault(record.code, set()).update(name.path.name for name in record.names)
        return found


@pytest.fixture
def card() -> LibraryCard:
    space = Space("stub", "r1", "w1", DIMENSION)
    video = Readout("resize 64", sampling="uniform:8")
    text = Readout("lower case", prompt="a video of {}")
    return LibraryCard("stub", space, video, text, "windows:6/3")


@pytest.fixture
def library(tmp_path: Path, card: LibraryCard) -> Library:
    return Library.create(tmp_path / "library", card)


@pytest.fixture
def shelf(tmp_path: Path, library: Library) -> Shelf:
    folder = tmp_path / "videos"
    folder.mkdir()
    return Shelf(folder, library)


@pytest.fixture
def without_leave() -> Callable[[Path], object]:
    """Make a folder read-only for the duration of a block, even where the tests run as root."""

    @contextmanager
    def block(folder: Path) -> Iterator[None]:
        import lancedb  # noqa: F401 (imported while it still may be read)

        modes = {path: path.stat().st_mode for path in (folder, *folder.rglob("*"))}
        for path in (*folder.parents, *modes):
            if path == folder or folder in path.parents:
                path.chmod(0o555 if path.is_dir() else 0o444)
        outer = [path for path in folder.parents if not path.stat().st_mode & 0o001]
        outer_modes = {path: path.stat().st_mode for path in outer}
        for path in outer:
            path.chmod(path.stat().st_mode | 0o055)
        is_root = os.geteuid() == 0
        if is_root:
            os.seteuid(65534)
        try:
            yield
        finally:
            if is_root:
                os.seteuid(0)
            for path, mode in {**modes, **outer_modes}.items():
                path.chmod(mode)

    return block

"""Hold the plan of a run: its settings, and the videos of every shard."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self, cast

from moviola.core import FileCode, Precision, StoreCorruptError
from moviola.core.json_text import decode_json
from moviola.engine.run_store import RunStore
from moviola.library import InputFile, NewVideo, VideoName, VideoRecord

PLAN = "plan.json"


@dataclass(frozen=True, slots=True)
class RunSettings:
    """Say how the videos of a run are indexed; the same words as of `moviola index`.

    Attributes:
        model: the encoder's name.
        segment: how videos are cut.
        head: folder or hub id of a head, None for none.
        rows: pooling of the rows that clips keep; `""` for none.
        precision: that the model computes in; None takes that of the device.
        channels: read besides the usual ones.
        without_channels: not read.
        codecs: FFmpeg decoders allowed beyond the built-in list.
    """

    model: str
    segment: str
    head: str | None = None
    rows: str = ""
    precision: Precision | None = None
    channels: tuple[str, ...] = ()
    without_channels: tuple[str, ...] = ()
    codecs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shard:
    """Name some videos that are indexed together, as one unit of work.

    Attributes:
        name: of its file: a hash of all that the content depends on.
        videos: to index.
    """

    name: str
    videos: tuple[NewVideo, ...]

    @property
    def file(self) -> str:
        """Return where the run keeps the result."""
        return f"units/{self.name}.unit"


@dataclass(frozen=True, slots=True)
class RunPlan:
    """Hold what a run consists of.

    Attributes:
        settings: how videos are indexed.
        space: digest of the space of their vectors.
        shards: units of work, the costliest first.
        failures: inputs that could not even be read when the run was planned.
    """

    settings: RunSettings
    space: str
    shards: tuple[Shard, ...]
    failures: tuple[VideoRecord, ...] = ()

    @property
    def videos(self) -> int:
        """Count the contents, those that could not be read included."""
        return sum(len(shard.videos) for shard in self.shards) + len(self.failures)

    def to_json(self) -> bytes:
        """Write the plan as JSON; bytes of paths that are no text are escaped."""
        return json.dumps(
            {
                "settings": asdict(self.settings),
                "space": self.space,
                "shards": [
                    {
                        "name": shard.name,
                        "videos": [_video_to_json(video) for video in shard.videos],
                    }
                    for shard in self.shards
                ],
                "failures": [_failure_to_json(record) for record in self.failures],
            }
        ).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read the plan that `to_json` wrote.

        Raises:
            StoreCorruptError: when it is something else.
        """
        try:
            found = cast("dict[str, Any]", decode_json(data))
            settings = cast("dict[str, Any]", found["settings"])
            for name in ("channels", "without_channels", "codecs"):
                settings[name] = tuple(settings[name])
            shards = (
                Shard(shard["name"], tuple(_video(video) for video in shard["videos"]))
                for shard in found["shards"]
            )
            failures = tuple(_failure(record) for record in found["failures"])
            return cls(RunSettings(**settings), found["space"], tuple(shards), failures)
        except (ValueError, KeyError, TypeError) as error:
            raise StoreCorruptError(f"the plan of the run cannot be understood: {error}") from error

    @classmethod
    def read(cls, store: RunStore, place: str) -> Self:
        """Read the plan of the run at `place`.

        Raises:
            FileNotFoundError: when there is none.
            StoreCorruptError: when it is damaged.
        """
        data = store.read(PLAN)
        if data is None:
            raise FileNotFoundError(
                f"there is no run at {place}; make one with: moviola plan VIDEOS --out {place}"
            )
        return cls.from_json(data)


def _video_to_json(video: NewVideo) -> dict[str, Any]:
    files = [
        asdict(file) | {"path": str(file.path), "root": str(file.root)} for file in video.files
    ]
    return {"id": video.id, "files": files}


def _video(found: Mapping[str, Any]) -> NewVideo:
    files = cast("Sequence[dict[str, Any]]", found["files"])
    return NewVideo(
        found["id"],
        tuple(
            replace(InputFile(**file), path=Path(file["path"]), root=Path(file["root"]))
            for file in files
        ),
    )


def _failure_to_json(record: VideoRecord) -> dict[str, Any]:
    names = [[str(name.path), str(name.root), name.mtime_ns, name.inode] for name in record.names]
    return {
        "id": record.id,
        "names": names,
        "code": record.code.value,
        "message": record.message,
        "size": record.size,
    }


def _failure(found: Mapping[str, Any]) -> VideoRecord:
    names = (
        VideoName(Path(path), Path(root), mtime_ns, inode)
        for path, root, mtime_ns, inode in found["names"]
    )
    code = FileCode(found["code"])
    return VideoRecord(found["id"], tuple(names), code, found["message"], size=found["size"])

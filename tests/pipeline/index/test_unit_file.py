"""A unit's file gives back what was indexed, bit by bit, and refuses what was damaged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from moviola.core import FileCode, Passage, Span, StoreCorruptError, VideoInfo
from moviola.library import ChannelReading, InputFile, NewVideo
from moviola.pipeline.index.unit import IndexedVideo
from moviola.pipeline.index.unit_file import pack_unit, unit_name, unpack_unit

INFO = VideoInfo(6.0, 320, 240, 150, "h264", "mov", has_sound=False)
SPACE = "s" * 32


def new_video(name: str) -> NewVideo:
    path = Path("/videos") / f"{name}.mp4"
    return NewVideo(name * 32, (InputFile(path, path.parent, 10, 20, 30, 40),))


def seen(name: str, clips: int, *, rows: int = 0) -> IndexedVideo:
    draw = np.random.default_rng(ord(name))
    vectors = draw.standard_normal((clips, 8)).astype(np.float32)
    kept = [draw.standard_normal((rows + i, 8)).astype(np.float32) for i in range(clips)]
    video = new_video(name)
    passage = Passage(video.id, Span(0.1, 0.7), f"said in {name}", "subtitles", "en", 0.5)
    return IndexedVideo(
        video.record(INFO, FileCode.OK_PARTIAL),
        [Span(i / 3, i / 3 + 1) for i in range(clips)],
        vectors,
        kept if rows else (),
        [ChannelReading("names", "v0"), ChannelReading("subtitles", "v1", (passage,))],
    )


def failed(name: str) -> IndexedVideo:
    return IndexedVideo.failure(new_video(name).failure(FileCode.CORRUPT, "no frame", INFO))


def unseen(name: str) -> IndexedVideo:
    return replace(seen(name, 1), spans=(), vectors=np.zeros((0, 1), np.float32))


@pytest.mark.parametrize("rows", [0, 2])
def test_a_unit_comes_back_as_it_was(rows):
    videos = [seen("a", 3, rows=rows), failed("b"), seen("c", 1, rows=rows), unseen("d")]
    found, precision = unpack_unit(pack_unit(videos[::-1], SPACE, "float32"), SPACE)
    assert precision == "float32"
    for got, put in zip(found, videos, strict=True):
        assert replace(got.record, channels=()) == put.record
        assert list(got.spans) == list(put.spans)
        assert got.vectors.tobytes() == put.vectors.tobytes()
        assert [part.tobytes() for part in got.rows] == [part.tobytes() for part in put.rows]
        assert list(got.readings) == list(put.readings)


def test_the_order_of_the_videos_changes_nothing():
    videos = [seen("a", 2), failed("b")]
    assert pack_unit(videos, SPACE, "") == pack_unit(videos[::-1], SPACE, "")


def test_every_damaged_byte_is_found():
    data = pack_unit([seen("a", 1)], SPACE, "float32")
    for place in range(0, len(data), 97):
        damaged = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        with pytest.raises(StoreCorruptError):
            unpack_unit(damaged, SPACE)
    for size in (0, 10, len(data) - 1):
        with pytest.raises(StoreCorruptError):
            unpack_unit(data[:size], SPACE)


def test_a_unit_of_another_space_is_refused():
    with pytest.raises(StoreCorruptError, match="another space"):
        unpack_unit(pack_unit([failed("a")], SPACE, ""), "t" * 32)


def test_the_name_follows_all_that_the_content_depends_on():
    parts = {
        "videos": [new_video("a"), new_video("b")],
        "segment": "windows:6/3",
        "space": SPACE,
        "readouts": ["r"],
        "rows": "",
        "channels": {"a" * 32: ["1"]},
    }
    names = {unit_name(**parts), unit_name(**parts | {"videos": parts["videos"][::-1]})}
    assert len(names) == 1
    news = {
        "videos": [new_video("a")],
        "segment": "whole",
        "space": "t",
        "readouts": ["q"],
        "rows": "none",
        "channels": {"a" * 32: ["2"]},
    }
    names |= {unit_name(**parts | {name: value}) for name, value in news.items()}
    assert len(names) == 1 + len(news)

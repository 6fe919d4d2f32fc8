"""The sheets that are kept of clips."""

from __future__ import annotations

import io
import os
import stat

import numpy as np
import pytest
from PIL import Image

from moviola.core import Frames
from moviola.pipeline.media.cache_eviction import trim
from moviola.pipeline.media.sprites import (
    POSTER_LONGEST,
    SpriteCache,
    draw_poster,
    draw_sprite,
    read_times,
)


def sheets(library) -> list[str]:
    return sorted(path.stem for path in library.rglob("*.jpg"))


def test_a_sheet_comes_back_and_goes_with_its_video(tmp_path):
    cache = SpriteCache(tmp_path)
    assert cache.read("video", "clip") is None
    cache.keep("video", "clip", b"sheet")
    cache.keep("other", "clip", b"another")
    assert cache.read("video", "clip") == b"sheet"
    cache.drop("video")
    cache.drop("unknown")
    assert cache.read("video", "clip") is None
    assert cache.read("other", "clip") == b"another"


def test_a_poster_lies_beside_the_sheet_and_goes_with_it(tmp_path):
    cache = SpriteCache(tmp_path)
    cache.keep("video", "clip", b"sheet")
    assert cache.read_poster("video", "clip") is None
    cache.keep_poster("video", "clip", b"poster")
    assert (cache.read("video", "clip"), cache.read_poster("video", "clip")) == (
        b"sheet",
        b"poster",
    )
    cache.drop("video")
    assert cache.read_poster("video", "clip") is None
    assert not sheets(tmp_path)


@pytest.mark.parametrize(("time", "level"), [(-5.0, 10), (1.9, 10), (2.1, 100), (99.0, 200)])
def test_a_poster_shows_the_frame_nearest_in_time_in_its_shape(time, level):
    pixels = np.zeros((3, 600, 1200, 3), np.uint8)
    pixels[:] = np.array([10, 100, 200], np.uint8)[:, None, None, None]
    drawn = draw_poster(Frames(pixels, np.array([1.0, 3.0, 5.0])), time)
    poster = Image.open(io.BytesIO(drawn))
    assert poster.size == (POSTER_LONGEST, POSTER_LONGEST // 2)
    assert poster.convert("L").getpixel((5, 5)) == pytest.approx(level, abs=3)


def test_the_sheets_seen_longest_ago_make_room(tmp_path):
    cache = SpriteCache(tmp_path, most=30, every=5)
    for number in range(4):
        cache.keep(f"{number}", f"clip{number}", b"x" * 10)
        path = next(tmp_path.rglob(f"clip{number}.jpg"))
        os.utime(path, (1000 + number, 1000 + number))
    assert len(sheets(tmp_path)) == 4  # not yet looked after
    assert cache.read("0", "clip0")  # the oldest one was just looked at
    cache.keep("4", "clip4", b"x" * 10)
    assert sheets(tmp_path) == ["clip0", "clip3", "clip4"]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root writes everywhere")
def test_a_cache_that_cannot_be_written_is_no_fault(tmp_path):
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    cache = SpriteCache(tmp_path)
    cache.keep("video", "clip", b"sheet")
    assert cache.read("video", "clip") is None
    tmp_path.chmod(stat.S_IRWXU)


def test_a_cache_without_a_place_is_no_fault(tmp_path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    cache = SpriteCache(tmp_path, most=0, every=1)
    cache.keep("video", "clip", b"sheet")
    assert cache.read("video", "clip") is None


def test_trimming_what_is_small_or_not_there_does_nothing(tmp_path):
    (tmp_path / "a").write_bytes(b"x" * 10)
    trim(tmp_path, 10)
    trim(tmp_path / "none", 0)
    assert (tmp_path / "a").exists()
    trim(tmp_path, 9)
    assert not (tmp_path / "a").exists()


def test_a_sheet_has_its_frames_in_order_and_tells_their_times():
    pixels = np.zeros((2, 30, 60, 3), np.uint8)
    pixels[0, ..., 0], pixels[1, ..., 2] = 250, 250
    sheet = draw_sprite(Frames(pixels, np.array([1.0, 2.5])))
    assert read_times(sheet) == ",".join(["1.000"] * 4 + ["2.500"] * 4)
    with Image.open(io.BytesIO(sheet)) as picture:
        assert picture.size == (4 * 60, 2 * 30)
        assert picture.getpixel((90, 15))[0] > 200
        assert picture.getpixel((90, 45))[0] < 50
        assert picture.getpixel((90, 45))[2] > 200

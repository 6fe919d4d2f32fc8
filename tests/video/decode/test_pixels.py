"""Pictures come upright, in 8-bit RGB, in the colours of a player, and never too large."""

from __future__ import annotations

import struct
from fractions import Fraction

import av
import numpy as np
import pytest

from moviola.core import FileCode, UniformSampler
from moviola.video import read_frames_near
from moviola.video.decode.pixels.painting import Painter, Turn, reduced_size, square_size

ONE = 1 << 16
# What a display matrix (a, b, c, d) makes of a picture, in NumPy's words.
TURNS = {
    "none": ((1, 0, 0, 1), lambda p: p),
    "90": ((0, 1, -1, 0), lambda p: np.rot90(p, -1)),
    "180": ((-1, 0, 0, -1), lambda p: np.rot90(p, 2)),
    "270": ((0, -1, 1, 0), lambda p: np.rot90(p, 1)),
    "mirrored": ((-1, 0, 0, 1), np.fliplr),
    "upside down": ((1, 0, 0, -1), np.flipud),
    "transposed": ((0, 1, 1, 0), lambda p: p.transpose(1, 0, 2)),
    "transversed": ((0, -1, -1, 0), lambda p: np.rot90(p, 2).transpose(1, 0, 2)),
}


def scene() -> np.ndarray:
    """Four corners that differ in gray, wider than high."""
    picture = np.full((96, 160), 128, np.uint8)
    picture[:48, :80], picture[:48, 80:], picture[48:, :80] = 30, 90, 160
    picture[48:, 80:] = 220
    return picture


@pytest.mark.parametrize("turn", TURNS)
def test_pictures_come_upright(studio, read, tmp_path, turn):
    (a, b, c, d), expected = TURNS[turn]
    path = studio.film(tmp_path / "v.mp4", 3, draw=lambda _: scene())
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 44
    x, y = (160 if a < 0 or c < 0 else 0), (96 if b < 0 or d < 0 else 0)
    matrix = (a * ONE, b * ONE, 0, c * ONE, d * ONE, 0, x * ONE, y * ONE, 1 << 30)
    data[at : at + 36] = struct.pack(">9i", *matrix)
    path.write_bytes(data)
    clips, done = read(path, sampler=UniformSampler(1))
    upright = expected(np.repeat(scene()[:, :, None], 3, axis=2))
    assert (done.info.height, done.info.width) == upright.shape[:2]
    picture = clips[0].frames.pixels[0]
    assert picture.shape == upright.shape
    assert np.abs(picture.astype(int) - upright).mean() < 4


@pytest.mark.parametrize("size", [(161, 121), (2, 2), (3, 64), (33, 17)])
def test_odd_sizes(studio, read, tmp_path, size):
    width, height = size
    gray = np.full((height, width), 100, np.uint8)
    path = studio.film(
        tmp_path / "v.mkv", 3, codec="ffv1", pix_fmt="yuv444p", size=size, draw=lambda _: gray
    )
    clips, done = read(path, sampler=UniformSampler(1))
    assert done.code is FileCode.OK
    picture = clips[0].frames.pixels[0]
    assert picture.shape == (height, width, 3)
    assert np.abs(picture.astype(int) - 100).max() <= 3


def test_pixels_are_made_square(studio, read, tmp_path):
    path = studio.film(tmp_path / "v.mp4", 3, aspect=Fraction(16, 11))
    clips, done = read(path, sampler=UniformSampler(1))
    assert (done.info.width, done.info.height) == (233, 96)
    assert clips[0].frames.pixels.shape[1:3] == (96, 233)


def test_sizes():
    assert square_size(100, 50, None) == (100, 50)
    assert square_size(100, 50, Fraction(1, 2)) == (100, 100)
    assert square_size(1920, 1080, Fraction(1001, 1000)) == (1922, 1080)
    assert square_size(640, 480, Fraction(1001, 1000)) == (640, 480)
    assert square_size(100, 50, Fraction(1000, 1)) == (100, 50)
    assert reduced_size(7680, 4320, 4 << 20) == (2730, 1536)
    assert reduced_size(640, 480, 4 << 20) == (640, 480)
    assert reduced_size(1, 100_000, 100) == (1, 3162) or reduced_size(1, 100_000, 100)[0] == 1


FORMATS = ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv444p12le", "gray", "gray10le"]


@pytest.mark.parametrize("pix_fmt", [*FORMATS, "yuva420p", "rgb24", "rgba", "pal8", "gbrp16le"])
def test_every_format_becomes_rgb(pix_fmt):
    rgb = np.repeat(scene()[:, :, None], 3, axis=2)
    frame = av.VideoFrame.from_ndarray(rgb, "rgb24")
    if pix_fmt == "pal8":
        palette = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 4, axis=1)
        frame = av.VideoFrame.from_ndarray((scene(), palette), "pal8")
    else:
        frame = frame.reformat(format=pix_fmt)
    picture = Painter(160, 96, Turn()).paint(frame)
    assert picture.dtype == np.uint8
    assert picture.flags.c_contiguous
    assert np.abs(picture.astype(int) - rgb).mean() < 3


def test_full_and_limited_range():
    for level, code, full in ((16, 1, 0), (235, 1, 255), (16, 2, 16), (235, 2, 235)):
        planes = np.full((96, 64), 128, np.uint8)
        planes[:64] = level
        frame = av.VideoFrame.from_ndarray(planes, "yuv420p")
        frame.color_range = code
        assert np.abs(Painter(64, 64, Turn()).paint(frame).astype(int) - full).max() <= 1


def test_hdr_is_no_darker_than_its_standard_copy():
    # White of HDR10 is code 0.58 by BT.2408; a plain reading would show it as middle gray.
    planes = np.full((96, 64), 128, np.uint8)
    planes[:64] = round(16 + 0.58 * 219)
    frame = av.VideoFrame.from_ndarray(planes, "yuv420p")
    plain = Painter(64, 64, Turn()).paint(frame).mean()
    frame.color_trc = 16
    mapped = Painter(64, 64, Turn()).paint(frame).mean()
    assert plain < 150
    assert 180 < mapped < 240


def test_huge_frames_are_reduced():
    frame = av.VideoFrame(4096, 2304, "yuv420p")
    assert Painter(*reduced_size(4096, 2304, 1 << 20), Turn()).paint(frame).nbytes <= 3 << 20


def square(width: int, height: int) -> np.ndarray:
    """A white square of half the height in the middle of gray."""
    picture = np.full((height, width), 100, np.uint8)
    half = min(width, height) // 4
    picture[height // 2 - half : height // 2 + half, width // 2 - half : width // 2 + half] = 235
    return picture


def sides(picture: np.ndarray) -> tuple[int, int]:
    """Width and height of what is white in a picture."""
    white = picture.mean(axis=2) > 170
    return int(white.any(axis=0).sum()), int(white.any(axis=1).sum())


@pytest.mark.parametrize("later", [(96, 160), (320, 96), (64, 64), (320, 192)])
def test_pictures_are_not_stretched_where_their_size_changes(studio, read, pool, tmp_path, later):
    parts = []
    for number, size in enumerate([(160, 96), later]):
        parts.append(
            studio.film(
                tmp_path / f"{number}.ts",
                50,
                size=size,
                ticks=range(50 * number, 50 * number + 50),
                draw=lambda _, size=size: square(*size),
                muxing={"mpegts_copyts": "1"},
                options={"bf": "0", "g": "10"},
            ).read_bytes()
        )
    path = tmp_path / "v.ts"
    path.write_bytes(b"".join(parts))
    clips, done = read(path, sampler=UniformSampler(8))
    assert done.info.duration == pytest.approx(4.0, abs=0.05)
    pictures = clips[0].frames.pixels
    assert pictures.shape[1:3] == (96, 160)
    for picture in pictures:
        wide, high = sides(picture)
        assert abs(wide - high) <= 2
        assert min(wide, high) >= 12
    # What does not fill the picture is black.
    scale = min(160 / later[0], 96 / later[1])
    bars = 160 * 96 - round(later[0] * scale) * round(later[1] * scale)
    assert abs(int((pictures[-1].mean(axis=2) < 50).sum()) - bars) <= 2 * (160 + 96)
    for time in (0.5, 3.5):
        wide, high = sides(read_frames_near(pool, path, [time], longest=160).pixels[0])
        assert abs(wide - high) <= 2


def test_pictures_are_not_stretched_where_the_shape_of_pixels_changes(studio, read, pool, tmp_path):
    # A broadcast between 4:3 and 16:9: the same coded size, other pixels.
    parts = []
    for number, aspect in enumerate([Fraction(1), Fraction(2)]):
        parts.append(
            studio.film(
                tmp_path / f"{number}.ts",
                50,
                ticks=range(50 * number, 50 * number + 50),
                draw=lambda _, wide=aspect.numerator: squeezed(wide),
                aspect=aspect,
                muxing={"mpegts_copyts": "1"},
                options={"bf": "0", "g": "10"},
            ).read_bytes()
        )
    path = tmp_path / "v.ts"
    path.write_bytes(b"".join(parts))
    clips, _ = read(path, sampler=UniformSampler(8))
    assert clips[0].frames.pixels.shape[1:3] == (96, 160)
    for picture in clips[0].frames.pixels:
        wide, high = sides(picture)
        assert abs(wide - high) <= 3
    for time in (0.5, 3.5):
        wide, high = sides(read_frames_near(pool, path, [time], longest=320).pixels[0])
        assert abs(wide - high) <= 3


def squeezed(wide: int) -> np.ndarray:
    """A square as pixels store it that are `wide` times as wide as high."""
    return square(160 * wide, 96)[:, ::wide]

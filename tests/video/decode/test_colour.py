"""A colour is the same, however a file carries it: matrix, range, primaries and curve."""

from __future__ import annotations

from itertools import product

import av
import numpy as np
import pytest
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

from moviola.video.decode.pixels.painting import Painter, Turn

COLOURS = {
    "red": (1, 0, 0),
    "green": (0, 1, 0),
    "blue": (0, 0, 1),
    "white": (1, 1, 1),
    "skin": (0.8, 0.55, 0.45),
}
# Luma weights of red and blue (ITU-T H.273, table 4).
WEIGHTS = {"601": (0.299, 0.114), "709": (0.2126, 0.0722), "2020": (0.2627, 0.0593)}
SPACES = {
    "601": Colorspace.ITU601,
    "709": Colorspace.ITU709,
    "2020": 9,
}
# From linear BT.709 to linear BT.2020 (BT.2087, table 2), and to Display P3 (D65).
TO_2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])
TO_P3 = np.array([[0.8225, 0.1774, 0.0], [0.0332, 0.9669, 0.0], [0.0171, 0.0724, 0.9108]])


def yuv(rgb, space, *, full, bits=16):
    """A frame of one coded colour: `rgb` 0 to 1."""
    kr, kb = WEIGHTS[space]
    red, green, blue = rgb
    luma = kr * red + (1 - kr - kb) * green + kb * blue
    chroma = ((blue - luma) / (2 - 2 * kb), (red - luma) / (2 - 2 * kr))
    top = (1 << bits) - 1
    unit = 1 << (bits - 8)
    if full:
        values = [luma * top, *(part * top + (top + 1) / 2 for part in chroma)]
    else:
        values = [unit * (16 + 219 * luma), *(unit * (128 + 224 * part) for part in chroma)]
    kind = np.uint8 if bits == 8 else np.uint16
    planes = [np.full((32, 32), np.clip(round(v), 0, top), kind) for v in values]
    array = np.stack(planes, axis=0 if bits == 8 else -1)
    name = "yuv444p" if bits == 8 else "yuv444p16le"
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(array), name)
    frame.colorspace = SPACES[space]
    frame.color_range = ColorRange.JPEG if full else ColorRange.MPEG
    return frame


def painted(frame):
    return Painter(32, 32, Turn()).paint(frame)[16, 16].astype(int)


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize(("space", "full"), list(product(["601", "709"], [False, True])))
def test_a_standard_colour_is_what_it_was(colour, bits, space, full):
    frame = yuv(COLOURS[colour], space, full=full, bits=bits)
    assert painted(frame) == pytest.approx(np.multiply(COLOURS[colour], 255), abs=4)


def pq(light):
    power = (light * 203 / 10_000) ** 0.1593017578125
    return ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375


def hlg(light):
    scene = light * 0.265
    return np.where(
        scene <= 1 / 12,
        np.sqrt(3 * scene),
        0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073,
    )


@pytest.mark.parametrize("primaries", [ColorPrimaries.BT2020, ColorPrimaries.UNSPECIFIED])
@pytest.mark.parametrize("curve", ["pq", "hlg"])
@pytest.mark.parametrize("colour", ["red", "green", "blue", "white"])
def test_a_standard_colour_in_an_hdr_film_keeps_its_hue(colour, curve, primaries):
    light = TO_2020 @ np.array(COLOURS[colour], float)
    frame = yuv((pq if curve == "pq" else hlg)(light), "2020", full=False)
    frame.color_trc = ColorTrc.SMPTE2084 if curve == "pq" else ColorTrc.ARIB_STD_B67
    frame.color_primaries = primaries
    # White of 203 nits lies below the brightest that a standard display shows.
    assert painted(frame) == pytest.approx(np.multiply(COLOURS[colour], 197), abs=8)


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("primaries", ["2020", "p3"])
def test_a_standard_colour_between_wide_primaries_is_what_it_was(colour, primaries):
    code = np.array(COLOURS[colour], float)
    light = np.where(code < 0.081, code / 4.5, ((code + 0.099) / 1.099) ** (1 / 0.45))
    wide = np.clip((TO_2020 if primaries == "2020" else TO_P3) @ light, 0, 1)
    coded = np.where(wide < 0.018, 4.5 * wide, 1.099 * wide**0.45 - 0.099)
    frame = yuv(coded, "2020" if primaries == "2020" else "709", full=False)
    frame.color_primaries = (
        ColorPrimaries.BT2020 if primaries == "2020" else ColorPrimaries.SMPTE432
    )
    assert painted(frame) == pytest.approx(255 * code, abs=8)


def test_brighter_light_stays_brighter_up_to_the_peak():
    levels = []
    for light in (0.05, 0.2, 1.0, 2.0, 1000 / 203, 40.0):
        frame = yuv((pq(light),) * 3, "2020", full=False)
        frame.color_trc = ColorTrc.SMPTE2084
        frame.color_primaries = ColorPrimaries.BT2020
        levels.append(painted(frame)[1])
    assert levels[:5] == sorted(set(levels[:5]))
    assert levels[4] >= 253
    assert levels[5] >= 253


@pytest.mark.shared
@pytest.mark.parametrize("curve", ["pq", "hlg"])
@pytest.mark.parametrize(
    ("colour", "right"), [("red", (196, 0, 0)), ("green", (7, 196, 0)), ("blue", (0, 0, 196))]
)
def test_colours_of_real_hdr_files(shared_data, pool, curve, colour, right):
    path = shared_data / "cases" / "hdr" / f"{curve}_{colour}.mp4"
    picture = pool.read_frames_at(path, [0.5]).pixels[0]
    assert picture[48, 96].astype(int) == pytest.approx(right, abs=6)
